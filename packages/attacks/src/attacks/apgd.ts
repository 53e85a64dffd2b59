/**
 * Auto-PGD (Croce & Hein 2020, Algorithm 1; `autoattack/autopgd_base.py`): projected gradient ascent with momentum. The step size starts at
 * 2ε and halves when the loss stops rising; the run then continues from the best point. APGD-CE increases the cross-entropy, APGD-T the
 * targeted difference-of-logits ratio (eq. 7), once per target class.
 *
 * Norm: L∞ or L2. Images: rows of [batch, 28, 28, 1] in [0, 1].
 * Cost per image: at most `restarts`·(`steps` + 1) gradients, times the number of targets for APGD-T, and one forward pass per iterate
 * that looks adversarial, to confirm it. `queries` leaves these forward passes out, and the one that ranks the targets of APGD-T.
 */
import { classesOf, isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { chooseRows, createRowStore, indicesWhere, oneHot, takeRows, valuesAt } from '../batch-rows.ts';
import { likelyClasses } from '../flat-model.ts';
import { confirmHits, type RunResult, repeatUntilFooled } from '../hits.ts';
import { crossEntropy, type RowLoss, targetedDifferenceRatio } from '../losses.ts';
import { ascentDirection, type Norm, project, randomDirections } from '../norms.ts';
import { takeValues } from '../ownership.ts';

export const apgdCe =
  (norm: Norm): Attack<'apgd-ce-linf' | 'apgd-ce-l2'> =>
  (context, { epsilon, steps, restarts }) =>
    repeatUntilFooled(context, restarts, (remaining, restart) =>
      ascend(remaining, { norm, epsilon, steps, restart, lossOf: (labels) => crossEntropy(labels) }),
    );

/** One run per target class, from the second most likely class down, and per restart. */
export const apgdTargeted =
  (norm: Norm): Attack<'apgd-t-linf' | 'apgd-t-l2'> =>
  (context, { epsilon, steps, restarts, targets }) => {
    const { classes } = context.model;
    const slots = Math.min(targets, classes - 1);
    return repeatUntilFooled(context, slots * restarts, async (remaining, run) => {
      const { model, images, labels } = remaining;
      const ranked = await likelyClasses(model, images, labels, slots + 1);
      const target = ranked[Math.floor(run / restarts)]!; // one class per row
      return ascend(remaining, {
        norm,
        epsilon,
        steps,
        restart: run,
        lossOf: (labels, rows) => targetedDifferenceRatio(labels, oneHot(valuesAt(target, rows), classes)),
      });
    });
  };

type Ascent = {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly steps: number;
  readonly restart: number;
  /** One-hot labels of the given rows → the loss to increase. */
  readonly lossOf: (labels: tf.Tensor2D, rows: Int32Array) => RowLoss;
};

/** All `[rows, width]`. */
type State = {
  readonly x: tf.Tensor2D;
  readonly previous: tf.Tensor2D;
  readonly gradient: tf.Tensor2D;
  readonly best: tf.Tensor2D;
  readonly bestGradient: tf.Tensor2D;
};

/** One run. A row leaves the batch at its first hit. */
const ascend = async (context: AttackContext, ascent: Ascent): Promise<RunResult> => {
  const { model, images, labels, own } = context;
  const found = createRowStore(labels.length, own);
  const steps = new Int32Array(labels.length);
  const queries = new Int32Array(labels.length).fill(1);
  const fooled: number[] = [];
  const schedules = Array.from(labels, () => createSchedule(2 * ascent.epsilon, ascent.steps));
  let rows = indicesWhere(labels.length, () => true);

  const x = own(startPoints(context, ascent));
  const initial = await lossGradient(context, x, rows, ascent);
  let state: State = own({
    x,
    previous: x.clone(),
    gradient: initial.gradient,
    best: x.clone(),
    bestGradient: initial.gradient.clone(),
  });
  initial.losses.forEach((loss, i) => {
    schedules[i]!.begin(loss);
  });
  let classes = initial.classes;
  for (let step = 0; ; step++) {
    await context.yieldToEventLoop();
    const suspects = indicesWhere(rows.length, (i) => isMistake(classes[i]!, labels[rows[i]!]!));
    const hits = await confirmHits(model, state.x, valuesAt(labels, rows), suspects);
    found.put(state.x, hits, valuesAt(rows, hits));
    fooled.push(...valuesAt(rows, hits));
    if (hits.length > 0) {
      const isHit = new Set(hits);
      const remaining = indicesWhere(rows.length, (i) => !isHit.has(i));
      state = own(takeState(state, remaining));
      rows = valuesAt(rows, remaining);
    }
    if (step === ascent.steps || rows.length === 0) break;
    const origin = takeRows(images, rows);
    const sizes = Float32Array.from(rows, (row) => schedules[row]!.stepSize());
    const moved = own(move(state, origin, ascent, sizes, step));
    origin.dispose();
    const pass = await lossGradient(context, moved, rows, ascent);
    classes = pass.classes;
    const reports = Array.from(rows, (row, i) => {
      steps[row]!++;
      queries[row]!++;
      return schedules[row]!.report(pass.losses[i]!);
    });
    const next = own(update(state, moved, pass.gradient, reports));
    tf.dispose([...Object.values(state), moved, pass.gradient]);
    state = next;
  }
  tf.dispose([...Object.values(state)]);
  return { adversarials: found.collect(images), fooled: Int32Array.from(fooled), steps, queries };
};

/** Random points on the sphere of radius ε; an L∞ draw is scaled until its largest change is ε. */
const startPoints = (context: AttackContext, { norm, epsilon, restart }: Ascent): tf.Tensor2D =>
  tf.tidy(() => {
    const draw = randomDirections(context, norm, 'start', restart);
    const unit = norm === 'linf' ? draw.div<tf.Tensor2D>(tf.max(tf.abs(draw), 1, true).add(1e-12)) : draw;
    return tf.clipByValue(context.images.add<tf.Tensor2D>(unit.mul(epsilon)), 0, 1);
  });

/** The gradient at `x`, `[rows, width]`, a tensor of the owner, and the loss and the class of every row. */
const lossGradient = async (
  { model, labels, own }: AttackContext,
  x: tf.Tensor2D,
  rows: Int32Array,
  { lossOf }: Ascent,
) => {
  const [gradient, numbers] = tf.tidy(() => {
    const loss = lossOf(oneHot(valuesAt(labels, rows), model.classes), rows);
    const pass = model.gradient(x, loss);
    return [pass.gradient, tf.concat([pass.logits, loss(pass.logits).expandDims<tf.Tensor2D>(1)], 1)];
  }) as [tf.Tensor2D, tf.Tensor2D]; // the type of tidy forgets that this is a pair
  own(gradient);
  const values = await takeValues(numbers); // the only read from the device in a step
  const width = model.classes + 1;
  return {
    gradient,
    losses: Float32Array.from(rows, (_, i) => values[i * width + model.classes]!),
    classes: classesOf(values, model.classes, width),
  };
};

/** p = P(x + a·direction(g)); x ← P(x + ¾(p − x) + ¼(x − previous)). The first step has no momentum. */
const move = (
  { x, previous, gradient }: State,
  origin: tf.Tensor2D,
  { norm, epsilon }: Ascent,
  sizes: Float32Array,
  step: number,
): tf.Tensor2D =>
  tf.tidy(() => {
    const weight = step === 0 ? 1 : 0.75;
    const size = tf.tensor2d(sizes, [sizes.length, 1]);
    const ahead = project(
      x.add<tf.Tensor2D>(ascentDirection(gradient, norm).mul(size)),
      origin,
      norm,
      epsilon,
    );
    const mixed = x
      .add<tf.Tensor2D>(ahead.sub(x).mul(weight))
      .add<tf.Tensor2D>(x.sub(previous).mul(1 - weight));
    return project(mixed, origin, norm, epsilon);
  });

type StepReport = {
  readonly improved: boolean;
  /** The step size was halved: the row continues from its best point. */
  readonly restart: boolean;
};

/** Replaces the best point of every row whose loss improved, and moves every row whose step size was halved back to its best point. */
const update = (
  state: State,
  moved: tf.Tensor2D,
  gradient: tf.Tensor2D,
  reports: readonly StepReport[],
): State =>
  tf.tidy(() => {
    const improved = (i: number): boolean => reports[i]!.improved;
    const restarts = (i: number): boolean => reports[i]!.restart;
    const best = chooseRows(improved, moved, state.best);
    const bestGradient = chooseRows(improved, gradient, state.bestGradient);
    if (reports.every(({ restart }) => !restart))
      return { x: moved.clone(), previous: state.x.clone(), gradient: gradient.clone(), best, bestGradient };
    return {
      x: chooseRows(restarts, best, moved),
      previous: state.x.clone(),
      gradient: chooseRows(restarts, bestGradient, gradient),
      best,
      bestGradient,
    };
  });

/** The given rows of a state. Disposes of the state. */
const takeState = (state: State, rows: Int32Array): State => {
  const taken = {
    x: takeRows(state.x, rows),
    previous: takeRows(state.previous, rows),
    gradient: takeRows(state.gradient, rows),
    best: takeRows(state.best, rows),
    bestGradient: takeRows(state.bestGradient, rows),
  };
  tf.dispose([...Object.values(state)]);
  return taken;
};

/** The step size of one image. It halves at checkpoints where the loss has stopped rising (Croce & Hein 2020, §3.2). */
type Schedule = {
  /** Takes the loss of the start point. */
  readonly begin: (loss: number) => void;
  readonly stepSize: () => number;
  /** Takes the loss of the next iterate. */
  readonly report: (loss: number) => StepReport;
};

/** ρ: the step size halves when at most this share of the steps since the last checkpoint raised the loss. */
const minRising = 0.75;

const createSchedule = (stepSize: number, steps: number): Schedule => {
  const minPeriod = Math.max(Math.floor(0.06 * steps), 1);
  const shortening = Math.max(Math.floor(0.03 * steps), 1);
  let period = Math.max(Math.floor(0.22 * steps), 1);
  let size = stepSize;
  let best = Number.NEGATIVE_INFINITY;
  let bestAtCheckpoint = Number.NEGATIVE_INFINITY;
  let last = Number.NEGATIVE_INFINITY;
  let halvedAtCheckpoint = true;
  let rises = 0;
  let stepsSinceCheckpoint = 0;
  return {
    begin: (loss) => {
      best = Number.isNaN(loss) ? Number.NEGATIVE_INFINITY : loss; // a NaN counts as −∞, so the next loss improves on it
      bestAtCheckpoint = best;
      last = 0; // the reference implementation compares the first iterate with an empty slot of its loss table
    },
    stepSize: () => size,
    report: (loss) => {
      if (loss > last) rises++;
      last = loss;
      const improved = loss > best;
      if (improved) best = loss;
      stepsSinceCheckpoint++;
      if (stepsSinceCheckpoint < period) return { improved, restart: false };
      const oscillating = rises <= minRising * period;
      const stalled = !halvedAtCheckpoint && bestAtCheckpoint >= best;
      halvedAtCheckpoint = oscillating || stalled;
      bestAtCheckpoint = best;
      stepsSinceCheckpoint = 0;
      rises = 0;
      period = Math.max(period - shortening, minPeriod);
      if (halvedAtCheckpoint) size /= 2;
      return { improved, restart: halvedAtCheckpoint };
    },
  };
};
