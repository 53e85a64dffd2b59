/**
 * DeepFool (Moosavi-Dezfooli et al. 2016) with the semantics of Foolbox 1.8 (`foolbox/attacks/deepfool.py`): candidates fixed from the
 * clean image, 5 % overshoot on every step, clipping that feeds back into the next linearisation, stop at the first adversarial iterate.
 */
import { classesOf, isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { type Attack, streaming } from '../attack.ts';
import { type FlatModel, likelyClasses } from '../flat-model.ts';
import { dualNorms, type Norm, signs } from '../norms.ts';
import { createRowStore, pick, positions, takeRows } from '../rows.ts';

/** Images take their steps at their own pace: as some fall, others take their places, so that passes of the model stay full. */
export const deepfool = (norm: Norm): Attack<'deepfool-l2' | 'deepfool-linf'> =>
  streaming(async (context, settings) => {
    const { model, images, labels } = context;
    const found = createRowStore(labels.length);
    const steps = new Int32Array(labels.length);
    const queries = new Int32Array(labels.length);
    const candidates = await likelyClasses(context, settings.classes); // [slots][n]
    let rows: Int32Array = new Int32Array(0);
    let x: tf.Tensor2D = tf.zeros([0, model.width]);
    let started = 0;
    for (;;) {
      await context.yieldToEventLoop();
      const fresh = Int32Array.from(
        { length: Math.min(model.batchSize - rows.length, labels.length - started) },
        (_, i) => started + i,
      );
      started += fresh.length;
      rows = Int32Array.of(...rows, ...fresh);
      if (rows.length === 0) break;
      x = join(x, takeRows(images, fresh));
      const logits = model.logits(x);
      const z = await logits.data<'float32'>();
      logits.dispose();
      const classes = classesOf(z, model.classes);
      const fooled = positions(rows.length, (i) => isMistake(classes[i]!, labels[rows[i]!]!));
      found.put(x, fooled, pick(rows, fooled));
      for (const row of rows) queries[row]!++;
      const fell = new Set(fooled);
      const standing = positions(rows.length, (i) => !fell.has(i) && steps[rows[i]!]! < settings.steps);
      rows = pick(rows, standing);
      for (const row of rows) steps[row]!++;
      const here = takeRows(x, standing);
      x.dispose();
      x = await linearise({
        model,
        x: here,
        z: pickLogits(z, standing, model.classes),
        labels: pick(labels, rows),
        others: candidates.map((slot) => pick(slot, rows)),
        norm,
        reach: 1 + settings.overshoot,
      });
      here.dispose();
    }
    x.dispose();
    return { adversarials: found.collect(images), steps, queries };
  });

/** Rows of both, one after the other. Takes them over. */
const join = (a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D => {
  const joined = tf.concat(
    [a, b].filter(({ shape }) => shape[0] > 0),
    0,
  );
  tf.dispose([a, b]);
  return joined;
};

const pickLogits = (z: Float32Array, rows: Int32Array, classes: number): Float32Array => {
  const picked = new Float32Array(rows.length * classes);
  rows.forEach((row, i) => {
    picked.set(z.subarray(row * classes, (row + 1) * classes), i * classes);
  });
  return picked;
};

// The step that DeepFool takes: onto the nearest boundary of the model's linearisation.

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
