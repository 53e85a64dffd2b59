/** The step that DeepFool takes: onto the nearest boundary of the model's linearisation. */
import * as tf from '@tensorflow/tfjs';
import type { FlatModel } from '../flat-model.ts';
import { dualNorms, type Norm, signs } from '../norms.ts';
import { takeRows } from '../rows.ts';

type Linearisation = {
  readonly model: FlatModel;
  /** `[n, width]`. */
  readonly x: tf.Tensor2D;
  /** Its logits, row by row, `n · classes` values. */
  readonly z: Float32Array;
  readonly labels: Int32Array;
  /** The other classes that are looked at: slot j holds one per row, `[slots][n]`. */
  readonly others: readonly Int32Array[];
  readonly norm: Norm;
  /** 1 steps onto the boundary, more beyond it. */
  readonly reach: number;
};

/**
 * With f = z_k − z_y and w = ∂f/∂x, the boundary of class k is |f| / ‖w‖* away, at |f| / ‖w‖₂² · w (L2) or |f| / ‖w‖₁ · sign(w) (L∞).
 * Returns `x` moved `reach` times as far as the nearest one, clipped to [0, 1]; unmoved where no other class has a lower logit.
 */
export const linearise = async ({
  model,
  x,
  z,
  labels,
  others,
  norm,
  reach,
}: Linearisation): Promise<tf.Tensor2D> => {
  const [n] = x.shape;
  if (n === 0) return x.clone();
  const gradients = differenceGradients(model, x, labels, others); // [slots · n, width], slot by slot
  const norms = tf.tidy(() => dualNorms(gradients, norm));
  const sizes = await norms.data<'float32'>();
  const nearest = Int32Array.from({ length: n }, (_, row) => row); // its own, so that no row meets another's NaN
  const lengths = new Float32Array(n);
  for (let row = 0; row < n; row++) {
    let least = Number.POSITIVE_INFINITY;
    for (const [slot, other] of others.entries()) {
      const f = Math.fround(z[row * model.classes + other[row]!]! - z[row * model.classes + labels[row]!]!);
      if (!(f < 0)) continue;
      const size = sizes[slot * n + row]! + 1e-8;
      const distance = Math.abs(f) / size;
      if (!(distance < least)) continue; // a NaN is not nearer
      least = distance;
      nearest[row] = slot * n + row;
      lengths[row] = reach * (norm === 'l2' ? distance / size : distance);
    }
  }
  const moved: tf.Tensor2D = tf.tidy(() => {
    const w = takeRows(gradients, nearest);
    const along = norm === 'l2' ? w : signs(w);
    return tf.clipByValue(x.add(along.mul(tf.tensor2d(lengths, [n, 1]))), 0, 1);
  });
  tf.dispose([gradients, norms]);
  return moved;
};

/** ∂(z_k − z_y)/∂x for every slot's class k, `[slots · n, width]`. */
const differenceGradients = (
  model: FlatModel,
  x: tf.Tensor2D,
  labels: Int32Array,
  others: readonly Int32Array[],
): tf.Tensor2D =>
  tf.tidy(() => {
    const [n, width] = x.shape;
    const cotangents = others.map((other) => differences(other, labels, model.classes)); // [slots][n, classes]
    if (others.length * n > model.batchSize)
      return tf.concat([...model.pullbacks(x, () => cotangents).gradients], 0);
    // Few rows: one pass over a copy of them per slot costs less than many small ones.
    const copies = x
      .expandDims<tf.Tensor3D>(0)
      .mul<tf.Tensor3D>(tf.ones([others.length, 1, 1]))
      .reshape<tf.Tensor2D>([others.length * n, width]);
    const weights = tf.concat(cotangents, 0);
    return model.gradient(copies, (logits) => tf.sum(logits.mul(weights), 1)).gradient;
  });

/** Rows e_k − e_y, `[n, classes]`. */
const differences = (others: Int32Array, labels: Int32Array, classes: number): tf.Tensor2D => {
  const values = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    values[row * classes + others[row]!] = 1;
    values[row * classes + label] = -1;
  });
  return tf.tensor2d(values, [labels.length, classes]);
};
