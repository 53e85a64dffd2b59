/**
 * Fast minimum norm (Pintor et al. 2021, Algorithm 1): gradient steps on the margin inside a ball whose radius shrinks while the point is
 * adversarial and grows while it is not. L2 points are projected on that ball, as the paper says; Foolbox 3.3.4 forgets to.
 */
import type { AttackSettings } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { type Best, improve, isAdversarial, never, startBest } from '../best.ts';
import { margin } from '../losses.ts';
import { dualNorms, type Norm, project, rowNorms } from '../norms.ts';
import { chooseRows, oneHot } from '../rows.ts';

type State = {
  readonly x: tf.Tensor2D;
  /** `[n, 1]` each. */
  readonly epsilon: tf.Tensor2D;
  readonly found: tf.Tensor2D;
  readonly best: Best;
};

const leastGamma = 0.001;

export const fmn =
  (norm: Norm): Attack<'fmn-l2' | 'fmn-linf'> =>
  async (context, settings) => {
    const { images, labels, model } = context;
    const truth = oneHot(labels, model.classes);
    const worst = tf.tidy(() => rowNorms(tf.maximum(images, tf.sub(1, images)), norm)); // the farthest corner, [n, 1]
    let state: State = tf.tidy(() => ({
      x: images.clone(),
      epsilon: worst.clone(),
      found: tf.zerosLike(worst),
      best: startBest(images),
    }));
    for (let step = 0; step < settings.steps; step++) {
      await context.breathe();
      const next: State = tf.tidy(() => advance(context, norm, settings, truth, worst, state, step));
      tf.dispose([state.x, state.epsilon, state.found, state.best.x, state.best.distance]);
      state = next;
    }
    const logits = model.logits(state.x);
    const adversarials = tf.tidy(
      () => improve(state.best, state.x, images, isAdversarial(logits, labels), norm).x,
    );
    tf.dispose([
      truth,
      worst,
      logits,
      state.x,
      state.epsilon,
      state.found,
      state.best.x,
      state.best.distance,
    ]);
    const steps = new Int32Array(labels.length).fill(settings.steps);
    return { adversarials, steps, queries: steps.map((count) => count + 1) };
  };

/** From 1 down to 0 over the steps. */
const cosine = (step: number, steps: number): number => (1 + Math.cos((Math.PI * step) / steps)) / 2;

/** 1 where a pixel is not yet at the bound that the gradient pushes it to: only these bring the boundary nearer. */
const canMove = (x: tf.Tensor2D, gradient: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => {
    const up = tf.greater(gradient, 0).toFloat();
    return up.mul(tf.less(x, 1)).add(tf.sub(1, up).mul(tf.greater(x, 0)));
  });

const advance = (
  { model, images, labels }: AttackContext,
  norm: Norm,
  settings: AttackSettings<'fmn-l2'>,
  truth: tf.Tensor2D,
  worst: tf.Tensor2D,
  state: State,
  step: number,
): State => {
  const decay = cosine(step, settings.steps);
  const stepSize = settings.stepSize * (0.01 + 0.99 * decay);
  const gamma = leastGamma + (settings.gamma - leastGamma) * decay;
  const { logits, gradient } = model.gradient(state.x, margin(truth));
  const adversarial = isAdversarial(logits, labels); // [n, 1]
  const best = improve(state.best, state.x, images, adversarial, norm);
  const found = tf.maximum(state.found, adversarial) as tf.Tensor2D; // [n, 1]
  // Before the first hit the radius reaches for the linearised boundary; after it, it follows the hits.
  const gap = tf.abs(margin(truth)(logits)).expandDims(1);
  const slope = dualNorms(gradient.mul(canMove(state.x, gradient)), norm).add(1e-12);
  const reach = rowNorms(state.x.sub(images), norm).add<tf.Tensor2D>(gap.div(slope).mul(1 + gamma));
  const grown = chooseRows(found, state.epsilon.mul(1 + gamma), tf.minimum(reach, never));
  const shrunk = tf.minimum(state.epsilon.mul(1 - gamma), best.distance) as tf.Tensor2D; // [n, 1]
  const epsilon = tf.minimum(chooseRows(adversarial, shrunk, grown), worst) as tf.Tensor2D; // [n, 1]
  const unit = gradient.div(tf.maximum(rowNorms(gradient, 'l2'), 1e-12));
  // Into the range first: shrinking towards an image cannot leave it, while clipping after would waste some of the radius.
  const ahead: tf.Tensor2D = tf.clipByValue(state.x.add<tf.Tensor2D>(unit.mul(stepSize)), 0, 1);
  const x = project(ahead, images, norm, epsilon);
  return { x, epsilon, found, best };
};
