/** Defensive distillation (Papernot et al. 2016, §IV): softmax(z / T) of a teacher as the targets of a student, trained at the same T. */
import * as tf from '@tensorflow/tfjs';
import { cleanAccuracyOf, encodeAll, targetsAt } from '../batches.ts';
import { softmaxCrossEntropy } from '../losses.ts';
import { joined } from '../models/architecture.ts';
import { classifierHead, encoder, parseFilters } from '../models/auto-encoders.ts';
import { accuracyOf } from '../training/measure.ts';
import { type Batch, descend, type StageHyperparameters, type StageRecipe } from '../training/stage.ts';
import { classifierOf } from './classify.ts';

/** softmax(z / T), [batch, classes]: the hotter, the more it says about the classes that are not the answer. */
export const softened = (logits: tf.Tensor, temperature: number): tf.Tensor2D =>
  tf.softmax(tf.div(logits as tf.Tensor2D, temperature));

/** The teacher: the student's architecture, on the labels, at temperature T. */
export const initialise: StageRecipe<StageHyperparameters<'distillation', 'initialise'>> = async ({
  hyperparameters,
  image,
  classes,
  train,
  network,
  player,
}) => {
  const encoding = encoder(image, {
    filters: parseFilters(hyperparameters.filters),
    latent: hyperparameters.latent,
  });
  const head = classifierHead(encoding, hyperparameters.classifierUnits, classes);
  const teacher = network('teacher', joined(encoding, head));
  const learner = player('teacher', [teacher], hyperparameters.classifierRate);

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const { labels, oneHot } = targetsAt(train, batch.rows, classes); // [batch], [batch, 10]
    const { classifierLoss, logits } = descend([learner], batch.update, () => {
      const logits = teacher.apply(x); // [batch, 10]
      const loss = softmaxCrossEntropy(tf.div(logits, hyperparameters.temperature), oneHot);
      return { loss, logits, classifierLoss: loss };
    });
    return { classifierLoss, trainAccuracy: accuracyOf(logits, labels) };
  };

  return { networks: { teacher }, frozen: {}, players: { teacher: learner }, step, standsOn: [], makes: [] };
};

/** The student, from fresh weights. It is used at T = 1, where its logits are T times what its training asked for. */
export const classify: StageRecipe<StageHyperparameters<'distillation', 'classify'>> = async (setup) => {
  const { hyperparameters, train, test, classes, network, frozen, signal } = setup;
  const taught = await encodeAll(network('teacher'), train, signal); // the teacher's logits
  const { classifier, networks, learner } = classifierOf(setup);
  const tested = await test();

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const targets = softened(taught(batch.rows), hyperparameters.temperature); // [batch, 10]
    const { classifierLoss, logits } = descend([learner], batch.update, () => {
      const logits = classifier.apply(x); // [batch, 10]
      const loss = softmaxCrossEntropy(tf.div(logits, hyperparameters.temperature), targets);
      return { loss, logits, classifierLoss: loss };
    });
    const { labels } = targetsAt(train, batch.rows, classes);
    return { classifierLoss, trainAccuracy: accuracyOf(logits, labels) };
  };

  return {
    networks,
    frozen: frozen('teacher'),
    players: { classifier: learner },
    step,
    afterEpoch: async () => ({ cleanAccuracy: await cleanAccuracyOf(classifier.apply, tested) }),
    standsOn: [],
    makes: [],
  };
};
