/** The nearest hit of every image so far. Only a hit in a plain pass of the model counts: one that carries a gradient may round differently. */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { AttackContext, AttackResult } from './attack.ts';
import type { FlatModel } from './flat-model.ts';
import { createRowStore, pick, positions, replaceRows, takeRows } from './rows.ts';

/** Candidates: row i of `x` belongs to image `owners[i]` and is `distances[i]` away from it. */
type Candidates = {
  readonly x: tf.Tensor2D;
  readonly owners: Int32Array;
  readonly distances: ArrayLike<number>;
};

export type Nearest = {
  /** How far the nearest hit of an image is; infinite where there is none. */
  readonly distance: (image: number) => number;
  /** Of the rows `hits`, which a plain pass has found to be hits, each image's nearest replaces its hit so far where it is nearer. */
  readonly keep: (candidates: Candidates, hits: Int32Array) => void;
  /** The hits, and the image itself where there is none. The caller owns them from here. */
  readonly take: () => tf.Tensor2D;
};

export const createNearest = (images: tf.Tensor2D): Nearest => {
  const least = new Float64Array(images.shape[0]).fill(Number.POSITIVE_INFINITY);
  let found = images.clone();
  return {
    distance: (image) => least[image]!,
    keep: ({ x, owners, distances }, hits) => {
      const from = new Map<number, number>(); // image → row of x
      for (const row of hits) {
        if (!(distances[row]! < least[owners[row]!]!)) continue; // a NaN is not nearer
        least[owners[row]!] = distances[row]!;
        from.set(owners[row]!, row);
      }
      if (from.size === 0) return;
      const next = replaceRows(found, Int32Array.from(from.keys()), x, Int32Array.from(from.values()));
      found.dispose();
      found = next;
    },
    take: () => found,
  };
};

/** Of the rows `suspects` of `x`, those that the model misclassifies in a plain pass: the driver asks it in the same way. */
export const confirm = async (
  model: FlatModel,
  x: tf.Tensor2D,
  labels: Int32Array,
  suspects: Int32Array,
): Promise<Int32Array> => {
  if (suspects.length === 0) return suspects;
  const candidates = takeRows(x, suspects);
  const classes = await model.predict(candidates);
  candidates.dispose();
  return suspects.filter((row, i) => isMistake(classes[i]!, labels[row]!));
};

/**
 * Of the rows `suspects`, which a pass with a gradient takes for hits, asks again about those that are nearer than their image's hit so far,
 * and keeps what is confirmed. Returns `asked`, the rows that cost a forward pass more, and `hits`: the suspects without those refuted.
 */
export const keepConfirmed = async (
  nearest: Nearest,
  model: FlatModel,
  labels: Int32Array,
  candidates: Candidates,
  suspects: Int32Array,
): Promise<{ readonly asked: Int32Array; readonly hits: ReadonlySet<number> }> => {
  const { x, owners, distances } = candidates;
  const asked = suspects.filter((row) => distances[row]! < nearest.distance(owners[row]!));
  nearest.keep(candidates, await confirm(model, x, pick(labels, owners), asked));
  return {
    asked,
    hits: new Set(suspects.filter((row) => distances[row]! >= nearest.distance(owners[row]!))),
  };
};

// What became of a batch of candidates: the two small reads that a step may make.

type Outcomes = {
  /** Class per row, as `predict` gives it. */
  readonly classes: Int32Array;
  /** Squared L2 distance per row. */
  readonly squares: Float32Array;
};

/** `x` and `origin` are `[n, width]`. */
export const outcomes = async (model: FlatModel, x: tf.Tensor2D, origin: tf.Tensor2D): Promise<Outcomes> => {
  const distances = tf.tidy(() => tf.sum(tf.square(x.sub(origin)), 1));
  const squares = await distances.data<'float32'>();
  distances.dispose();
  return { classes: await model.predict(x), squares };
};

// Attacks that try again – from another start, at another target – on the images that still stand.

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
