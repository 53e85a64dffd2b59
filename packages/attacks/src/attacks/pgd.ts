/**
 * Projected gradient descent (Madry et al. 2018, §2.1) with restarts: x ← P(x + a·direction(∇L)), P the projection onto the ball, from a
 * random point of the ball. L is the cross-entropy or the margin. An image is finished at its first adversarial iterate.
 *
 * Norm: L∞ or L2. Images: rows of [batch, 28, 28, 1] in [0, 1].
 * Cost per image: at most `restarts`·(`steps` + 1) gradients, and one forward pass per iterate that looks adversarial, to confirm it.
 * `queries` leaves these forward passes out.
 */
import { classesOf, isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { chooseRows, createRowStore, indicesWhere, oneHot, takeRows, valuesAt } from '../batch-rows.ts';
import { confirmHits, type RunResult, repeatUntilFooled } from '../hits.ts';
import { crossEntropy, margin, type RowLoss } from '../losses.ts';
import { ascentDirection, type Norm, project, randomDirections, randomStarts, stepLength } from '../norms.ts';
import { takeValues } from '../ownership.ts';

export const pgd =
  (norm: Norm): Attack<'pgd-linf' | 'pgd-l2'> =>
  (context, settings) => {
    const lossOf = settings.loss === 'margin' ? margin : crossEntropy;
    const stepSize = stepLength(settings);
    return repeatUntilFooled(context, settings.restarts, (remaining, restart) =>
      ascend(remaining, {
        norm,
        epsilon: settings.epsilon,
        stepSize,
        steps: settings.steps,
        lossOf,
        start: settings.randomStart
          ? randomStarts(remaining, norm, settings.epsilon, 'start', restart)
          : remaining.images.clone(),
        restart,
      }),
    );
  };

export type Ascent = {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly stepSize: number;
  readonly steps: number;
  /** One-hot labels → the loss to increase. */
  readonly lossOf: (labels: tf.Tensor2D) => RowLoss;
  /** `[n, width]`; `ascend` disposes of it. */
  readonly start: tf.Tensor2D;
  /** Part of the path of the random directions that replace zero gradients. */
  readonly restart: number;
};

/** One run of projected gradient ascent. A row leaves the batch at its first hit. The feature attack calls this function too. */
export const ascend = async (context: AttackContext, ascent: Ascent): Promise<RunResult> => {
  const { model, labels, own } = context;
  const { norm, epsilon, stepSize } = ascent;
  const found = createRowStore(labels.length, own);
  const steps = new Int32Array(labels.length);
  const queries = new Int32Array(labels.length);
  const fooled: number[] = [];
  let rows = indicesWhere(labels.length, () => true);
  let origin = own(context.images.clone());
  let x = own(ascent.start);
  for (let step = 0; step <= ascent.steps && rows.length > 0; step++) {
    await context.yieldToEventLoop();
    const { classes, isZero, gradient } = await lossGradient(
      context,
      x,
      valuesAt(labels, rows),
      ascent.lossOf,
    );
    const suspects = indicesWhere(rows.length, (i) => isMistake(classes[i]!, labels[rows[i]!]!));
    const hits = await confirmHits(model, x, valuesAt(labels, rows), suspects);
    found.put(x, hits, valuesAt(rows, hits));
    fooled.push(...valuesAt(rows, hits));
    for (const row of rows) queries[row]!++;
    const isHit = new Set(hits);
    const remaining = indicesWhere(rows.length, (i) => !isHit.has(i));
    rows = valuesAt(rows, remaining);
    const state =
      hits.length === 0 ? { x, gradient, origin } : own(takeAll({ x, gradient, origin }, remaining));
    const next = own(
      tf.tidy(() => {
        const slope = remaining.some((i) => isZero[i]!)
          ? chooseRows(
              (i) => isZero[remaining[i]!]!,
              fallbackDirections(context, rows, norm, ascent.restart),
              state.gradient,
            )
          : state.gradient;
        return project(
          state.x.add<tf.Tensor2D>(ascentDirection(slope, norm).mul(stepSize)),
          state.origin,
          norm,
          epsilon,
        );
      }),
    );
    tf.dispose([x, gradient, state.x, state.gradient]);
    if (state.origin !== origin) origin.dispose();
    origin = state.origin;
    x = next;
    if (step < ascent.steps) for (const row of rows) steps[row]!++;
  }
  tf.dispose([x, origin]);
  return { adversarials: found.collect(context.images), fooled: Int32Array.from(fooled), steps, queries };
};

/** The gradient of the loss at `x`, `[n, width]`, a tensor of the owner, and for each row its class and whether its gradient is exactly zero. */
const lossGradient = async (
  { model, own }: AttackContext,
  x: tf.Tensor2D,
  labels: Int32Array,
  lossOf: Ascent['lossOf'],
) => {
  const [gradient, numbers] = tf.tidy(() => {
    const pass = model.gradient(x, lossOf(oneHot(labels, model.classes)));
    const isZero = tf.equal(tf.max(tf.abs(pass.gradient), 1, true), 0).toFloat();
    return [pass.gradient, tf.concat([pass.logits, isZero as tf.Tensor2D], 1)];
  }) as [tf.Tensor2D, tf.Tensor2D]; // the type of tidy forgets that this is a pair
  own(gradient);
  const values = await takeValues(numbers); // the only read from the device in a step
  const width = model.classes + 1;
  return {
    gradient,
    classes: classesOf(values, model.classes, width),
    isZero: Array.from(labels, (_, i) => values[i * width + model.classes] === 1),
  };
};

type State = { readonly x: tf.Tensor2D; readonly gradient: tf.Tensor2D; readonly origin: tf.Tensor2D };

const takeAll = ({ x, gradient, origin }: State, rows: Int32Array): State => ({
  x: takeRows(x, rows),
  gradient: takeRows(gradient, rows),
  origin: takeRows(origin, rows),
});

/**
 * An image follows this direction while its gradient is exactly zero: one random direction, the same at every step. The word 'anywhere'
 * names the random stream: another word would change results.
 */
const fallbackDirections = (
  context: AttackContext,
  rows: Int32Array,
  norm: Norm,
  restart: number,
): tf.Tensor2D => tf.tidy(() => takeRows(randomDirections(context, norm, 'anywhere', restart), rows));
