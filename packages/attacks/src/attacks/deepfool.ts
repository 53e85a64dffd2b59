/**
 * DeepFool (Moosavi-Dezfooli et al. 2016) with the semantics of Foolbox 1.8 (`foolbox/attacks/deepfool.py`): candidates fixed from the
 * clean image, 5 % overshoot on every step, clipping that feeds back into the next linearisation, stop at the first adversarial iterate.
 */
import { classesOf, isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { type Attack, streaming } from '../attack.ts';
import type { Norm } from '../norms.ts';
import { createRowStore, pick, positions, takeRows } from '../rows.ts';
import { likelyClasses } from './likely-classes.ts';
import { linearise } from './linearise.ts';

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
