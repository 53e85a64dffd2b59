/** The ε search of Foolbox 1.8's single-gradient attacks. */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { AttackContext, AttackResult } from '../attack.ts';
import { positions, takeRows } from '../rows.ts';
import { evenly, type Grid } from './grid.ts';

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
export const searchAlong = async (
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
