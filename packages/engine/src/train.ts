/** The loop that every training stage runs: shuffle, batches, steps, metrics, checkpoints. */
import type { CheckpointManifest, Position, StageSpec } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { breathe } from './breathe.ts';
import { type Checkpoint, packTensors, storeNetwork } from './checkpoint.ts';
import { gatherImages, type Split } from './datasets/split.ts';
import { createMeter, type Meter } from './meter.ts';
import { readTensors } from './models/network.ts';
import { createRandom, shuffled, uniformNoise } from './random.ts';
import type { Batch, StageHooks, StageOutcome, StageStart, Training } from './stage.ts';

/** Scalars of running sums carry this prefix in a manifest, beside those that later stages read. */
const sumPrefix = 'sum.';

/** Scalars that may wait on the device before the loop looks at them; a loss that is not finite is noticed as late as that. */
const mostPending = 48;

const sumsOf = (start: StageStart | null): Record<string, number> =>
  Object.fromEntries(
    Object.entries(start?.manifest.scalars ?? {})
      .filter(([name]) => name.startsWith(sumPrefix))
      .map(([name, value]) => [name.slice(sumPrefix.length), value]),
  );

const carriedOf = (start: StageStart | null): Record<string, number> =>
  Object.fromEntries(
    Object.entries(start?.manifest.scalars ?? {}).filter(([name]) => !name.startsWith(sumPrefix)),
  );

/** The state of training as a checkpoint. `finite` is false where a weight is not a number. */
const capture = async (
  training: Training,
  position: Position,
  scalars: Readonly<Record<string, number>>,
): Promise<Checkpoint & { readonly finite: boolean }> => {
  const blobs = new Map<string, Uint8Array>();
  const networks: CheckpointManifest['networks'] = { ...training.frozen };
  let finite = true;
  for (const [name, network] of Object.entries(training.networks)) {
    const stored = await storeNetwork(network);
    networks[name] = stored.manifest;
    blobs.set(stored.manifest.blob, stored.bytes);
    finite &&= stored.finite;
  }
  const players = Object.entries(training.players);
  const moments = packTensors(await readTensors(players.flatMap(([, player]) => player.moments)));
  blobs.set(moments.blob, moments.bytes);
  const tensors = players.flatMap(([name, player]) =>
    player.moments.map((moment, i) => ({
      name: `${name}/${Math.floor(i / 2)}/${i % 2 === 0 ? 'm' : 'v'}`,
      shape: [...moment.shape],
    })),
  );
  const manifest: CheckpointManifest = {
    position,
    networks,
    moments: { tensors, blob: moments.blob },
    scalars: { ...scalars },
  };
  return { manifest, blobs, finite };
};

const batchOf = (
  spec: StageSpec,
  split: Split,
  rows: Uint32Array,
  epoch: number,
  step: number,
  update: number,
): Batch => ({
  rows,
  images: () => tf.tensor(gatherImages(split, rows), [rows.length, ...split.shape]),
  noise: (shape) => {
    const size = shape.reduce((a, b) => a * b, rows.length);
    const random = createRandom(spec.seed, spec.kind, 'noise', epoch, step);
    return tf.tensor(uniformNoise(random, size), [rows.length, ...shape]);
  },
  update,
});

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
  let carried = carriedOf(start);
  const meter: Meter = createMeter(start?.sameChain ? sumsOf(start) : {});
  let first = from.step;
  let last = from; // the newest position that is saved, or needs no saving
  let saved = performance.now();
  let trained = 0; // images since the last report
  let reported = performance.now();

  const save = async (
    position: Position,
    metrics: Readonly<Record<string, number>> | null,
  ): Promise<boolean> => {
    const sums = Object.entries(meter.sums()).map(([name, sum]) => [`${sumPrefix}${name}`, sum]);
    const { finite, ...checkpoint } = await capture(training, position, {
      ...carried,
      ...Object.fromEntries(sums),
    });
    if (finite) await hooks.onCheckpoint(checkpoint, metrics);
    last = position;
    saved = performance.now();
    return finite;
  };
  const diverged = (what: string, epoch: number, step: number): StageOutcome => ({
    status: 'diverged',
    message: `Expected a finite ${what} in epoch ${epoch + 1}, step ${step + 1} of ${steps}. Lower learning rates may help.`,
  });

  try {
    for (let epoch = from.epoch; epoch < spec.epochs; epoch++) {
      const order = shuffled(createRandom(spec.seed, spec.kind, 'order', epoch), split.count);
      for (let step = first; step < steps; step++) {
        const stop = hooks.signal.aborted;
        const due = step > first && performance.now() - saved > 1000 * checkpointSeconds;
        if (stop || due || meter.pending() >= mostPending) {
          const fault = await meter.flush();
          if (fault) return diverged(`${fault.name}, but it was ${fault.value}`, epoch, fault.step);
        }
        const moved = epoch !== last.epoch || step !== last.step;
        if ((stop || due) && moved && !(await save({ epoch, step }, null)))
          return diverged('weight, but one was not', epoch, step - 1);
        if (stop) return { status: 'stopped' };

        const rows = order.subarray(step * batchSize, (step + 1) * batchSize);
        const measured = tf.tidy(
          () =>
            training.step(
              batchOf(spec, split, rows, epoch, step, epoch * steps + step + 1),
            ) as tf.NamedTensorMap,
        );
        meter.add(measured, step, rows.length);
        trained += rows.length;
        await breathe();

        const elapsed = performance.now() - reported;
        if (elapsed > 250) {
          hooks.onProgress?.({
            position: { epoch, step: step + 1 },
            steps,
            imagesPerSecond: (1000 * trained) / elapsed,
          });
          reported = performance.now();
          trained = 0;
        }
      }
      first = 0;
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
