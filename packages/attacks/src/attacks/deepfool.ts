/**
 * DeepFool (Moosavi-Dezfooli et al. 2016) with the semantics of Foolbox 1.8 (`foolbox/attacks/deepfool.py`): candidates fixed from the
 * clean image, 5 % overshoot on every step, clipping that feeds back into the next linearisation, stop at the first adversarial iterate.
 */
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { dualNorms, type Norm, signs } from '../norms.ts';
import { argMaxRows, column, createRowStore, pick, positions, takeRows } from '../rows.ts';
import { likelyClasses } from './likely-classes.ts';

export const deepfool =
  (norm: Norm): Attack<'deepfool-l2' | 'deepfool-linf'> =>
  async (context, settings) => {
    const { model, images, labels } = context;
    const found = createRowStore(labels.length);
    const steps = new Int32Array(labels.length);
    const queries = new Int32Array(labels.length);
    const candidates = await likelyClasses(context, settings.classes); // [slots][n]
    let rows = positions(labels.length, () => true);
    let x = images.clone();
    for (let step = 0; rows.length > 0; step++) {
      await context.breathe();
      const logits = model.logits(x);
      const classes = await argMaxRows(logits);
      const fooled = positions(rows.length, (i) => classes[i] !== labels[rows[i]!]);
      const standing = positions(rows.length, (i) => classes[i] === labels[rows[i]!]);
      found.put(x, fooled, pick(rows, fooled));
      rows.forEach((row) => {
        queries[row] = step + 1;
      });
      if (step === settings.steps || standing.length === 0) {
        logits.dispose();
        break;
      }
      const before =
        standing.length === rows.length
          ? { x, logits }
          : { x: takeRows(x, standing), logits: takeRows(logits, standing) };
      rows = pick(rows, standing);
      const others = candidates.map((slot) => pick(slot, rows));
      const next = linearise(context, before, pick(labels, rows), others, norm, 1 + settings.overshoot);
      rows.forEach((row) => {
        steps[row] = step + 1;
      });
      tf.dispose([x, logits, before.x, before.logits]);
      x = next;
    }
    x.dispose();
    return { adversarials: found.collect(images), steps, queries };
  };

/**
 * The step from `x` onto the nearest boundary of the linearised model, times `reach`, clipped: with f = z_k − z_y and w = ∂f/∂x,
 * the boundary of class k is |f| / ‖w‖* away, and lies at |f| / ‖w‖₂² · w (L2) or |f| / ‖w‖₁ · sign(w) (L∞).
 */
export const linearise = (
  { model }: Pick<AttackContext, 'model'>,
  { x, logits }: { readonly x: tf.Tensor2D; readonly logits: tf.Tensor2D },
  labels: Int32Array,
  others: readonly Int32Array[],
  norm: Norm,
  reach: number,
): tf.Tensor2D =>
  tf.tidy(() => {
    const cotangents = others.map((other) => differences(other, labels, model.classes)); // [slots][n, classes]
    const { gradients } = model.pullbacks(x, () => cotangents);
    let nearest = tf.fill([labels.length, 1], 1e30) as tf.Tensor2D; // farther than any boundary, finite in float32
    let direction = tf.zerosLike(x);
    let length = tf.zeros([labels.length, 1]) as tf.Tensor2D;
    gradients.forEach((w, slot) => {
      const f = tf.sum(logits.mul(cotangents[slot]!), 1, true); // z_k − z_y, [n, 1]
      const size = dualNorms(w, norm).add(1e-8);
      const distance = tf.abs(f).div(size) as tf.Tensor2D;
      const nearer = column(tf.logicalAnd(tf.less(f, 0), tf.less(distance, nearest)).squeeze([1]));
      const along = norm === 'l2' ? w : signs(w);
      const far = tf.sub(1, nearer);
      direction = direction.mul(far).add(along.mul(nearer));
      length = length.mul(far).add((norm === 'l2' ? distance.div(size) : distance).mul(nearer));
      nearest = nearest.mul(far).add(distance.mul(nearer));
    });
    return tf.clipByValue(x.add(direction.mul(length.mul(reach))), 0, 1);
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
