/**
 * FUNN (Vigouroux & Picard): two auto-encoders play against each other, the attacker Att(x) = G_a([E_a(x), u]) and the defender
 * Def(x) = G_d(E_d(x)). E are encoders, G generators, u is uniform noise, and L is the distance that `lossScale` names.
 */

import type { Hyperparameters } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { meanPixel } from '../datasets/split.ts';
import { distances } from '../distances/registry.ts';
import { scaleGradient } from '../losses.ts';
import { biasOfMean, encoder, generator, noiseShape, withNoise } from '../models/auto-encoders.ts';
import { type Batch, descend, type StageHyperparameters, type StageRecipe } from '../training/stage.ts';

/**
 * Initialisation (§3.2): both learn to rebuild images, without constraint (5). The attacker descends L(Att(x), x), eq. 3. The defender
 * descends L(x, Def(Att(x))), eq. 4, where Att(x) is constant and comes from the weights before the attacker's update.
 */
export const initialise: StageRecipe<StageHyperparameters<'funn', 'initialise'>> = async ({
  hyperparameters,
  image,
  train,
  network,
  optimiser,
}) => {
  const bias = biasOfMean(await meanPixel(train));
  const [E_a, G_a] = [
    network('attacker-encoder', encoder(image, hyperparameters)),
    network('attacker-generator', generator(image, hyperparameters, hyperparameters.noise), bias),
  ];
  const [E_d, G_d] = [
    network('defender-encoder', encoder(image, hyperparameters)),
    network('defender-generator', generator(image, hyperparameters), bias),
  ];
  const attacker = optimiser('attacker', [E_a, G_a], hyperparameters.initialiseAttackerRate);
  const defender = optimiser('defender', [E_d, G_d], hyperparameters.initialiseDefenderRate);
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
    const defenderInput = hyperparameters.defenderInput === 'attacked' ? attacked : x;
    const { defenderLoss } = descend([defender], batch.update, () => {
      const loss = tf.mean<tf.Scalar>(L(G_d.apply(E_d.apply(defenderInput)), x));
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
    optimisers: { attacker, defender },
    step,
    // The loss that the defender reached. A β below it never activates the hinge.
    scalars: (metrics) => ({ defenderFloor: metrics.defenderLoss! }),
    producesAutoEncoders: ['attacker', 'defender'],
  };
};

/** P′ = dP/dL of the attacker's penalty P, in units of γ: 0 where the hinge is not active. */
const slopes: Record<Hyperparameters['penalty'], (loss: tf.Tensor, beta: number) => tf.Tensor> = {
  /** P = max(β − L, 0), which enforces constraint (5). */
  constraint: (loss, beta) => tf.neg(tf.step(tf.sub(beta, loss))),
  /** P = max(L − β, 0), as the paper prints it. It penalises L > β, which constraint (5) demands. */
  printed: (loss, beta) => tf.step(tf.sub(loss, beta)),
};

/**
 * Optimisation (§3.2): E_a and G_d do not change. The attacker descends L(Att(x), x) + γ·P(L(x, Def(Att(x)))), eq. 5 with its constraint
 * as a penalty. The defender descends L(x, Def(Att(x))), eq. 4. Both losses depend on the same Def(Att(x)), so one pass serves both: between
 * Att and Def, `scaleGradient` multiplies the gradient by γ·P′, which turns the defender's gradient into the attacker's.
 */
export const optimise: StageRecipe<StageHyperparameters<'funn', 'optimise'>> = async ({
  hyperparameters,
  start,
  network,
  frozen,
  optimiser,
  outputsOf,
}) => {
  const [E_a, G_a] = [network('attacker-encoder'), network('attacker-generator')];
  const [E_d, G_d] = [network('defender-encoder'), network('defender-generator')];
  const attacker = optimiser('attacker', [G_a], hyperparameters.optimiseAttackerRate);
  const defender = optimiser('defender', [E_d], hyperparameters.optimiseDefenderRate);
  const L = distances[hyperparameters.lossScale];
  const { gamma } = hyperparameters;
  const beta =
    hyperparameters.betaUnit === 'floor'
      ? hyperparameters.beta * start!.manifest.scalars.defenderFloor!
      : hyperparameters.beta;
  const noise = noiseShape(E_a, G_a);
  const codesOf = await outputsOf(E_a);

  const step = (batch: Batch) => {
    const x = batch.images(); // [batch, 28, 28, 1]
    const z = withNoise(codesOf(batch), batch.noise(noise)); // [E_a(x), u]: [batch, 64 + 16]
    return descend([attacker, defender], batch.update, (keep) => {
      let penaltySlope: tf.Tensor; // γ·P′, [] or [batch, 1, 1, 1]: known only after L
      const attacked = G_a.apply(z); // Att(x): [batch, 28, 28, 1]
      const rebuilt = G_d.apply(E_d.apply(scaleGradient(attacked, () => penaltySlope))); // Def(Att(x)): [batch, 28, 28, 1]
      const [attackerL, defenderL] = [L(attacked, x), L(rebuilt, x)]; // [batch]
      const [attackerLoss, defenderLoss] = [tf.mean<tf.Scalar>(attackerL), tf.mean<tf.Scalar>(defenderL)];
      const hingeInput =
        hyperparameters.hinge === 'batch' ? defenderLoss : tf.reshape(defenderL, [-1, 1, 1, 1]);
      const slope = slopes[hyperparameters.penalty](hingeInput, beta);
      penaltySlope = keep(tf.mul(slope, gamma));
      const hingeActive = tf.max<tf.Scalar>(tf.abs(slope));
      return { loss: tf.add<tf.Scalar>(attackerLoss, defenderLoss), attackerLoss, defenderLoss, hingeActive };
    });
  };

  return {
    networks: { 'attacker-generator': G_a, 'defender-encoder': E_d },
    frozen: frozen('attacker-encoder', 'defender-generator'),
    optimisers: { attacker, defender },
    step,
    dependsOnAutoEncoders: ['attacker', 'defender'],
    producesAutoEncoders: ['defender'],
  };
};
