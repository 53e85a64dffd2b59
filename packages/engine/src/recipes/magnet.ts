/** MagNet for MNIST (Meng & Chen 2017, §5.2): two detectors and a reformer before a classifier that knows of neither. */
import * as tf from '@tensorflow/tfjs';
import { eachImage, rightOf, shareOf } from '../batches.ts';
import { holdOut, magnetSuspicion, marksOf, thresholdNames, thresholdOf } from '../classifier.ts';
import { meanPixel } from '../datasets/split.ts';
import { distances } from '../losses.ts';
import { firstReformer, secondReformer } from '../models/auto-encoders.ts';
import { type Batch, descend, type StageHyperparameters, type StageRecipe } from '../training/stage.ts';
import { classifierOf, plainStep } from './classify.ts';

/** The bias of a σ that shows `mean` everywhere, kept away from where σ is flat. */
const biasOf = (mean: number): number => {
  const bounded = Math.min(0.98, Math.max(0.02, mean));
  return Math.log(bounded / (1 - bounded));
};

/** Both auto-encoders learn to rebuild x from x + noise, on all training images but those that thresholds are set on. */
export const initialise: StageRecipe<StageHyperparameters<'magnet', 'initialise'>> = async ({
  hyperparameters,
  image,
  train,
  network,
  player,
}) => {
  const { rest } = holdOut(train);
  const bias = biasOf(meanPixel(rest));
  const reformer = network('reformer', firstReformer(image), bias);
  const second = network('second-reformer', secondReformer(image), bias);
  const players = {
    reformer: player('reformer', [reformer], hyperparameters.reformerRate),
    second: player('second', [second], hyperparameters.reformerRate),
  };

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const noise = tf.mul(batch.normal(rest.shape), hyperparameters.reformerNoise);
    const noisy = tf.clipByValue(tf.add(x, noise), 0, 1);
    return descend([players.reformer, players.second], batch.update, () => {
      const reformerLoss = tf.mean<tf.Scalar>(distances.mse(reformer.apply(noisy), x));
      const secondReformerLoss = tf.mean<tf.Scalar>(distances.mse(second.apply(noisy), x));
      const loss = tf.add<tf.Scalar>(reformerLoss, secondReformerLoss); // each moves its own weights alone
      return { loss, reformerLoss, secondReformerLoss };
    });
  };

  return {
    networks: { reformer, 'second-reformer': second },
    frozen: {},
    players,
    split: rest,
    step,
    standsOn: [],
    makes: [],
  };
};

/** The classifier, on clean images as they are. Thresholds: what rejects `dropRate` of the images held out. */
export const classify: StageRecipe<StageHyperparameters<'magnet', 'classify'>> = async (setup) => {
  const { hyperparameters, train, test, classes, network, frozen } = setup;
  const [reformer, second] = [network('reformer'), network('second-reformer')];
  const { classifier, networks, learner } = classifierOf(setup);
  const { held } = holdOut(train);
  const marks = marksOf(reformer, second);
  const thresholds = [
    thresholdOf(await eachImage(held, marks[0]), hyperparameters.dropRate),
    thresholdOf(await eachImage(held, marks[1]), hyperparameters.dropRate),
  ] as const;
  const tested = await test();
  const passes = (await eachImage(tested, magnetSuspicion(marks, thresholds))).map((s) => Number(s < 0));

  return {
    networks,
    frozen: frozen('reformer', 'second-reformer'),
    players: { classifier: learner },
    step: plainStep(classifier, learner, train, classes),
    afterEpoch: async () => {
      const bare = await rightOf(classifier.apply, tested);
      const reformed = await rightOf((x) => classifier.apply(reformer.apply(x)), tested);
      return {
        bareAccuracy: shareOf(bare),
        rejectedShare: 1 - shareOf(passes),
        cleanAccuracy: shareOf(reformed.map((right, i) => right * passes[i]!)),
      };
    },
    scalars: () => ({
      [thresholdNames.reformer]: thresholds[0],
      [thresholdNames.secondReformer]: thresholds[1],
    }),
    standsOn: [],
    makes: [],
  };
};
