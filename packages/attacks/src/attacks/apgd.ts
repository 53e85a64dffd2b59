/**
 * Auto-PGD (Croce & Hein 2020, Algorithm 1; `autoattack/autopgd_base.py`): ascent with momentum whose step size halves itself, where
 * the loss no longer rises, and restarts from the best point.
 */
import { classesOf, isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { likelyClasses } from '../flat-model.ts';
import { confirm, type Try, untilFooled } from '../hits.ts';
import { crossEntropy, type RowLoss, targetedDifferenceRatio } from '../losses.ts';
import { direction, type Norm, project, randomDirections } from '../norms.ts';
import { chooseRows, createRowStore, oneHot, pick, positions, takeRows } from '../rows.ts';

export const apgdCe =
  (norm: Norm): Attack<'apgd-ce-linf' | 'apgd-ce-l2'> =>
  (context, { epsilon, steps, restarts }) =>
    untilFooled(context, restarts, (standing, restart) =>
      ascend(standing, { norm, epsilon, steps, restart, lossOf: (labels) => crossEntropy(labels) }),
    );

/** One try per target class, from the second most likely down, and restart. */
export const apgdTargeted =
  (norm: Norm): Attack<'apgd-t-linf' | 'apgd-t-l2'> =>
  (context, { epsilon, steps, restarts, targets }) => {
    const slots = Math.min(targets, context.model.classes - 1);
    return untilFooled(context, slots * restarts, async (standing, number) => {
      const ranks = await likelyClasses(standing, slots + 1);
      const target = ranks[Math.floor(number / restarts)]!; // class per row
      return ascend(standing, {
        norm,
        epsilon,
        steps,
        restart: number,
        lossOf: (labels, rows) =>
          targetedDifferenceRatio(labels, oneHot(pick(target, rows), context.model.classes)),
      });
    });
  };

type Ascent = {
  readonly norm: Norm;
  readonly epsilon: number;
  readonly steps: number;
  readonly restart: number;
  /** From the one-hot labels of the given rows to what is ascended. */
  readonly lossOf: (labels: tf.Tensor2D, rows: Int32Array) => RowLoss;
};

type State = {
  readonly x: tf.Tensor2D;
  readonly previous: tf.Tensor2D;
  readonly gradient: tf.Tensor2D;
  readonly best: tf.Tensor2D;
  readonly bestGradient: tf.Tensor2D;
};

const ascend = async (context: AttackContext, ascent: Ascent): Promise<Try> => {
  const { model, images, labels } = context;
  const found = createRowStore(labels.length);
  const steps = new Int32Array(labels.length);
  const queries = new Int32Array(labels.length).fill(1);
  const fooled: number[] = [];
  const schedules = Array.from(labels, () => createSchedule(2 * ascent.epsilon, ascent.steps));
  let rows = positions(labels.length, () => true);

  const x = start(context, ascent);
  const first = await look(context, x, rows, ascent);
  let state: State = {
    x,
    previous: x.clone(),
    gradient: first.gradient,
    best: x.clone(),
    bestGradient: first.gradient.clone(),
  };
  first.losses.forEach((loss, i) => {
    schedules[i]!.begin(loss);
  });
  let classes = first.classes;
  for (let step = 0; ; step++) {
    await context.yieldToEventLoop();
    const suspects = positions(rows.length, (i) => isMistake(classes[i]!, labels[rows[i]!]!));
    const fallen = await confirm(model, state.x, pick(labels, rows), suspects);
    found.put(state.x, fallen, pick(rows, fallen));
    fooled.push(...pick(rows, fallen));
    if (fallen.length > 0) {
      const fell = new Set(fallen);
      const going = positions(rows.length, (i) => !fell.has(i));
      state = keep(state, going);
      rows = pick(rows, going);
    }
    if (step === ascent.steps || rows.length === 0) break;
    const origin = takeRows(images, rows);
    const moved = move(
      state,
      origin,
      ascent,
      Float32Array.from(rows, (row) => schedules[row]!.stepSize()),
      step,
    );
    origin.dispose();
    const seen = await look(context, moved, rows, ascent);
    classes = seen.classes;
    const verdicts = Array.from(rows, (row, i) => {
      steps[row]!++;
      queries[row]!++;
      return schedules[row]!.report(seen.losses[i]!);
    });
    const next = update(state, moved, seen.gradient, verdicts);
    tf.dispose([...Object.values(state), moved, seen.gradient]);
    state = next;
  }
  tf.dispose([...Object.values(state)]);
  return { adversarials: found.collect(images), fooled: Int32Array.from(fooled), steps, queries };
};

/** On the sphere: L∞ draws are stretched until one pixel moves by ε. */
const start = (context: AttackContext, { norm, epsilon, restart }: Ascent): tf.Tensor2D =>
  tf.tidy(() => {
    const draw = randomDirections(context, norm, 'start', restart);
    const unit = norm === 'linf' ? draw.div<tf.Tensor2D>(tf.max(tf.abs(draw), 1, true).add(1e-12)) : draw;
    return tf.clipByValue(context.images.add<tf.Tensor2D>(unit.mul(epsilon)), 0, 1);
  });

/** p = P(x + a·direction(g)); x ← P(x + ¾(p − x) + ¼(x − previous)); the first step has no momentum. */
const move = (
  { x, previous, gradient }: State,
  origin: tf.Tensor2D,
  { norm, epsilon }: Ascent,
  sizes: Float32Array,
  step: number,
): tf.Tensor2D =>
  tf.tidy(() => {
    const momentum = step === 0 ? 1 : 0.75;
    const size = tf.tensor2d(sizes, [sizes.length, 1]);
    const ahead = project(x.add<tf.Tensor2D>(direction(gradient, norm).mul(size)), origin, norm, epsilon);
    const mixed = x
      .add<tf.Tensor2D>(ahead.sub(x).mul(momentum))
      .add<tf.Tensor2D>(x.sub(previous).mul(1 - momentum));
    return project(mixed, origin, norm, epsilon);
  });

const look = async (
  { model, labels }: AttackContext,
  x: tf.Tensor2D,
  rows: Int32Array,
  { lossOf }: Ascent,
) => {
  const [gradient, numbers] = tf.tidy(() => {
    const loss = lossOf(oneHot(pick(labels, rows), model.classes), rows);
    const pass = model.gradient(x, loss);
    return [pass.gradient, tf.concat([pass.logits, loss(pass.logits).expandDims<tf.Tensor2D>(1)], 1)];
  }) as [tf.Tensor2D, tf.Tensor2D]; // tidy loses that it is a pair
  const values = await numbers.data<'float32'>();
  numbers.dispose();
  const width = model.classes + 1;
  return {
    gradient,
    losses: Float32Array.from(rows, (_, i) => values[i * width + model.classes]!),
    classes: classesOf(values, model.classes, width),
  };
};

type Verdict = { readonly improved: boolean; readonly restart: boolean };

/** Best points follow the loss; rows whose step size was halved go back to theirs. */
const update = (
  state: State,
  moved: tf.Tensor2D,
  gradient: tf.Tensor2D,
  verdicts: readonly Verdict[],
): State =>
  tf.tidy(() => {
    const improved = (i: number): boolean => verdicts[i]!.improved;
    const back = (i: number): boolean => verdicts[i]!.restart;
    const best = chooseRows(improved, moved, state.best);
    const bestGradient = chooseRows(improved, gradient, state.bestGradient);
    if (verdicts.every(({ restart }) => !restart))
      return { x: moved.clone(), previous: state.x.clone(), gradient: gradient.clone(), best, bestGradient };
    return {
      x: chooseRows(back, best, moved),
      previous: state.x.clone(),
      gradient: chooseRows(back, bestGradient, gradient),
      best,
      bestGradient,
    };
  });

const keep = (state: State, going: Int32Array): State => {
  const kept = {
    x: takeRows(state.x, going),
    previous: takeRows(state.previous, going),
    gradient: takeRows(state.gradient, going),
    best: takeRows(state.best, going),
    bestGradient: takeRows(state.bestGradient, going),
  };
  tf.dispose([...Object.values(state)]);
  return kept;
};

/** One image's step size in Auto-PGD: halved at checkpoints where the loss has stopped rising (Croce & Hein 2020, §3.2). */
type Schedule = {
  readonly begin: (loss: number) => void;
  readonly stepSize: () => number;
  /** Takes the loss of the next iterate. `restart`: the step size was halved; go on from the best point. */
  readonly report: (loss: number) => { readonly improved: boolean; readonly restart: boolean };
};

/** At least this share of the steps since the last checkpoint must have raised the loss (ρ). */
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
  let since = 0;
  return {
    begin: (loss) => {
      best = Number.isNaN(loss) ? Number.NEGATIVE_INFINITY : loss; // so that the next one improves on it
      bestAtCheckpoint = best;
      last = 0; // the reference implementation compares the first iterate with an empty slot of its loss table
    },
    stepSize: () => size,
    report: (loss) => {
      if (loss > last) rises++;
      last = loss;
      const improved = loss > best;
      if (improved) best = loss;
      since++;
      if (since < period) return { improved, restart: false };
      const oscillating = rises <= minRising * period;
      const stalled = !halvedAtCheckpoint && bestAtCheckpoint >= best;
      halvedAtCheckpoint = oscillating || stalled;
      bestAtCheckpoint = best;
      since = 0;
      rises = 0;
      period = Math.max(period - shortening, minPeriod);
      if (halvedAtCheckpoint) size /= 2;
      return { improved, restart: halvedAtCheckpoint };
    },
  };
};
