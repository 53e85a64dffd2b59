/**
 * FGSM and the Gradient attack: one gradient, then steps of growing size along it.
 * Foolbox 1.8 `GradientSignAttack`, `GradientAttack` (`foolbox/attacks/gradient.py`).
 */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext, AttackResult } from '../attack.ts';
import { lossDirection } from '../losses.ts';
import { positions, takeRows } from '../rows.ts';

export const fgsm: Attack<'fgsm'> = async (context, settings) => {
  const { images, labels } = context;
  const directions = lossDirection(context, images, labels, 'sign');
  if (settings.search) return searchAlong(context, directions, gridOf(settings));
  const adversarials: tf.Tensor2D = tf.tidy(() =>
    tf.clipByValue(images.add(directions.mul(settings.epsilon)), 0, 1),
  );
  directions.dispose();
  return {
    adversarials,
    steps: new Int32Array(labels.length).fill(1),
    queries: new Int32Array(labels.length).fill(2),
  };
};

/** The direction has unit root mean square: ε moves an image by ε·√width in L2. */
export const gradient: Attack<'gradient'> = async (context, settings) =>
  searchAlong(context, lossDirection(context, context.images, context.labels, 'rms'), gridOf(settings));

// The ε search of Foolbox 1.8's single-gradient attacks.

/** How far one image is in its search. */
type Cursor = {
  epsilons: readonly number[];
  next: number;
  pass: 1 | 2;
  best: number;
  queries: number;
  done: boolean;
};

/**
 * For every image the smallest ε of the grid at which clip(image + ε·direction) is misclassified. A hit within the first 20, or none
 * at all, leads to a second pass over 20 even steps up to the ε where the first one ended; a later hit ends the search.
 * Takes over `directions`. All rows search at their own pace; as fewer are left, each tries more ε per pass of the model.
 */
const searchAlong = async (
  context: AttackContext,
  directions: tf.Tensor2D,
  grid: Grid,
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
    const active = positions(labels.length, (row) => !cursors[row]!.done);
    if (active.length === 0) break;
    const window = Math.max(1, Math.floor(model.batchSize / active.length));
    const tried = [...active].flatMap((row) => {
      const { epsilons, next } = cursors[row]!;
      return epsilons.slice(next, next + window).map((epsilon) => ({ row, epsilon }));
    });
    const predicted = await predictAlong(context, directions, tried);
    let at = 0;
    for (const row of active) {
      const cursor = cursors[row]!;
      const count = Math.min(window, cursor.epsilons.length - cursor.next);
      const classes = predicted.subarray(at, at + count);
      at += count;
      advance(
        cursor,
        classes.findIndex((k) => isMistake(k, labels[row]!)),
        count,
        grid.refine,
      );
    }
  }
  const found = Float32Array.from(cursors, ({ best }) => (Number.isFinite(best) ? best : 0));
  const adversarials = tf.tidy(() => step(images, directions, found));
  directions.dispose();
  return {
    adversarials,
    steps: Int32Array.from(cursors, ({ queries }) => queries - 1),
    queries: Int32Array.from(cursors, ({ queries }) => queries),
  };
};

const step = (images: tf.Tensor2D, directions: tf.Tensor2D, epsilons: Float32Array): tf.Tensor2D =>
  tf.tidy(() =>
    tf.clipByValue(images.add(directions.mul(tf.tensor2d(epsilons, [epsilons.length, 1]))), 0, 1),
  );

const predictAlong = async (
  { model, images }: AttackContext,
  directions: tf.Tensor2D,
  tried: readonly { row: number; epsilon: number }[],
) => {
  const rows = Int32Array.from(tried, ({ row }) => row);
  const epsilons = Float32Array.from(tried, ({ epsilon }) => epsilon);
  const x = tf.tidy(() => step(takeRows(images, rows), takeRows(directions, rows), epsilons));
  const classes = await model.predict(x);
  x.dispose();
  return classes;
};

/** Moves a cursor past `count` tried ε of which `hit` is the first that fooled the model (−1: none). */
const advance = (cursor: Cursor, hit: number, count: number, refine: boolean): void => {
  const reached = cursor.next + (hit < 0 ? count : hit + 1) - 1; // index of the last ε that counts
  cursor.queries += reached - cursor.next + 1;
  cursor.next = reached + 1;
  if (hit >= 0) cursor.best = Math.min(cursor.best, cursor.epsilons[reached]!);
  const missed = hit < 0 && cursor.next === cursor.epsilons.length;
  if (hit < 0 && !missed) return;
  const again = cursor.pass === 1 && (missed || (refine && reached < 20));
  if (!again) {
    cursor.done = true;
    return;
  }
  cursor.epsilons = evenly(cursor.epsilons[reached]!, 20);
  cursor.next = 0;
  cursor.pass = 2;
};

/** The ε that a search tries, in order. */
type Grid = {
  readonly epsilons: readonly number[];
  /** Whether a hit among the first 20 is refined: true for a grid made from a count (Foolbox 1.8's `decrease_if_first`). */
  readonly refine: boolean;
};

/** The `count` evenly spaced points of (0, greatest]: numpy's `linspace(0, greatest, count + 1)[1:]`. */
const evenly = (greatest: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => ((i + 1) * greatest) / count);

/** A count makes an even grid up to `epsilon`; a list stands as it is. */
export const gridOf = ({
  epsilon,
  epsilons,
}: {
  epsilon: number;
  epsilons: number | readonly number[];
}): Grid =>
  typeof epsilons === 'number'
    ? { epsilons: evenly(epsilon, epsilons), refine: true }
    : { epsilons, refine: false };
