/** PGD adversarial training (Madry et al. 2018): min over weights of the mean over images of the max over the ball, eq. 2.1. */
import * as tf from '@tensorflow/tfjs';
import { cleanAccuracyOf, targetsAt } from '../batches.ts';
import { softmaxCrossEntropy } from '../losses.ts';
import { perturb, warmed } from '../perturb.ts';
import { accuracyOf } from '../training/measure.ts';
import { type Batch, descend, type StageHyperparameters, type StageRecipe } from '../training/stage.ts';
import { classifierOf } from './classify.ts';

/** Every update is on perturbed images alone, as in §5: a clean image is one that the attacker left as it was. */
export const classify: StageRecipe<StageHyperparameters<'adversarial-training', 'classify'>> = async (
  setup,
) => {
  const { hyperparameters, train, test, classes } = setup;
  const { classifier, networks, learner } = classifierOf(setup);
  const tested = await test();
  const warmup = hyperparameters.warmupEpochs * Math.ceil(train.count / hyperparameters.batchSize);

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const { labels, oneHot } = targetsAt(train, batch.rows, classes); // [batch], [batch, 10]
    const epsilon = warmed(hyperparameters.trainingEpsilon, batch.update, warmup);
    const loss = (images: tf.Tensor): tf.Scalar =>
      softmaxCrossEntropy(classifier.apply(images) as tf.Tensor2D, oneHot);
    const start = tf.add(x, tf.mul(batch.noise(train.shape), epsilon));
    const attack = { epsilon, steps: hyperparameters.trainingSteps, reach: hyperparameters.trainingReach };
    const attacked = epsilon === 0 ? x : perturb(x, start, attack, loss); // [batch, 28, 28, 1]
    const { classifierLoss, logits } = descend([learner], batch.update, () => {
      const logits = classifier.apply(attacked) as tf.Tensor2D; // [batch, 10]
      const loss = softmaxCrossEntropy(logits, oneHot);
      return { loss, logits, classifierLoss: loss };
    });
    return { classifierLoss, attackedAccuracy: accuracyOf(logits, labels) };
  };

  return {
    networks,
    frozen: {},
    players: { classifier: learner },
    step,
    afterEpoch: async () => ({ cleanAccuracy: await cleanAccuracyOf(classifier.apply, tested) }),
    standsOn: [],
    makes: [],
  };
};
