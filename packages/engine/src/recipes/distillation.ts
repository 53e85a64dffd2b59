/** Defensive distillation (Papernot et al. 2016, §IV): a student learns softmax(z / T) of a teacher, at the same temperature T. */
import * as tf from '@tensorflow/tfjs';
import { cleanMeasures, correctOf, targetsAt } from '../batches.ts';
import { softmaxCrossEntropy } from '../losses.ts';
import { joined } from '../models/architecture.ts';
import { classifierHead, encoder } from '../models/auto-encoders.ts';
import { accuracyOf } from '../training/measure.ts';
import { type Batch, descend, type StageHyperparameters, type StageRecipe } from '../training/stage.ts';
import { trainableClassifier } from './classify.ts';

/** softmax(z / T): [batch, classes] → the same. A higher T gives more weight to the less likely classes. */
export const softened = (logits: tf.Tensor, temperature: number): tf.Tensor2D =>
  tf.softmax(tf.div(logits as tf.Tensor2D, temperature));

/** The teacher: the architecture of the student, trained on the labels at temperature T. */
export const initialise: StageRecipe<StageHyperparameters<'distillation', 'initialise'>> = async ({
  hyperparameters,
  image,
  classes,
  train,
  network,
  optimiser,
}) => {
  const encoding = encoder(image, hyperparameters);
  const head = classifierHead(encoding, hyperparameters.classifierUnits, classes);
  const teacher = network('teacher', joined(encoding, head));
  const adam = optimiser('teacher', [teacher], hyperparameters.classifierRate);

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const { labels, oneHot } = targetsAt(train, batch.indices, classes); // [batch], [batch, 10]
    const { classifierLoss, logits } = descend([adam], batch.update, () => {
      const logits = teacher.apply(x); // [batch, 10]
      const loss = softmaxCrossEntropy(tf.div(logits, hyperparameters.temperature), oneHot);
      return { loss, logits, classifierLoss: loss };
    });
    return { classifierLoss, trainAccuracy: accuracyOf(logits, labels) };
  };

  return { networks: { teacher }, frozen: {}, optimisers: { teacher: adam }, step };
};

/** Trains the student, which starts with new weights. In training its logits are divided by T; afterwards they are not. */
export const classify: StageRecipe<StageHyperparameters<'distillation', 'classify'>> = async (setup) => {
  const { hyperparameters, train, test, classes, network, frozen, outputsOf } = setup;
  const teacherLogits = await outputsOf(network('teacher'));
  const { classifier, networks, adam } = trainableClassifier(setup);
  const testSplit = await test();

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const targets = softened(teacherLogits(batch), hyperparameters.temperature); // [batch, 10]
    const { classifierLoss, logits } = descend([adam], batch.update, () => {
      const logits = classifier.apply(x); // [batch, 10]
      const loss = softmaxCrossEntropy(tf.div(logits, hyperparameters.temperature), targets);
      return { loss, logits, classifierLoss: loss };
    });
    const { labels } = targetsAt(train, batch.indices, classes);
    return { classifierLoss, trainAccuracy: accuracyOf(logits, labels) };
  };

  return {
    networks,
    frozen: frozen('teacher'),
    optimisers: { classifier: adam },
    step,
    afterEpoch: async () => cleanMeasures(await correctOf(classifier.apply, testSplit), testSplit, classes),
  };
};
