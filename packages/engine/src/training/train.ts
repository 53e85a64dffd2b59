/** The loop that every training stage runs: shuffle, batches, steps, metrics, checkpoints. */
import type { Position, StageSpec } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { yieldToEventLoop } from '../breathe.ts';
import { imagesAt } from '../datasets/rows.ts';
import type { Split } from '../datasets/split.ts';
import { createRandom, normalNoise, shuffled, uniformNoise } from '../random.ts';
import { capture, carriedOf, sumsOf } from './capture.ts';
import { createMeter } from './meter.ts';
import { createProgress } from './progress.ts';
import type { Batch, StageHooks, StageOutcome, StageStart, Training } from './stage.ts';

/** Scalars that may wait on the device before the loop looks at them; a loss that is not finite is noticed as late as that. */
const maxPending = 48;

export type TrainOptions = {
  readonly spec: StageSpec;
  readonly start: StageStart | null;
  readonly split: Split;
  readonly batchSize: number;
  readonly hooks: StageHooks;
  /** Seconds between checkpoints within an epoch; what they are does not change results. */
  readonly checkpointSeconds: number;
};

/**
 * Trains from where `start` stands to the end of epoch `spec.epochs`. Every epoch sees every image once, in an order of its own; the
 * last batch of an epoch is as short as it comes out. A step depends on the weights, the moments and (seed, kind, epoch, step) alone,
 * so a run that was interrupted, or that is a stretch of a longer one, gives the same bits.
 */
export const train = async (
  training: Training,
  { spec, start, split, batchSize, hooks, checkpointSeconds }: TrainOptions,
): Promise<StageOutcome> => {
  const steps = Math.ceil(split.count / batchSize);
  const from: Position = start?.sameChain ? start.manifest.position : { epoch: 0, step: 0 };
  const meter = createMeter(sumsOf(start));
  const progress = createProgress(steps, hooks.onProgress);
  let carried = carriedOf(start);
  let last = from; // the newest position that is saved, or needs no saving
  let savedAt = performance.now();

  const save = async (
    position: Position,
    metrics: Readonly<Record<string, number>> | null,
  ): Promise<boolean> => {
    const checkpoint = await capture(training, position, carried, meter.sums());
    if (checkpoint !== null) await hooks.onCheckpoint(checkpoint, metrics);
    last = position;
    savedAt = performance.now();
    return checkpoint !== null;
  };
  const diverged = (what: string, epoch: number, step: number): StageOutcome => ({
    status: 'diverged',
    message: `Expected a finite ${what} in epoch ${epoch + 1}, step ${step + 1} of ${steps}. Lower learning rates may help.`,
  });

  try {
    for (let epoch = from.epoch; epoch < spec.epochs; epoch++) {
      const order = shuffled(createRandom(spec.seed, spec.kind, 'order', epoch), split.count);
      const first = epoch === from.epoch ? from.step : 0;
      for (let step = first; step < steps; step++) {
        const stop = hooks.signal.aborted;
        const due = step > first && performance.now() - savedAt > 1000 * checkpointSeconds;
        if (stop || due || meter.pending() >= maxPending) {
          const fault = await meter.flush();
          if (fault) return diverged(`${fault.name}, but it was ${fault.value}`, epoch, fault.step);
        }
        const moved = epoch !== last.epoch || step !== last.step;
        if ((stop || due) && moved && !(await save({ epoch, step }, null)))
          return diverged('weight, but one was not', epoch, step - 1);
        if (stop) return { status: 'stopped' };

        const rows = order.subarray(step * batchSize, (step + 1) * batchSize);
        const batch = batchOf(spec, split, rows, { epoch, step }, steps);
        const measured = tf.tidy(() => training.step(batch) as tf.NamedTensorMap);
        meter.add(measured, step, rows.length);
        progress.trained({ epoch, step: step + 1 }, rows.length);
        await yieldToEventLoop();
      }
      const fault = await meter.flush();
      if (fault) return diverged(`${fault.name}, but it was ${fault.value}`, epoch, fault.step);
      const metrics = { ...meter.finish(split.count, steps), ...(await training.afterEpoch?.()) };
      carried = { ...carried, ...training.scalars?.(metrics) };
      if (!(await save({ epoch: epoch + 1, step: 0 }, metrics)))
        return diverged('weight, but one was not', epoch, steps - 1);
    }
    return { status: 'completed' };
  } finally {
    meter.dispose();
  }
};

const batchOf = (
  { seed, kind }: StageSpec,
  split: Split,
  rows: Uint32Array,
  { epoch, step }: Position,
  steps: number,
): Batch => {
  const drawn =
    (purpose: 'noise' | 'normal', draw: typeof uniformNoise): Batch['noise'] =>
    (shape) => {
      const size = shape.reduce((a, b) => a * b, rows.length);
      const random = createRandom(seed, kind, purpose, epoch, step);
      return tf.tensor(draw(random, size), [rows.length, ...shape]);
    };
  return {
    rows,
    images: () => imagesAt(split, rows),
    noise: drawn('noise', uniformNoise),
    normal: drawn('normal', normalNoise),
    update: epoch * steps + step + 1,
  };
};
