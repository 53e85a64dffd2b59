/**
 * FGSM and the Gradient attack: one gradient step from the image (Goodfellow et al. 2015, §4), with the search of Foolbox 1.8
 * (`foolbox/attacks/gradient.py`: `GradientSignAttack`, `GradientAttack`).
 *
 * FGSM: x' = clip(x + ε·sign ∇L), L∞. Gradient: x' = clip(x + ε·∇L / rms(∇L)), L2. L is the cross-entropy.
 * Images: rows of [batch, 28, 28, 1] in [0, 1]. Cost per image: 1 gradient; 1 forward pass for each ε tried, at most `epsilons` + 20.
 * With `search: false`, `queries` counts the driver's forward pass too: the attack makes none of its own.
 */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext, AttackResult } from '../attack.ts';
import { indicesWhere, takeRows } from '../batch-rows.ts';
import { lossDirection } from '../losses.ts';
import { owning } from '../ownership.ts';

/** With `search: false` the attack takes one step of exactly ε. This costs 1 gradient, and the driver makes the forward pass. */
export const fgsm: Attack<'fgsm'> = async (context, settings) => {
  const { images, labels, model, own } = context;
  const directions = own(lossDirection(model, images, labels, 'sign'));
  if (settings.search) return searchEpsilon(context, directions, epsilonGrid(settings));
  const adversarials: tf.Tensor2D = tf.tidy(() =>
    tf.clipByValue(images.add(directions.mul(settings.epsilon)), 0, 1),
  );
  return {
    adversarials,
    steps: new Int32Array(labels.length).fill(1),
    queries: new Int32Array(labels.length).fill(2),
  };
};

/** The direction has root mean square 1, so ε moves an image by ε·√width in L2. */
export const gradient: Attack<'gradient'> = async (context, settings) => {
  const { model, images, labels, own } = context;
  return searchEpsilon(context, own(lossDirection(model, images, labels, 'rms')), epsilonGrid(settings));
};

/** The ε that a search tries, in this order. */
type EpsilonGrid = {
  readonly epsilons: readonly number[];
  /** Whether to search again below a hit among the first 20 ε: true for a grid made from a count (Foolbox 1.8: `decrease_if_first`). */
  readonly refine: boolean;
};

/** A count gives an even grid over (0, `epsilon`]; a list is tried from its smallest ε to its largest. */
export const epsilonGrid = ({
  epsilon,
  epsilons,
}: {
  epsilon: number;
  epsilons: number | readonly number[];
}): EpsilonGrid =>
  typeof epsilons === 'number'
    ? { epsilons: evenlySpaced(epsilon, epsilons), refine: true }
    : { epsilons: epsilons.toSorted((a, b) => a - b), refine: false };

/** `count` evenly spaced points of (0, max]: numpy's `linspace(0, max, count + 1)[1:]`. */
const evenlySpaced = (max: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => ((i + 1) * max) / count);

/** The state of one image's search. */
type Cursor = {
  epsilons: readonly number[];
  next: number;
  pass: 1 | 2;
  best: number;
  queries: number;
  done: boolean;
};

/**
 * For every image the smallest ε of the grid at which clip(image + ε·direction) is a hit. With `refine`, when the first pass finds no hit, or
 * finds it among its first 20 ε, a second pass tries 20 evenly spaced ε up to the last ε of the first pass. `directions`: `[n, width]`.
 * Every image searches at its own pace. The fewer images are left, the more ε each of them tries per pass of the model.
 */
const searchEpsilon = async (
  context: AttackContext,
  directions: tf.Tensor2D,
  grid: EpsilonGrid,
): Promise<AttackResult> => {
  const { model, images, labels } = context;
  const cursors = Array.from(
    labels,
    (): Cursor => ({
      epsilons: grid.epsilons,
      next: 0,
      pass: 1,
      best: Number.POSITIVE_INFINITY,
      queries: 1,
      done: false,
    }),
  );
  for (;;) {
    await context.yieldToEventLoop();
    const active = indicesWhere(labels.length, (row) => !cursors[row]!.done);
    if (active.length === 0) break;
    const window = Math.max(1, Math.floor(model.batchSize / active.length));
    const candidates = [...active].flatMap((row) => {
      const { epsilons, next } = cursors[row]!;
      return epsilons.slice(next, next + window).map((epsilon) => ({ row, epsilon }));
    });
    const predicted = await predictSteps(context, directions, candidates);
    let start = 0;
    for (const row of active) {
      const cursor = cursors[row]!;
      const count = Math.min(window, cursor.epsilons.length - cursor.next);
      const classes = predicted.subarray(start, start + count);
      start += count;
      const hit = classes.findIndex((k) => isMistake(k, labels[row]!));
      advance(cursor, hit, count, grid.refine);
    }
  }
  const found = Float32Array.from(cursors, ({ best }) => (Number.isFinite(best) ? best : 0));
  const adversarials = tf.tidy(() => stepAlong(images, directions, found));
  return {
    adversarials,
    steps: Int32Array.from(cursors, ({ queries }) => queries - 1),
    queries: Int32Array.from(cursors, ({ queries }) => queries),
  };
};

const predictSteps = (
  { model, images }: AttackContext,
  directions: tf.Tensor2D,
  candidates: readonly { row: number; epsilon: number }[],
) => {
  const rows = Int32Array.from(candidates, ({ row }) => row);
  const epsilons = Float32Array.from(candidates, ({ epsilon }) => epsilon);
  const at = () => stepAlong(takeRows(images, rows), takeRows(directions, rows), epsilons);
  return owning((own) => model.predict(own(tf.tidy(at))));
};

const stepAlong = (images: tf.Tensor2D, directions: tf.Tensor2D, epsilons: Float32Array): tf.Tensor2D =>
  tf.tidy(() =>
    tf.clipByValue(images.add(directions.mul(tf.tensor2d(epsilons, [epsilons.length, 1]))), 0, 1),
  );

/** Moves a cursor past the `count` ε that were tried. `hit`: the index of the first one that fooled the model, −1 for none. */
const advance = (cursor: Cursor, hit: number, count: number, refine: boolean): void => {
  const last = cursor.next + (hit < 0 ? count : hit + 1) - 1; // index of the hit, or of the last ε that was tried
  cursor.queries += last - cursor.next + 1;
  cursor.next = last + 1;
  if (hit >= 0) cursor.best = Math.min(cursor.best, cursor.epsilons[last]!);
  const exhausted = hit < 0 && cursor.next === cursor.epsilons.length;
  if (hit < 0 && !exhausted) return;
  const needsSecondPass = cursor.pass === 1 && refine && (exhausted || last < 20);
  if (!needsSecondPass) {
    cursor.done = true;
    return;
  }
  cursor.epsilons = evenlySpaced(cursor.epsilons[last]!, 20);
  cursor.next = 0;
  cursor.pass = 2;
};
