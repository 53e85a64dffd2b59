/** The classic auto-encoder, the baseline of Table 2 (Vigouroux & Picard, §4.2): the defender without an attacker. */
import * as tf from '@tensorflow/tfjs';
import { meanPixel } from '../datasets/split.ts';
import { distances } from '../distances/registry.ts';
import { biasOfMean, encoder, generator } from '../models/auto-encoders.ts';
import { type Batch, descend, type StageHyperparameters, type StageRecipe } from '../training/stage.ts';

/** The defender descends L(x, Def(x)). It starts from the same weights as FUNN's defender. */
export const initialise: StageRecipe<StageHyperparameters<'classic', 'initialise'>> = async ({
  hyperparameters,
  image,
  train,
  network,
  optimiser,
}) => {
  const bias = biasOfMean(await meanPixel(train));
  const [E, G] = [
    network('defender-encoder', encoder(image, hyperparameters)),
    network('defender-generator', generator(image, hyperparameters), bias),
  ];
  const defender = optimiser('defender', [E, G], hyperparameters.initialiseDefenderRate);
  const L = distances[hyperparameters.lossScale];

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    return descend([defender], batch.update, () => {
      const loss = tf.mean<tf.Scalar>(L(G.apply(E.apply(x)), x));
      return { loss, defenderLoss: loss };
    });
  };

  return {
    networks: { 'defender-encoder': E, 'defender-generator': G },
    frozen: {},
    optimisers: { defender },
    step,
    scalars: (metrics) => ({ defenderFloor: metrics.defenderLoss! }),
    producesAutoEncoders: ['defender'],
  };
};
