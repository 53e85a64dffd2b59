/**
 * Carlini & Wagner L2 (2017, §V–VI), as in Foolbox 3: Adam on δ in tanh space minimises ‖x − x̂‖² + c·max(0, κ − margin).
 * A search per image looks for the smallest constant c that succeeds. An image stops a run early when its own loss stops falling; Foolbox
 * stops the whole batch at once. An image without a hit of the confidence κ keeps its nearest misclassified iterate, if it has one.
 *
 * Norm: L2, no budget. Images: rows of [batch, 28, 28, 1] in [0, 1].
 * Cost per image: at most `searchSteps`·`steps` gradients, and one forward pass per nearer hit, to confirm it.
 */
import { type AttackSettings, largestConstant, lastConstantLimit } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { indicesWhere, oneHot, replaceRows, takeRows, valuesAt } from '../batch-rows.ts';
import { createNearestHits, keepConfirmed, type NearestHits } from '../hits.ts';
import { margin } from '../losses.ts';
import { rowNorms } from '../norms.ts';
import { takeValues } from '../ownership.ts';

type Settings = AttackSettings<'cw-l2'>;

/** Keeps tanh⁻¹ finite for black and white pixels. */
const tanhBound = 0.999999;
/** Adam's β₁, β₂ and ε. */
const [beta1, beta2, adamEpsilon] = [0.9, 0.999, 1e-8];

export const carliniWagner: Attack<'cw-l2'> = async (context, settings) => {
  const { labels } = context;
  const lower = new Float64Array(labels.length); // the largest constant that failed
  const upper = new Float64Array(labels.length).fill(Number.POSITIVE_INFINITY); // the smallest constant that succeeded
  const constants = Float64Array.from(labels, () => Math.min(settings.initialConstant, largestConstant));
  const steps = new Int32Array(labels.length);
  const queries = new Int32Array(labels.length);
  const nearest = createNearestHits(context);
  const misclassified = settings.confidence > 0 ? createNearestHits(context) : null; // for images without a hit
  let cappedSearches = 0;
  for (let search = 0; search < settings.searchSteps; search++) {
    if (search === settings.searchSteps - 1) {
      const limit = lastConstantLimit(settings);
      if (settings.searchSteps >= 10)
        constants.forEach((_, row) => {
          constants[row] = Math.min(upper[row]!, limit);
        });
      cappedSearches = constants.filter((constant) => constant === limit).length;
    }
    const kept = { nearest, misclassified };
    const succeeded = await minimise(context, settings, constants, kept, { steps, queries });
    constants.forEach((constant, row) => {
      if (succeeded[row] === 1) upper[row] = constant;
      else lower[row] = constant;
      constants[row] = Number.isFinite(upper[row]!)
        ? (lower[row]! + upper[row]!) / 2
        : Math.min(constant * 10, largestConstant);
    });
  }
  const adversarials = misclassified ? fillIn(nearest, misclassified) : nearest.take();
  return { adversarials, steps, queries, cappedSearches };
};

/** The hits, and for images without one the nearest of `others`. `[n, width]`. */
const fillIn = (nearest: NearestHits, others: NearestHits): tf.Tensor2D =>
  tf.tidy(() => {
    const [hits, fallback] = [nearest.take(), others.take()];
    const rows = indicesWhere(hits.shape[0], (row) => nearest.distance(row) === Number.POSITIVE_INFINITY);
    return replaceRows(hits, rows, fallback, rows);
  });

type Kept = { readonly nearest: NearestHits; readonly misclassified: NearestHits | null };

/** δ and Adam's first and second moments, `[rows, width]`. */
type State = { readonly delta: tf.Tensor2D; readonly first: tf.Tensor2D; readonly second: tf.Tensor2D };

/** One run, with one constant per image: `steps` steps of Adam from δ = 0. Returns 1 for every image with a hit. */
const minimise = async (
  context: AttackContext,
  settings: Settings,
  constants: Float64Array,
  { nearest, misclassified }: Kept,
  { steps, queries }: { readonly steps: Int32Array; readonly queries: Int32Array },
): Promise<Uint8Array> => {
  const { images, labels, model, own } = context;
  const succeeded = new Uint8Array(labels.length);
  const lossAtCheck = new Float64Array(labels.length).fill(Number.POSITIVE_INFINITY);
  const mistakeLossAtCheck = lossAtCheck.slice();
  const checkPeriod = Math.ceil(settings.steps / 10);
  let rows = indicesWhere(labels.length, () => true);
  let space = own(tanhSpace(images));
  let c = own(column(constants, rows));
  let state: State = own({
    delta: tf.zerosLike(images),
    first: tf.zerosLike(images),
    second: tf.zerosLike(images),
  });
  for (let step = 1; step <= settings.steps && rows.length > 0; step++) {
    await context.yieldToEventLoop();
    const { x, numbers, ...next } = tf.tidy(() =>
      adamStep(context, settings, rows, { space, c, state, step }),
    );
    tf.dispose([...Object.values(state)]);
    state = own(next.state);
    own(x);
    const values = await takeValues(numbers);
    const suspects = indicesWhere(rows.length, (i) => values[rows.length + i] === 1);
    const candidates = { x, owners: rows, distances: values.subarray(2 * rows.length) };
    const { asked, hits } = await keepConfirmed(nearest, model, labels, candidates, suspects);
    for (const i of asked) queries[rows[i]!]!++;
    if (misclassified) {
      const others = indicesWhere(
        rows.length,
        (i) => values[3 * rows.length + i] === 1 && nearest.distance(rows[i]!) === Number.POSITIVE_INFINITY,
      );
      const more = await keepConfirmed(misclassified, model, labels, candidates, others);
      for (const i of more.asked) queries[rows[i]!]!++;
    }
    x.dispose();
    for (const i of hits) succeeded[rows[i]!] = 1;
    for (const row of rows) {
      steps[row]!++;
      queries[row]!++;
    }
    if ((step - 1) % checkPeriod !== 0) continue;
    const falling = indicesWhere(rows.length, (i) => {
      const [row, loss, mistakeLoss] = [rows[i]!, values[i]!, values[4 * rows.length + i]!];
      // A confidence far above every margin is most of the loss, and hides that the image moves towards another class.
      const falls =
        loss <= 0.9999 * lossAtCheck[row]! ||
        (misclassified !== null && mistakeLoss <= 0.9999 * mistakeLossAtCheck[row]!);
      lossAtCheck[row] = loss;
      mistakeLossAtCheck[row] = mistakeLoss;
      return falls;
    });
    if (falling.length === rows.length) continue;
    const kept = { space: own(takeAll(space, falling)), state: own(takeAll(state, falling)) };
    tf.dispose([...Object.values(space), ...Object.values(state), c]);
    ({ space, state } = kept);
    rows = valuesAt(rows, falling);
    c = own(column(constants, rows));
  }
  tf.dispose([...Object.values(space), ...Object.values(state), c]);
  return succeeded;
};

/** The images, their points in tanh space, and these points mapped back to pixels. All `[rows, width]`. */
type Space = { readonly origin: tf.Tensor2D; readonly w: tf.Tensor2D; readonly mappedBack: tf.Tensor2D };

/** x = (tanh(w) + 1) / 2 = σ(2w). */
const tanhSpace = (images: tf.Tensor2D): Space =>
  tf.tidy(() => {
    const u = images.mul<tf.Tensor2D>(2).sub<tf.Tensor2D>(1).mul<tf.Tensor2D>(tanhBound);
    const w = tf.log(tf.add<tf.Tensor2D>(1, u).div(tf.sub(1, u))).mul<tf.Tensor2D>(0.5);
    return { origin: images.clone(), w, mappedBack: tf.sigmoid(w.mul<tf.Tensor2D>(2)) };
  });

/** `c`: the constants, `[rows, 1]`; `step` counts from 1. */
type Iterate = {
  readonly space: Space;
  readonly c: tf.Tensor2D;
  readonly state: State;
  readonly step: number;
};

/**
 * Evaluates the objective at the current δ and moves δ by one step of Adam. `numbers`: loss, hit (0 or 1), L2, misclassified (0 or 1), and the
 * loss for a confidence of 0, per row, `[5, rows]`.
 */
const adamStep = (
  { model, labels }: AttackContext,
  settings: Settings,
  rows: Int32Array,
  { space, c, state, step }: Iterate,
) => {
  const truth = oneHot(valuesAt(labels, rows), model.classes);
  const x: tf.Tensor2D = tf.sigmoid(space.w.add<tf.Tensor2D>(state.delta).mul<tf.Tensor2D>(2));
  const gap = margin(truth); // max z_j − z_y, positive where the model errs
  const hinge = (logits: tf.Tensor2D) => tf.relu(tf.sub(settings.confidence, gap(logits)));
  const { logits, gradient } = model.gradient(x, (z) => hinge(z).mul(c.squeeze([1])));
  const change = x.sub<tf.Tensor2D>(space.mappedBack);
  // dx/dw = 2x(1 − x)
  const slope = gradient.add(change.mul(2)).mul(x.mul(tf.sub(1, x)).mul(2));
  const first = state.first.mul(beta1).add<tf.Tensor2D>(slope.mul(1 - beta1));
  const second = state.second.mul(beta2).add<tf.Tensor2D>(tf.square(slope).mul(1 - beta2));
  const update = first.div(1 - beta1 ** step).div(tf.sqrt(second.div(1 - beta2 ** step)).add(adamEpsilon));
  const delta = state.delta.sub<tf.Tensor2D>(update.mul(settings.learningRate));
  const hit = tf.greater(gap(logits), settings.confidence).toFloat();
  const misclassified = tf.greater(gap(logits), 0).toFloat();
  const distance = rowNorms(x.sub(space.origin), 'l2').squeeze([1]);
  const spent = tf.sum(tf.square(change), 1);
  const loss = spent.add(hinge(logits).mul(c.squeeze([1])));
  const mistakeLoss =
    settings.confidence > 0 ? spent.add(tf.relu(tf.neg(gap(logits))).mul(c.squeeze([1]))) : loss;
  return {
    state: { delta, first, second },
    x,
    numbers: tf.stack([loss, hit, distance, misclassified, mistakeLoss]) as tf.Tensor2D, // five rows of [n]
  };
};

/** `[rows, 1]`. */
const column = (values: Float64Array, rows: Int32Array): tf.Tensor2D =>
  tf.tensor2d(
    Float32Array.from(rows, (row) => values[row]!),
    [rows.length, 1],
  );

const takeAll = <T extends Readonly<Record<string, tf.Tensor2D>>>(tensors: T, rows: Int32Array): T =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, takeRows(tensor, rows)])) as T; // same keys
