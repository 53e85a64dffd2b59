/**
 * Defences that reject images (MagNet, detectors): the class that the defended model gives, and the model that an attack works against (ADR
 * 6).
 */
import { type AttackSpec, classesOf } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { indicesWhere, valuesAt } from './batch-rows.ts';
import type { ClassifierModel } from './classifier.ts';
import { createFlatModel, type FlatModel } from './flat-model.ts';
import { type Images, partsOf, takeImages } from './input.ts';
import { owning, takeValues } from './ownership.ts';

/**
 * `[n, width]` → `[n]`: the class of each row (`classOf`, which may be `noClass`), or the number `classes` when the defence rejects the
 * row. A defence rejects an image unless its suspicion is below 0; a NaN therefore rejects it. `onLogits` gets the logits, `[n, classes]`.
 */
export type Predict = (x: tf.Tensor2D, onLogits?: (logits: Float32Array) => void) => Promise<Int32Array>;

export const createPredictor = (model: ClassifierModel, batchSize?: number): Predict => {
  const { classes, defence } = model;
  const withSuspicion: ClassifierModel['logits'] = (images) =>
    defence === undefined
      ? model.logits(images)
      : tf.concat([model.logits(images), tf.reshape(defence.suspicion(images), [-1, 1])], 1);
  // The suspicion is one more column.
  const width = classes + (defence === undefined ? 0 : 1);
  const flat = createFlatModel({ ...model, classes: width, logits: withSuspicion }, batchSize);
  return async (x, onLogits) => {
    const values = await takeValues(flat.logits(x)); // [n, classes], and one more column with a defence
    onLogits?.(defence === undefined ? values : values.filter((_, at) => at % width < classes));
    const predicted = classesOf(values, classes, width);
    if (defence === undefined) return predicted;
    return predicted.map((k, row) => (values[row * width + classes]! < 0 ? k : classes));
  };
};

type PredictAllOptions = {
  /** Images of one pass. */
  readonly batchSize: number;
  readonly yieldToEventLoop: () => Promise<void>;
};

/** `[images.count]`: what `predict` gives for all images. */
export const predictAll = async (
  predict: (x: tf.Tensor2D) => Promise<Int32Array>,
  images: Images,
  { batchSize, yieldToEventLoop }: PredictAllOptions,
): Promise<Int32Array> => {
  const classes = new Int32Array(images.count);
  for (const rows of partsOf(images.count, batchSize)) {
    await yieldToEventLoop();
    classes.set(await owning((own) => predict(own(takeImages(images, rows)))), rows[0]);
  }
  return classes;
};

/** The rows of some images, and the model that the attack works against for these images. */
type Target = { readonly model: FlatModel; readonly rows: Int32Array };

type Defended = {
  readonly model: ClassifierModel;
  readonly flat: FlatModel;
  readonly images: Images;
  readonly labels: Int32Array;
  /** The rows of the images to attack. */
  readonly attacked: Int32Array;
  readonly yieldToEventLoop: () => Promise<void>;
};

/**
 * Chooses the models that the attack works against, and the images for each model:
 * without a defence the model itself, for all images;
 * with `against: defence` one guarded model per label;
 * with `against: classifier` the bare classifier, for the images that this classifier classifies correctly: the others need no attack.
 */
export const planTargets = async (
  { settings }: AttackSpec,
  { model, flat, images, labels, attacked, yieldToEventLoop }: Defended,
): Promise<readonly Target[]> => {
  if (model.defence === undefined) return [{ model: flat, rows: attacked }];
  if (settings.against === 'classifier') {
    const { defence, ...plain } = model;
    const bare = { ...plain, logits: defence.bare };
    const { batchSize } = flat;
    const predict = createPredictor(bare, batchSize);
    const predicted = await predictAll(predict, images, { batchSize, yieldToEventLoop });
    const rows = attacked.filter((image) => predicted[image] === labels[image]);
    return [{ model: createFlatModel(bare, batchSize), rows }];
  }
  const attackedLabels = valuesAt(labels, attacked);
  return [...new Set(attackedLabels)]
    .sort((a, b) => a - b)
    .map((label) => ({
      model: createFlatModel(guarded(model, label), flat.batchSize),
      rows: valuesAt(
        attacked,
        indicesWhere(attacked.length, (i) => attackedLabels[i] === label),
      ),
    }));
};

/**
 * The classifier and its defence as one classifier, for images of one label y. It gives a rejected image the class y. The logit of y is
 * max(z_y, max z + s) with the suspicion s, so the margin of y over a class j is the smaller of z_j − z_y and −s. An attack fools this
 * classifier only with an image that is misclassified and accepted, and the loss of every attack asks for both. The extra class of
 * Carlini & Wagner 2017, "Adversarial examples are not easily detected", §3, does the same.
 */
const guarded = (model: ClassifierModel, label: number): ClassifierModel => ({
  ...model,
  logits: (images) => {
    const z = model.logits(images); // [n, classes]
    const rejection = tf.add(tf.max(z, 1, true), tf.reshape(model.defence!.suspicion(images), [-1, 1])); // [n, 1]
    const own = tf.slice(z, [0, label], [-1, 1]);
    const atLabel = tf.oneHot(tf.tensor1d([label], 'int32'), model.classes).toFloat(); // [1, classes]
    return tf.add(z, tf.mul(tf.relu(tf.sub(rejection, own)), atLabel));
  },
});
