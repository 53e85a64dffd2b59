/**
 * Fast minimum norm (Pintor et al. 2021, Algorithm 1): gradient steps on the margin inside a ball whose radius shrinks while the point is
 * adversarial and grows while it is not. L2 points are projected on that ball, as the paper says; Foolbox 3.3.4 forgets to.
 */
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { margin } from '../losses.ts';
import { dualNorms, type Norm, project, rowNorms } from '../norms.ts';
import { chooseRows, oneHot } from '../rows.ts';

const leastGamma = 0.001;

/** What one image knows: the radius of its ball, and the nearest hit so far. */
type Radius = { epsilon: number; best: number };

export const fmn =
  (norm: Norm): Attack<'fmn-l2' | 'fmn-linf'> =>
  async (context, settings) => {
    const { images, labels, model } = context;
    const truth = oneHot(labels, model.classes);
    const radii = Array.from(
      labels,
      (): Radius => ({ epsilon: Number.POSITIVE_INFINITY, best: Number.POSITIVE_INFINITY }),
    );
    let best = images.clone();
    let x = images.clone();
    for (let step = 0; step <= settings.steps; step++) {
      await context.breathe();
      const decay = cosine(step, settings.steps);
      const gamma = leastGamma + (settings.gamma - leastGamma) * decay;
      const searching = radii.some((radius) => radius.best === Number.POSITIVE_INFINITY);
      const seen = await look(context, x, truth, norm, searching);
      const nearer = seen.rows.map((row, i) => follow(radii[i]!, row, gamma));
      if (nearer.includes(true)) {
        const mask = tf.tensor2d(nearer.map(Number), [nearer.length, 1]);
        const next = chooseRows(mask, x, best);
        tf.dispose([mask, best]);
        best = next;
      }
      const stepSize = settings.stepSize * (0.01 + 0.99 * decay);
      const next = tf.tidy(() => {
        const unit = seen.gradient.div(tf.maximum(rowNorms(seen.gradient, 'l2'), 1e-12));
        // Into the range first: shrinking towards an image cannot leave it, while clipping after would waste some of the radius.
        const ahead: tf.Tensor2D = tf.clipByValue(x.add<tf.Tensor2D>(unit.mul(stepSize)), 0, 1);
        const limits = radii.map(({ epsilon }) => Math.min(epsilon, farther));
        return project(ahead, images, norm, tf.tensor2d(limits, [limits.length, 1]));
      });
      tf.dispose([x, seen.gradient]);
      x = next;
    }
    tf.dispose([x, truth]);
    const steps = new Int32Array(labels.length).fill(settings.steps);
    return { adversarials: best, steps, queries: steps.map((count) => count + 1) };
  };

/** Beyond any image in [0, 1]. */
const farther = 1e6;

/** From 1 down to 0 over the steps. */
const cosine = (step: number, steps: number): number => (1 + Math.cos((Math.PI * step) / steps)) / 2;

type Seen = {
  readonly fooled: boolean;
  readonly distance: number;
  /** To the boundary of the linearised model, along the pixels that can still move. */
  readonly toBoundary: number;
};

/** The gradient of the margin at `x`, and one small read: what it is like there. `searching`: some image has no hit yet. */
const look = async (
  { model, images, labels }: AttackContext,
  x: tf.Tensor2D,
  truth: tf.Tensor2D,
  norm: Norm,
  searching: boolean,
) => {
  const [gradient, numbers] = tf.tidy(() => {
    const { logits, gradient } = model.gradient(x, margin(truth));
    const distance = rowNorms(x.sub(images), norm).squeeze([1]);
    const classes = tf.argMax(logits, 1).toFloat();
    const gap = tf.abs(margin(truth)(logits));
    const slope = searching
      ? dualNorms(gradient.mul(canMove(x, gradient)), norm).squeeze([1])
      : tf.onesLike(gap);
    return [gradient, tf.stack([classes, distance, gap.div(slope.add(1e-12))])];
  }) as [tf.Tensor2D, tf.Tensor2D]; // tidy loses that it is a pair
  const values = await numbers.data<'float32'>();
  numbers.dispose();
  const n = labels.length;
  const rows = Array.from(
    labels,
    (label, i): Seen => ({
      fooled: values[i] !== label,
      distance: values[n + i]!,
      toBoundary: values[2 * n + i]!,
    }),
  );
  return { gradient, rows };
};

/**
 * Before its first hit an image's radius reaches for the linearised boundary; after it, it shrinks by γ on a hit, and grows by γ on a
 * miss. Says whether this is the nearest hit so far.
 */
const follow = (radius: Radius, { fooled, distance, toBoundary }: Seen, gamma: number): boolean => {
  const nearer = fooled && distance < radius.best;
  if (nearer) radius.best = distance;
  if (fooled) radius.epsilon = Math.min(radius.epsilon * (1 - gamma), radius.best);
  else if (radius.best < Number.POSITIVE_INFINITY) radius.epsilon *= 1 + gamma;
  else radius.epsilon = distance + toBoundary * (1 + gamma);
  return nearer;
};

/** 1 where a pixel is not yet at the bound that the gradient pushes it to: only these bring the boundary nearer. */
const canMove = (x: tf.Tensor2D, gradient: tf.Tensor2D): tf.Tensor2D =>
  tf.tidy(() => {
    const up = tf.step(gradient);
    return up.mul<tf.Tensor2D>(tf.step(tf.sub(1, x))).add(tf.sub(1, up).mul(tf.step(x)));
  });
