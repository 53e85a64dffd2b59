/** Projected gradient descent (Madry et al. 2018, §2.1), with restarts. An image stops at its first adversarial iterate. */
import { classesOf, isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { confirm, type Try, untilFooled } from '../hits.ts';
import { crossEntropy, margin, type RowLoss } from '../losses.ts';
import { direction, type Norm, project, randomDirections, randomStarts } from '../norms.ts';
import { chooseRows, createRowStore, oneHot, pick, positions, takeRows } from '../rows.ts';

export const pgd =
  (norm: Norm): Attack<'pgd-linf' | 'pgd-l2'> =>
  (context, settings) => {
    const lossOf = settings.loss === 'margin' ? margin : crossEntropy;
    const stepSize = settings.stepSize ?? (2.5 * settings.epsilon) / settings.steps;
    return untilFooled(context, settings.restarts, (standing, restart) =>
      ascend(standing, {
        norm,
        epsilon: settings.epsilon,
        stepSize,
        steps: settings.steps,
        lossOf,
        start: settings.randomStart
          ? randomStarts(standing, norm, settings.epsilon, 'start', restart)
          : standing.images.clone(),
        restart,
      }),
    );
  };

export type Ascent = {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly stepSize: number;
  readonly steps: number;
  /** From one-hot labels to what is ascended. */
  readonly lossOf: (labels: tf.Tensor2D) => RowLoss;
  /** `[n, width]`; taken over. */
  readonly start: tf.Tensor2D;
  /** Names the random directions taken where a gradient is zero. */
  readonly restart: number;
};

/** One ascent: x ← P(x + a · direction(∇L)). Rows leave as they fall. */
export const ascend = async (context: AttackContext, ascent: Ascent): Promise<Try> => {
  const { model, labels } = context;
  const { norm, epsilon, stepSize } = ascent;
  const found = createRowStore(labels.length);
  const steps = new Int32Array(labels.length);
  const queries = new Int32Array(labels.length);
  const fooled: number[] = [];
  let rows = positions(labels.length, () => true);
  let origin = context.images.clone();
  let x = ascent.start;
  for (let step = 0; step <= ascent.steps && rows.length > 0; step++) {
    await context.yieldToEventLoop();
    const { classes, zero, gradient } = await look(context, x, pick(labels, rows), ascent.lossOf);
    const suspects = positions(rows.length, (i) => isMistake(classes[i]!, labels[rows[i]!]!));
    const fallen = await confirm(model, x, pick(labels, rows), suspects);
    found.put(x, fallen, pick(rows, fallen));
    fooled.push(...pick(rows, fallen));
    for (const row of rows) queries[row]!++;
    const fell = new Set(fallen);
    const going = positions(rows.length, (i) => !fell.has(i));
    rows = pick(rows, going);
    const here = fallen.length === 0 ? { x, gradient, origin } : takeAll({ x, gradient, origin }, going);
    const stuck = going.some((i) => zero[i]!);
    const next = tf.tidy(() => {
      const slope = stuck
        ? chooseRows(
            (i) => zero[going[i]!]!,
            anywhere(context, rows, norm, ascent.restart), // any direction is better than none
            here.gradient,
          )
        : here.gradient;
      return project(
        here.x.add<tf.Tensor2D>(direction(slope, norm).mul(stepSize)),
        here.origin,
        norm,
        epsilon,
      );
    });
    tf.dispose([x, gradient, here.x, here.gradient]);
    if (here.origin !== origin) origin.dispose();
    origin = here.origin;
    x = next;
    if (step < ascent.steps) for (const row of rows) steps[row]!++;
  }
  tf.dispose([x, origin]);
  return { adversarials: found.collect(context.images), fooled: Int32Array.from(fooled), steps, queries };
};

type Here = { readonly x: tf.Tensor2D; readonly gradient: tf.Tensor2D; readonly origin: tf.Tensor2D };

const takeAll = ({ x, gradient, origin }: Here, rows: Int32Array): Here => ({
  x: takeRows(x, rows),
  gradient: takeRows(gradient, rows),
  origin: takeRows(origin, rows),
});

/** The same random direction for an image at every step: what it follows while its gradient is exactly zero. */
const anywhere = (context: AttackContext, rows: Int32Array, norm: Norm, restart: number): tf.Tensor2D =>
  tf.tidy(() => takeRows(randomDirections(context, norm, 'anywhere', restart), rows));

/** The loss gradient, and per row its class and whether the gradient is exactly zero: one small read. */
const look = async (
  { model }: AttackContext,
  x: tf.Tensor2D,
  labels: Int32Array,
  lossOf: Ascent['lossOf'],
) => {
  const [gradient, numbers] = tf.tidy(() => {
    const pass = model.gradient(x, lossOf(oneHot(labels, model.classes)));
    const zero = tf.equal(tf.max(tf.abs(pass.gradient), 1, true), 0).toFloat();
    return [pass.gradient, tf.concat([pass.logits, zero as tf.Tensor2D], 1)];
  }) as [tf.Tensor2D, tf.Tensor2D]; // tidy loses that it is a pair
  const values = await numbers.data<'float32'>();
  numbers.dispose();
  const width = model.classes + 1;
  return {
    gradient,
    classes: classesOf(values, model.classes, width),
    zero: Array.from(labels, (_, i) => values[i * width + model.classes] === 1),
  };
};
