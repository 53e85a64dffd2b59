/**
 * DeepFool (Moosavi-Dezfooli et al. 2016, Algorithm 2) with the semantics of Foolbox 1.8 (`foolbox/attacks/deepfool.py`): the candidate
 * classes are the most likely ones of the clean image, every step overshoots by 5 %, the next linearisation starts at the clipped iterate,
 * and the first adversarial iterate is the result.
 *
 * Norm: L2 or L∞. Images: rows of [batch, 28, 28, 1] in [0, 1].
 * Cost per image and step: 1 forward pass, then 1 forward pass and `classes` − 1 gradients for the linearisation. `queries` counts only the
 * first pass, and not the one that ranks the classes of the clean image.
 */
import { classesOf, isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { type Attack, streaming } from '../attack.ts';
import { createRowStore, indicesWhere, takeRows, valuesAt } from '../batch-rows.ts';
import { type FlatModel, likelyClasses } from '../flat-model.ts';
import { dualNorms, type Norm, signOf } from '../norms.ts';
import { owning, takeValues } from '../ownership.ts';

/**
 * Foolbox 1.8 steps by the distance to the boundary alone. Where pixels are clipped, every step leaves the same share of the distance, and
 * only another target class or rounding ends the approach. Between two classes there is no other target, so each step after the first goes
 * this much farther, as all steps do in the original DeepFool and in Foolbox 3. `step` counts from 1.
 */
const addedInStep = (step: number, classes: number): number => (classes === 2 && step > 1 ? 1e-4 : 0);

/** When an image is finished, the next one takes its row, so every pass of the model stays full. */
export const deepfool = (norm: Norm): Attack<'deepfool-l2' | 'deepfool-linf'> =>
  streaming(async (context, settings) => {
    const { model, images, labels, own } = context;
    const found = createRowStore(labels.length, own);
    const steps = new Int32Array(labels.length);
    const queries = new Int32Array(labels.length);
    const candidates = await likelyClasses(model, images, labels, settings.classes); // [slots][n]
    let rows: Int32Array = new Int32Array(0);
    let x: tf.Tensor2D = own(tf.zeros([0, model.width]));
    let started = 0;
    for (;;) {
      await context.yieldToEventLoop();
      const added = Int32Array.from(
        { length: Math.min(model.batchSize - rows.length, labels.length - started) },
        (_, i) => started + i,
      );
      started += added.length;
      rows = Int32Array.of(...rows, ...added);
      if (rows.length === 0) break;
      x = own(concatRows(x, takeRows(images, added)));
      const z = await takeValues(model.logits(x));
      const classes = classesOf(z, model.classes);
      const fooled = indicesWhere(rows.length, (i) => isMistake(classes[i]!, labels[rows[i]!]!));
      found.put(x, fooled, valuesAt(rows, fooled));
      for (const row of rows) queries[row]!++;
      const isFooled = new Set(fooled);
      const remaining = indicesWhere(
        rows.length,
        (i) => !isFooled.has(i) && steps[rows[i]!]! < settings.steps,
      );
      rows = valuesAt(rows, remaining);
      for (const row of rows) steps[row]!++;
      const here = own(takeRows(x, remaining));
      x.dispose();
      x = own(
        await linearisedStep({
          model,
          x: here,
          z: logitsAt(z, remaining, model.classes),
          labels: valuesAt(labels, rows),
          candidates: candidates.map((slot) => valuesAt(slot, rows)),
          norm,
          stepFactor: 1 + settings.overshoot,
          added: Float64Array.from(rows, (row) => addedInStep(steps[row]!, model.classes)),
        }),
      );
      here.dispose();
    }
    return { adversarials: found.collect(images), steps, queries };
  });

/** The rows of `a`, then the rows of `b`. Disposes of both tensors. */
const concatRows = (a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor2D => {
  const joined = tf.concat(
    [a, b].filter(({ shape }) => shape[0] > 0),
    0,
  );
  tf.dispose([a, b]);
  return joined;
};

const logitsAt = (z: Float32Array, rows: Int32Array, classes: number): Float32Array => {
  const taken = new Float32Array(rows.length * classes);
  rows.forEach((row, i) => {
    taken.set(z.subarray(row * classes, (row + 1) * classes), i * classes);
  });
  return taken;
};

type Linearisation = {
  readonly model: FlatModel;
  /** `[n, width]`. */
  readonly x: tf.Tensor2D;
  /** The logits of `x`, row by row: `n · classes` values. */
  readonly z: Float32Array;
  readonly labels: Int32Array;
  /** The classes whose boundaries are compared, `[slots][n]`: slot j holds one class per row. */
  readonly candidates: readonly Int32Array[];
  readonly norm: Norm;
  /** 1 moves a row onto the boundary; a larger factor moves it beyond. */
  readonly stepFactor: number;
  /** `[n]`: added to the distance of each row, before the factor. With more than 0, a row on the boundary moves too. */
  readonly added: Float64Array;
};

/**
 * One step onto the nearest boundary of the linearised model. With f = z_k − z_y and w = ∂f/∂x, the boundary of class k lies |f| / ‖w‖*
 * away, at |f| / ‖w‖₂² · w (L2) or |f| / ‖w‖₁ · sign(w) (L∞). Returns `x` moved `stepFactor` times as far, clipped to [0, 1]. A row does
 * not move when no candidate has a lower logit than the label.
 */
export const linearisedStep = ({
  model,
  x,
  z,
  labels,
  candidates,
  norm,
  stepFactor,
  added,
}: Linearisation): Promise<tf.Tensor2D> =>
  owning(async (own) => {
    const [n] = x.shape;
    if (n === 0) return x.clone();
    const gradients = own(differenceGradients(model, x, labels, candidates)); // [slots · n, width], slot by slot
    const sizes = await takeValues(dualNorms(gradients, norm));
    const nearest = Int32Array.from({ length: n }, (_, row) => row); // the row itself at first, so that no row takes a NaN from another row
    const lengths = new Float32Array(n);
    for (let row = 0; row < n; row++) {
      let smallest = Number.POSITIVE_INFINITY;
      for (const [slot, classes] of candidates.entries()) {
        const f = Math.fround(
          z[row * model.classes + classes[row]!]! - z[row * model.classes + labels[row]!]!,
        );
        if (!(f < 0 || (f === 0 && added[row]! > 0))) continue;
        const size = sizes[slot * n + row]! + 1e-8;
        const distance = Math.abs(f) / size;
        if (!(distance < smallest)) continue; // a NaN is not nearer
        smallest = distance;
        nearest[row] = slot * n + row;
        lengths[row] = stepFactor * ((distance + added[row]!) / (norm === 'l2' ? size : 1));
      }
    }
    return tf.tidy((): tf.Tensor2D => {
      const w = takeRows(gradients, nearest);
      const direction = norm === 'l2' ? w : signOf(w);
      return tf.clipByValue(x.add(direction.mul(tf.tensor2d(lengths, [n, 1]))), 0, 1);
    });
  });

/** ∂(z_k − z_y)/∂x for the class k of every slot, `[slots · n, width]`. */
const differenceGradients = (
  model: FlatModel,
  x: tf.Tensor2D,
  labels: Int32Array,
  candidates: readonly Int32Array[],
): tf.Tensor2D =>
  tf.tidy(() => {
    const [n, width] = x.shape;
    const cotangents = candidates.map((classes) => differences(classes, labels, model.classes)); // [slots][n, classes]
    if (candidates.length * n > model.batchSize)
      return tf.concat([...model.pullbacks(x, () => cotangents).gradients], 0);
    // For few rows, one pass over a copy of the rows per slot costs less than many small passes.
    const copies = x
      .expandDims<tf.Tensor3D>(0)
      .mul<tf.Tensor3D>(tf.ones([candidates.length, 1, 1]))
      .reshape<tf.Tensor2D>([candidates.length * n, width]);
    const weights = tf.concat(cotangents, 0);
    return model.gradient(copies, (logits) => tf.sum(logits.mul(weights), 1)).gradient;
  });

/** The rows e_k − e_y, `[n, classes]`. */
const differences = (candidates: Int32Array, labels: Int32Array, classes: number): tf.Tensor2D => {
  const values = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => {
    values[row * classes + candidates[row]!] = 1;
    values[row * classes + label] = -1;
  });
  return tf.tensor2d(values, [labels.length, classes]);
};
