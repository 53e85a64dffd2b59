/** MagNet for MNIST (Meng & Chen 2017, §5.2): two detectors and a reformer before a classifier that is trained without them. */
import * as tf from '@tensorflow/tfjs';
import { cleanMeasures, correctOf, eachImage, shareOf } from '../batches.ts';
import { holdOut, magnetScores, magnetSuspicion, thresholdNames, thresholdOf } from '../classifier.ts';
import { meanPixel } from '../datasets/split.ts';
import { distances } from '../distances/registry.ts';
import { firstReformer, secondReformer } from '../models/auto-encoders.ts';
import { type Batch, descend, type StageHyperparameters, type StageRecipe } from '../training/stage.ts';
import { plainStep, trainableClassifier } from './classify.ts';

/** The bias b with σ(b) = `mean`. `mean` is limited to [0.02, 0.98], because σ is flat beyond. */
const biasOf = (mean: number): number => {
  const bounded = Math.min(0.98, Math.max(0.02, mean));
  return Math.log(bounded / (1 - bounded));
};

/** Both auto-encoders learn to rebuild x from x + noise, on the training images that are not held out for the thresholds. */
export const initialise: StageRecipe<StageHyperparameters<'magnet', 'initialise'>> = async ({
  hyperparameters,
  image,
  train,
  network,
  optimiser,
}) => {
  const { rest } = holdOut(train);
  const bias = biasOf(await meanPixel(rest));
  const reformer = network('reformer', firstReformer(image), bias);
  const second = network('second-reformer', secondReformer(image), bias);
  const optimisers = {
    reformer: optimiser('reformer', [reformer], hyperparameters.reformerRate),
    second: optimiser('second', [second], hyperparameters.reformerRate),
  };

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const noise = tf.mul(batch.normal(rest.shape), hyperparameters.reformerNoise);
    const noisy = tf.clipByValue(tf.add(x, noise), 0, 1);
    return descend([optimisers.reformer, optimisers.second], batch.update, () => {
      const reformerLoss = tf.mean<tf.Scalar>(distances.mse(reformer.apply(noisy), x));
      const secondReformerLoss = tf.mean<tf.Scalar>(distances.mse(second.apply(noisy), x));
      const loss = tf.add<tf.Scalar>(reformerLoss, secondReformerLoss); // each term has weights of its own
      return { loss, reformerLoss, secondReformerLoss };
    });
  };

  return {
    networks: { reformer, 'second-reformer': second },
    frozen: {},
    optimisers,
    split: rest,
    step,
  };
};

/** The classifier, on clean images. The thresholds reject the share `dropRate` of the images that were held out. */
export const classify: StageRecipe<StageHyperparameters<'magnet', 'classify'>> = async (setup) => {
  const { hyperparameters, train, test, classes, network, frozen } = setup;
  const [reformer, second] = [network('reformer'), network('second-reformer')];
  const { classifier, networks, adam } = trainableClassifier(setup);
  const { heldOut } = holdOut(train);
  const scores = magnetScores(reformer, second);
  const thresholds = [
    thresholdOf(await eachImage(heldOut, scores[0]), hyperparameters.dropRate),
    thresholdOf(await eachImage(heldOut, scores[1]), hyperparameters.dropRate),
  ] as const;
  const testSplit = await test();
  const passes = (await eachImage(testSplit, magnetSuspicion(scores, thresholds))).map((s) => Number(s < 0));

  return {
    networks,
    frozen: frozen('reformer', 'second-reformer'),
    optimisers: { classifier: adam },
    step: plainStep(classifier, adam, train, classes),
    afterEpoch: async () => {
      const bare = await correctOf(classifier.apply, testSplit);
      const reformed = await correctOf((x) => classifier.apply(reformer.apply(x)), testSplit);
      return {
        bareAccuracy: shareOf(bare),
        rejectedShare: 1 - shareOf(passes),
        ...cleanMeasures(
          reformed.map((correct, i) => correct * passes[i]!),
          testSplit,
          classes,
        ),
      };
    },
    scalars: () => ({
      [thresholdNames.reformer]: thresholds[0],
      [thresholdNames.secondReformer]: thresholds[1],
    }),
  };
};
