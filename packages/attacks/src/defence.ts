/** Defences that reject images (MagNet, detectors): what they answer, and what a perturbation is made against (ADR 6). */
import { type AttackSpec, classesOf } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { type ClassifierModel, checkLogits } from './classifier.ts';
import { createFlatModel, type FlatModel } from './flat-model.ts';
import { pick, positions } from './rows.ts';

/**
 * What the model answers to rows of pixels: the class (`classOf`, which may be none), or `classes`, one beyond the last, where it rejects
 * the image. An image passes only where its suspicion is below 0: one that is NaN rejects it.
 */
export type Judge = (x: tf.Tensor2D, options?: { readonly checked?: boolean }) => Promise<Int32Array>;

/** `checked`: throws ATTACK_INPUT where the outputs are not logits. */
export const createJudge = (model: ClassifierModel, batchSize?: number): Judge => {
  const { classes, defence } = model;
  const answers: ClassifierModel['logits'] = (images) =>
    defence === undefined
      ? model.logits(images)
      : tf.concat([model.logits(images), tf.reshape(defence.suspicion(images), [-1, 1])], 1);
  const flat = createFlatModel({ ...model, logits: answers }, batchSize);
  return async (x, { checked = false } = {}) => {
    const columns = flat.logits(x); // [n, classes], and a column of suspicion where there is a defence
    const values = await columns.data<'float32'>();
    const width = columns.shape[1];
    columns.dispose();
    if (checked)
      checkLogits(
        values.filter((_, at) => at % width < classes),
        classes,
      );
    const predicted = classesOf(values, classes, width);
    if (defence === undefined) return predicted;
    return predicted.map((k, row) => (values[row * width + classes]! < 0 ? k : classes));
  };
};

/**
 * The defence as one classifier, for images of one label: what is rejected counts as the label. The label's logit is
 * max(z_y, max z + s), s the suspicion, so that its margin to a class j is the lesser of z_j − z_y and −s: to fool it is to be
 * misclassified and to pass, and every attack's own loss seeks both (after Carlini & Wagner 2017, Adversarial examples are not easily
 * detected, §3, whose extra class this is).
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

/** Images, by position, and the model that perturbations of them are made against. */
type Targets = { readonly model: FlatModel; readonly rows: Int32Array };

type Given = {
  readonly model: ClassifierModel;
  readonly flat: FlatModel;
  /** `[n, width]`. */
  readonly images: tf.Tensor2D;
  readonly labels: Int32Array;
  /** Positions of the images to attack. */
  readonly attacked: Int32Array;
};

/**
 * Who attacks what. Without a defence, the model; against the defence, the guarded model of each label; against the classifier, that
 * alone, on the images that it gets right itself: one that it gets wrong is no perturbation.
 */
export const targetsOf = async (
  { settings }: AttackSpec,
  { model, flat, images, labels, attacked }: Given,
): Promise<readonly Targets[]> => {
  if (model.defence === undefined) return [{ model: flat, rows: attacked }];
  if (settings.against === 'classifier') {
    const { defence, ...plain } = model;
    const bare = { ...plain, logits: defence.bare };
    const predicted = await createJudge(bare, flat.batchSize)(images);
    const rows = attacked.filter((image) => predicted[image] === labels[image]);
    return [{ model: createFlatModel(bare, flat.batchSize), rows }];
  }
  const own = pick(labels, attacked);
  return [...new Set(own)]
    .sort((a, b) => a - b)
    .map((label) => ({
      model: createFlatModel(guarded(model, label), flat.batchSize),
      rows: pick(
        attacked,
        positions(attacked.length, (i) => own[i] === label),
      ),
    }));
};
