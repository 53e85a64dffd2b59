/** Attacks that try again – from another start, at another target – on the images that still stand. */
import * as tf from '@tensorflow/tfjs';
import type { AttackContext, AttackResult } from './attack.ts';
import { createRowStore, pick, positions, takeRows } from './rows.ts';

/** The same attack on some of the images only. The caller disposes of the new `images`. */
const narrow = (context: AttackContext, rows: Int32Array): AttackContext => ({
  ...context,
  images: takeRows(context.images, rows),
  labels: pick(context.labels, rows),
  random: (row, ...path) => context.random(rows[row]!, ...path),
});

export type Try = AttackResult & {
  /** The rows that fell. */
  readonly fooled: Int32Array;
};

/** Tries up to `count` times, each time on the images that all tries before left standing. */
export const untilFooled = async (
  context: AttackContext,
  count: number,
  run: (context: AttackContext, index: number) => Promise<Try>,
): Promise<AttackResult> => {
  const { images, labels } = context;
  const found = createRowStore(labels.length);
  const steps = new Int32Array(labels.length);
  const queries = new Int32Array(labels.length);
  let rows = positions(labels.length, () => true);
  for (let index = 0; index < count && rows.length > 0; index++) {
    const standing = narrow(context, rows);
    const result = await run(standing, index);
    rows.forEach((row, i) => {
      steps[row]! += result.steps[i]!;
      queries[row]! += result.queries[i]!;
    });
    found.put(result.adversarials, result.fooled, pick(rows, result.fooled));
    tf.dispose([standing.images, result.adversarials]);
    const fell = new Set(result.fooled);
    rows = pick(
      rows,
      positions(rows.length, (i) => !fell.has(i)),
    );
  }
  return { adversarials: found.collect(images), steps, queries };
};
