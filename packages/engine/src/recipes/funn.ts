/**
 * FUNN (Vigouroux & Picard): two auto-encoders against each other, the attacker Att = G_a([E_a(x), u]) and the defender
 * Def = G_d(E_d(x)). L is the `lossScale` of two batches of images, u uniform noise.
 */

import type { Hyperparameters } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { encodeAll } from '../batches.ts';
import { meanPixel } from '../datasets/split.ts';
import { distances, scaleGradient } from '../losses.ts';
import {
  biasOfMean,
  encoder,
  generator,
  noiseShape,
  parseFilters,
  withNoise,
} from '../models/auto-encoders.ts';
import { type Batch, descend, type StageHyperparameters, type StageRecipe } from '../training/stage.ts';

/**
 * Initialisation (§3.2): both learn to rebuild images, without constraint (5). The attacker descends L(Att(x), x), eq. 3; the defender
 * L(x, Def(Att(x))), eq. 4, in which Att(x) is data. Both step from the weights that the batch met.
 */
export const initialise: StageRecipe<StageHyperparameters<'funn', 'initialise'>> = async ({
  hyperparameters,
  image,
  train,
  network,
  player,
}) => {
  const sizes = { filters: parseFilters(hyperparameters.filters), latent: hyperparameters.latent };
  const bias = biasOfMean(meanPixel(train));
  const [E_a, G_a] = [
    network('attacker-encoder', encoder(image, sizes)),
    network('attacker-generator', generator(image, sizes, hyperparameters.noise), bias),
  ];
  const [E_d, G_d] = [
    network('defender-encoder', encoder(image, sizes)),
    network('defender-generator', generator(image, sizes), bias),
  ];
  const attacker = player('attacker', [E_a, G_a], hyperparameters.initialiseAttackerRate);
  const defender = player('defender', [E_d, G_d], hyperparameters.initialiseDefenderRate);
  const L = distances[hyperparameters.lossScale];
  const noise = noiseShape(E_a, G_a);

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const u = batch.noise(noise); // [batch, 16]
    const { attacked, attackerLoss } = descend([attacker], batch.update, () => {
      const attacked = G_a.apply(withNoise(E_a.apply(x), u)); // Att(x): [batch, 28, 28, 1]
      const loss = tf.mean<tf.Scalar>(L(attacked, x));
      return { loss, attacked, attackerLoss: loss };
    });
    const seen = hyperparameters.defenderInput === 'attacked' ? attacked : x;
    const { defenderLoss } = descend([defender], batch.update, () => {
      const loss = tf.mean<tf.Scalar>(L(G_d.apply(E_d.apply(seen)), x));
      return { loss, defenderLoss: loss };
    });
    return { attackerLoss, defenderLoss };
  };

  return {
    networks: {
      'attacker-encoder': E_a,
      'attacker-generator': G_a,
      'defender-encoder': E_d,
      'defender-generator': G_d,
    },
    frozen: {},
    players: { attacker, defender },
    step,
    // The defender's floor: a β below it never bites.
    scalars: (metrics) => ({ defenderFloor: metrics.defenderLoss! }),
    standsOn: [],
    makes: ['attacker', 'defender'],
  };
};

/** dP/dL of the attacker's penalty P, in units of γ; zero where the hinge is not active. */
const slopes: Record<Hyperparameters['penalty'], (loss: tf.Tensor, beta: number) => tf.Tensor> = {
  /** P = max(β − L, 0), which enforces constraint (5). */
  constraint: (loss, beta) => tf.neg(tf.step(tf.sub(beta, loss))),
  /** P = max(L − β, 0), as printed: it charges the attacker for what constraint (5) asks of it. */
  printed: (loss, beta) => tf.step(tf.sub(loss, beta)),
};

/**
 * Optimisation (§3.2): E_a and G_d stay as they are. The attacker descends L(Att(x), x) + γ·P(L(x, Def(Att(x)))), eq. 5 relaxed; the
 * defender descends L(x, Def(Att(x))), eq. 4. Both losses hang on the same Def(Att(x)), so one pass serves both: a node between Att
 * and Def multiplies the gradient on its way back by γ·P′, which turns the defender's gradient into the attacker's.
 */
export const optimise: StageRecipe<StageHyperparameters<'funn', 'optimise'>> = async ({
  hyperparameters,
  start,
  train,
  network,
  frozen,
  player,
  signal,
}) => {
  const [E_a, G_a] = [network('attacker-encoder'), network('attacker-generator')];
  const [E_d, G_d] = [network('defender-encoder'), network('defender-generator')];
  const attacker = player('attacker', [G_a], hyperparameters.optimiseAttackerRate);
  const defender = player('defender', [E_d], hyperparameters.optimiseDefenderRate);
  const L = distances[hyperparameters.lossScale];
  const { gamma } = hyperparameters;
  const beta =
    hyperparameters.betaUnit === 'floor'
      ? hyperparameters.beta * start!.manifest.scalars.defenderFloor!
      : hyperparameters.beta;
  const noise = noiseShape(E_a, G_a);
  const codes = await encodeAll(E_a, train, signal);

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const z = withNoise(codes(batch.rows), batch.noise(noise)); // [E_a(x), u]: [batch, 64 + 16]
    return descend([attacker, defender], batch.update, (hold) => {
      let pressure: tf.Tensor; // γ·P′, known once L is
      const attacked = G_a.apply(z); // Att(x): [batch, 28, 28, 1]
      const rebuilt = G_d.apply(E_d.apply(scaleGradient(attacked, () => pressure))); // Def(Att(x))
      const [attackerL, defenderL] = [L(attacked, x), L(rebuilt, x)]; // [batch]
      const [attackerLoss, defenderLoss] = [tf.mean<tf.Scalar>(attackerL), tf.mean<tf.Scalar>(defenderL)];
      const judged = hyperparameters.hinge === 'batch' ? defenderLoss : tf.reshape(defenderL, [-1, 1, 1, 1]);
      const slope = slopes[hyperparameters.penalty](judged, beta);
      pressure = hold(tf.mul(slope, gamma));
      const hingeActive = tf.max<tf.Scalar>(tf.abs(slope));
      return { loss: tf.add<tf.Scalar>(attackerLoss, defenderLoss), attackerLoss, defenderLoss, hingeActive };
    });
  };

  return {
    networks: { 'attacker-generator': G_a, 'defender-encoder': E_d },
    frozen: frozen('attacker-encoder', 'defender-generator'),
    players: { attacker, defender },
    step,
    standsOn: ['attacker', 'defender'],
    makes: ['defender'],
  };
};
