/**
 * Hits: candidates that the model misclassifies. Only a plain forward pass decides whether a candidate is a hit, because a pass with a
 * gradient may round differently, and the nearest hits lie where rounding decides.
 */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { AttackContext, AttackResult } from './attack.ts';
import { createRowStore, indicesWhere, replaceRows, takeRows, valuesAt } from './batch-rows.ts';
import type { FlatModel } from './flat-model.ts';
import { owning, takeValues } from './ownership.ts';

/** Candidates of several images: row i of `x` belongs to image `owners[i]` and lies `distances[i]` away from it. */
type Candidates = {
  readonly x: tf.Tensor2D;
  readonly owners: Int32Array;
  readonly distances: ArrayLike<number>;
};

/** The nearest hit of every image so far. */
export type NearestHits = {
  /** The distance of an image's nearest hit; infinite without a hit. */
  readonly distance: (image: number) => number;
  /** `hits`: rows of the candidates that a plain pass confirmed as hits. A row replaces the hit of its image when the row lies nearer. */
  readonly keep: (candidates: Candidates, hits: Int32Array) => void;
  /** `[n, width]`: the nearest hit of every image, or the image itself if it has none. The tensor belongs to the owner. */
  readonly take: () => tf.Tensor2D;
};

export const createNearestHits = ({ images, own }: Pick<AttackContext, 'images' | 'own'>): NearestHits => {
  const smallest = new Float64Array(images.shape[0]).fill(Number.POSITIVE_INFINITY);
  let found = own(images.clone());
  return {
    distance: (image) => smallest[image]!,
    keep: ({ x, owners, distances }, hits) => {
      const rowOfImage = new Map<number, number>();
      for (const row of hits) {
        if (!(distances[row]! < smallest[owners[row]!]!)) continue; // a NaN is not nearer
        smallest[owners[row]!] = distances[row]!;
        rowOfImage.set(owners[row]!, row);
      }
      if (rowOfImage.size === 0) return;
      const next = own(
        replaceRows(found, Int32Array.from(rowOfImage.keys()), x, Int32Array.from(rowOfImage.values())),
      );
      found.dispose();
      found = next;
    },
    take: () => found,
  };
};

/**
 * `x`: `[n, width]`. Returns the rows of `suspects` that the model misclassifies in a plain pass, the pass that the driver makes. Costs one
 * forward pass per suspect.
 */
export const confirmHits = async (
  model: FlatModel,
  x: tf.Tensor2D,
  labels: Int32Array,
  suspects: Int32Array,
): Promise<Int32Array> => {
  if (suspects.length === 0) return suspects;
  const classes = await owning((own) => model.predict(own(takeRows(x, suspects))));
  return suspects.filter((row, i) => isMistake(classes[i]!, labels[row]!));
};

/**
 * `suspects`: rows that a pass with a gradient misclassified. Confirms the suspects that lie nearer than the nearest hit of their image so
 * far, and keeps the confirmed ones. Returns `asked`, the rows that cost one more forward pass each, and `hits`, the suspects that no pass
 * refuted.
 */
export const keepConfirmed = async (
  nearest: NearestHits,
  model: FlatModel,
  labels: Int32Array,
  candidates: Candidates,
  suspects: Int32Array,
): Promise<{ readonly asked: Int32Array; readonly hits: ReadonlySet<number> }> => {
  const { x, owners, distances } = candidates;
  const asked = suspects.filter((row) => distances[row]! < nearest.distance(owners[row]!));
  nearest.keep(candidates, await confirmHits(model, x, valuesAt(labels, owners), asked));
  return {
    asked,
    hits: new Set(suspects.filter((row) => distances[row]! >= nearest.distance(owners[row]!))),
  };
};

/** The class and the squared L2 distance of every candidate. `x` and `origin`: `[n, width]`. Costs one forward pass per row. */
export const classesAndDistances = async (
  model: FlatModel,
  x: tf.Tensor2D,
  origin: tf.Tensor2D,
): Promise<{ readonly classes: Int32Array; readonly squares: Float32Array }> => {
  const squares = await takeValues(tf.tidy(() => tf.sum(tf.square(x.sub(origin)), 1)));
  return { classes: await model.predict(x), squares };
};

/** The result of one run of an attack. `fooled`: the rows whose adversarials are hits. */
export type RunResult = AttackResult & { readonly fooled: Int32Array };

/**
 * Runs an attack up to `count` times: from other starts, at other targets or on other surrogates. Each run gets only the images that no
 * earlier run has fooled; `run` must not dispose of them. Steps and queries are sums over the runs.
 */
export const repeatUntilFooled = async (
  context: AttackContext,
  count: number,
  run: (context: AttackContext, index: number) => Promise<RunResult>,
): Promise<AttackResult> => {
  const { images, labels, own } = context;
  const found = createRowStore(labels.length, own);
  const steps = new Int32Array(labels.length);
  const queries = new Int32Array(labels.length);
  let rows = indicesWhere(labels.length, () => true);
  for (let index = 0; index < count && rows.length > 0; index++) {
    const remaining = restrictTo(context, rows);
    const result = await run(remaining, index);
    rows.forEach((row, i) => {
      steps[row]! += result.steps[i]!;
      queries[row]! += result.queries[i]!;
    });
    found.put(result.adversarials, result.fooled, valuesAt(rows, result.fooled));
    tf.dispose([remaining.images, result.adversarials]);
    const fooled = new Set(result.fooled);
    rows = valuesAt(
      rows,
      indicesWhere(rows.length, (i) => !fooled.has(i)),
    );
  }
  return { adversarials: found.collect(images), steps, queries };
};

/** The same context for some of the images. */
const restrictTo = (context: AttackContext, rows: Int32Array): AttackContext => ({
  ...context,
  images: context.own(takeRows(context.images, rows)),
  labels: valuesAt(context.labels, rows),
  random: (row, ...path) => context.random(rows[row]!, ...path),
});
