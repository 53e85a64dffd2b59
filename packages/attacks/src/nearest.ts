/** The nearest hit of every image so far. Only a hit in a plain pass of the model counts: one that carries a gradient may round differently. */
import { isMistake } from '@funnel/contracts';
import type * as tf from '@tensorflow/tfjs';
import type { FlatModel } from './flat-model.ts';
import { pick, replaceRows, takeRows } from './rows.ts';

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
