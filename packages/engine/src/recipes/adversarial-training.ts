/**
 * PGD adversarial training (Madry et al. 2018, eq. 2.1). The loss of an image is the greatest loss within the L∞ ball around it. The weights
 * minimise the mean of this loss over the images.
 */
import * as tf from '@tensorflow/tfjs';
import { cleanMeasures, correctOf, targetsAt } from '../batches.ts';
import { softmaxCrossEntropy } from '../losses.ts';
import { perturb, warmedUpEpsilon } from '../perturb.ts';
import { accuracyOf } from '../training/measure.ts';
import { type Batch, descend, type StageHyperparameters, type StageRecipe } from '../training/stage.ts';
import { trainableClassifier } from './classify.ts';

/** Every update is on perturbed images alone, as in §5. */
export const classify: StageRecipe<StageHyperparameters<'adversarial-training', 'classify'>> = async (
  setup,
) => {
  const { hyperparameters, train, test, classes } = setup;
  const { classifier, networks, adam } = trainableClassifier(setup);
  const testSplit = await test();
  const warmup = hyperparameters.warmupEpochs * Math.ceil(train.count / hyperparameters.batchSize);

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const { labels, oneHot } = targetsAt(train, batch.indices, classes); // [batch], [batch, 10]
    const epsilon = warmedUpEpsilon(hyperparameters.trainingEpsilon, batch.update, warmup);
    const loss = (images: tf.Tensor): tf.Scalar =>
      softmaxCrossEntropy(classifier.apply(images) as tf.Tensor2D, oneHot);
    const start = tf.add(x, tf.mul(batch.noise(train.shape), epsilon));
    const attack = {
      epsilon,
      steps: hyperparameters.trainingSteps,
      pathLength: hyperparameters.trainingReach,
    };
    const attacked = epsilon === 0 ? x : perturb(x, start, attack, loss); // [batch, 28, 28, 1]
    const { classifierLoss, logits } = descend([adam], batch.update, () => {
      const logits = classifier.apply(attacked) as tf.Tensor2D; // [batch, 10]
      const loss = softmaxCrossEntropy(logits, oneHot);
      return { loss, logits, classifierLoss: loss };
    });
    return { classifierLoss, attackedAccuracy: accuracyOf(logits, labels) };
  };

  return {
    networks,
    frozen: {},
    optimisers: { classifier: adam },
    step,
    afterEpoch: async () => cleanMeasures(await correctOf(classifier.apply, testSplit), testSplit, classes),
  };
};
