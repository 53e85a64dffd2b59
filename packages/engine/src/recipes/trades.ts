/**
 * TRADES (Zhang et al. 2019, eq. 5 and algorithm 1): cross-entropy on x plus β times the greatest change of the prediction within the
 * L∞ ball around x.
 */
import * as tf from '@tensorflow/tfjs';
import { cleanMeasures, correctOf, targetsAt } from '../batches.ts';
import { divergence, softmaxCrossEntropy } from '../losses.ts';
import { perturb, warmedUpEpsilon } from '../perturb.ts';
import { accuracyOf } from '../training/measure.ts';
import { type Batch, descend, type StageHyperparameters, type StageRecipe } from '../training/stage.ts';
import { trainableClassifier } from './classify.ts';

/** x′ starts at x plus noise of this standard deviation, because the gradient of the divergence is 0 at x itself (algorithm 1). */
const startDeviation = 1e-3;

/** x′ maximises KL(p(x) ‖ p(x′)) in the ball; the weights descend CE(z(x), y) + β·KL(p(x) ‖ p(x′)), with gradients through p(x) and p(x′). */
export const classify: StageRecipe<StageHyperparameters<'trades', 'classify'>> = async (setup) => {
  const { hyperparameters, train, test, classes } = setup;
  const { classifier, networks, adam } = trainableClassifier(setup);
  const testSplit = await test();
  const warmup = hyperparameters.warmupEpochs * Math.ceil(train.count / hyperparameters.batchSize);

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const { labels, oneHot } = targetsAt(train, batch.indices, classes); // [batch], [batch, 10]
    const z = classifier.apply(x) as tf.Tensor2D; // [batch, 10], constant during the attack
    const attack = {
      epsilon: warmedUpEpsilon(hyperparameters.trainingEpsilon, batch.update, warmup),
      steps: hyperparameters.trainingSteps,
      pathLength: hyperparameters.trainingReach,
    };
    const start = tf.add(x, tf.mul(batch.normal(train.shape), startDeviation));
    // [batch, 28, 28, 1]
    const attacked = perturb(x, start, attack, (images) =>
      divergence(z, classifier.apply(images) as tf.Tensor2D),
    );
    const { classifierLoss, divergenceLoss, clean, moved } = descend([adam], batch.update, () => {
      const clean = classifier.apply(x) as tf.Tensor2D; // [batch, 10]
      const moved = classifier.apply(attacked) as tf.Tensor2D; // [batch, 10]
      const classifierLoss = softmaxCrossEntropy(clean, oneHot);
      const divergenceLoss = divergence(clean, moved);
      const loss = tf.add<tf.Scalar>(classifierLoss, tf.mul(divergenceLoss, hyperparameters.tradesBeta));
      return { loss, classifierLoss, divergenceLoss, clean, moved };
    });
    const [trainAccuracy, attackedAccuracy] = [accuracyOf(clean, labels), accuracyOf(moved, labels)];
    return { classifierLoss, divergenceLoss, trainAccuracy, attackedAccuracy };
  };

  return {
    networks,
    frozen: {},
    optimisers: { classifier: adam },
    step,
    afterEpoch: async () => cleanMeasures(await correctOf(classifier.apply, testSplit), testSplit, classes),
  };
};
