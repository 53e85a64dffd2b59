/** Attacks that try again – from another start, at another target – on the images that still stand. */
import * as tf from '@tensorflow/tfjs';
import type { AttackContext, AttackResult } from './attack.ts';
import type { FlatModel } from './flat-model.ts';
import { argMaxRows, createRowStore, pick, positions, takeRows } from './rows.ts';

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

/**
 * Of the rows `suspects` of `x`, those that the model misclassifies when asked as the driver will ask it: a pass that carries a
 * gradient may round differently from one that does not.
 */
export const confirm = async (
  model: FlatModel,
  x: tf.Tensor2D,
  labels: Int32Array,
  suspects: Int32Array,
): Promise<Int32Array> => {
  if (suspects.length === 0) return suspects;
  const candidates = takeRows(x, suspects);
  const logits = model.logits(candidates);
  const classes = await argMaxRows(logits);
  tf.dispose([candidates, logits]);
  return suspects.filter((row, i) => classes[i] !== labels[row]);
};
