/**
 * Carlini & Wagner L2 (2017, §V–VI), as in Foolbox 3: Adam on δ in tanh space, minimising ‖x − x̂‖² + c·max(0, z_y − max z_j + κ), and
 * per image a search for the least c that succeeds. Each image stops a constant of its own when its loss stops falling.
 */
import type { AttackSettings } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { createNearest, keepConfirmed, type Nearest } from '../hits.ts';
import { margin } from '../losses.ts';
import { rowNorms } from '../norms.ts';
import { oneHot, pick, positions, takeRows } from '../rows.ts';

type Settings = AttackSettings<'cw-l2'>;

/** Keeps tanh⁻¹ finite at black and white. */
const inside = 0.999999;
const [beta1, beta2, tiny] = [0.9, 0.999, 1e-8];

export const carliniWagner: Attack<'cw-l2'> = async (context, settings) => {
  const { images, labels } = context;
  const least = new Float64Array(labels.length);
  const greatest = new Float64Array(labels.length).fill(Number.POSITIVE_INFINITY);
  const constants = Float64Array.from(labels, () => settings.initialConstant);
  const steps = new Int32Array(labels.length);
  const queries = new Int32Array(labels.length);
  const nearest = createNearest(images);
  for (let search = 0; search < settings.searchSteps; search++) {
    if (search === settings.searchSteps - 1 && settings.searchSteps >= 10)
      constants.forEach((_, row) => {
        constants[row] = Math.min(greatest[row]!, 1e10);
      });
    const succeeded = await descend(context, settings, constants, nearest, { steps, queries });
    constants.forEach((constant, row) => {
      if (succeeded[row] === 1) greatest[row] = constant;
      else least[row] = constant;
      constants[row] = Number.isFinite(greatest[row]!) ? (least[row]! + greatest[row]!) / 2 : constant * 10;
    });
  }
  return { adversarials: nearest.take(), steps, queries };
};

type State = { readonly delta: tf.Tensor2D; readonly first: tf.Tensor2D; readonly second: tf.Tensor2D };

/** One constant per image: `steps` steps of Adam from δ = 0. Returns 1 for every image that it fools. */
const descend = async (
  context: AttackContext,
  settings: Settings,
  constants: Float64Array,
  nearest: Nearest,
  { steps, queries }: { readonly steps: Int32Array; readonly queries: Int32Array },
): Promise<Uint8Array> => {
  const { images, labels, model } = context;
  const succeeded = new Uint8Array(labels.length);
  const lossAtCheck = new Float64Array(labels.length).fill(Number.POSITIVE_INFINITY);
  const period = Math.ceil(settings.steps / 10);
  let rows = positions(labels.length, () => true);
  let space = attackSpace(images);
  let c = column(constants, rows);
  let state: State = {
    delta: tf.zerosLike(images),
    first: tf.zerosLike(images),
    second: tf.zerosLike(images),
  };
  for (let step = 1; step <= settings.steps && rows.length > 0; step++) {
    await context.yieldToEventLoop();
    const truth = oneHot(pick(labels, rows), model.classes);
    const { x, numbers, ...next } = tf.tidy(() => descent(context, settings, space, c, truth, state, step));
    const values = await numbers.data<'float32'>();
    tf.dispose([truth, numbers, ...Object.values(state)]);
    state = next.state;
    const suspects = positions(rows.length, (i) => values[rows.length + i] === 1);
    const candidates = { x, owners: rows, distances: values.subarray(2 * rows.length) };
    const { asked, hits } = await keepConfirmed(nearest, model, labels, candidates, suspects);
    x.dispose();
    for (const i of asked) queries[rows[i]!]!++;
    for (const i of hits) succeeded[rows[i]!] = 1;
    for (const row of rows) {
      steps[row]!++;
      queries[row]!++;
    }
    if ((step - 1) % period !== 0) continue;
    const going = positions(rows.length, (i) => {
      const goesOn = values[i]! <= 0.9999 * lossAtCheck[rows[i]!]!;
      lossAtCheck[rows[i]!] = values[i]!;
      return goesOn;
    });
    if (going.length === rows.length) continue;
    const kept = { space: takeAll(space, going), state: takeAll(state, going) };
    tf.dispose([...Object.values(space), ...Object.values(state), c]);
    ({ space, state } = kept);
    rows = pick(rows, going);
    c = column(constants, rows);
  }
  tf.dispose([...Object.values(space), ...Object.values(state), c]);
  return succeeded;
};

type Space = { readonly origin: tf.Tensor2D; readonly w: tf.Tensor2D; readonly round: tf.Tensor2D };

/** x = (tanh(w) + 1) / 2 = σ(2w); `round` is what the image becomes on the way there and back. */
const attackSpace = (images: tf.Tensor2D): Space =>
  tf.tidy(() => {
    const u = images.mul<tf.Tensor2D>(2).sub<tf.Tensor2D>(1).mul<tf.Tensor2D>(inside);
    const w = tf.log(tf.add<tf.Tensor2D>(1, u).div(tf.sub(1, u))).mul<tf.Tensor2D>(0.5);
    return { origin: images.clone(), w, round: tf.sigmoid(w.mul<tf.Tensor2D>(2)) };
  });

const descent = (
  { model }: AttackContext,
  settings: Settings,
  space: Space,
  c: tf.Tensor2D,
  truth: tf.Tensor2D,
  state: State,
  step: number,
) => {
  const x: tf.Tensor2D = tf.sigmoid(space.w.add<tf.Tensor2D>(state.delta).mul<tf.Tensor2D>(2));
  const gap = margin(truth); // max z_j − z_y, positive where the model errs
  const hinge = (logits: tf.Tensor2D) => tf.relu(tf.sub(settings.confidence, gap(logits)));
  const { logits, gradient } = model.gradient(x, (z) => hinge(z).mul(c.squeeze([1])));
  const away = x.sub<tf.Tensor2D>(space.round);
  // dx/dw = 2x(1 − x)
  const slope = gradient.add(away.mul(2)).mul(x.mul(tf.sub(1, x)).mul(2));
  const first = state.first.mul(beta1).add<tf.Tensor2D>(slope.mul(1 - beta1));
  const second = state.second.mul(beta2).add<tf.Tensor2D>(tf.square(slope).mul(1 - beta2));
  const change = first.div(1 - beta1 ** step).div(tf.sqrt(second.div(1 - beta2 ** step)).add(tiny));
  const delta = state.delta.sub<tf.Tensor2D>(change.mul(settings.learningRate));
  const hit = tf.greater(gap(logits), settings.confidence).toFloat();
  const loss = tf.sum(tf.square(away), 1).add(hinge(logits).mul(c.squeeze([1])));
  return {
    state: { delta, first, second },
    x,
    numbers: tf.stack([loss, hit, rowNorms(x.sub(space.origin), 'l2').squeeze([1])]) as tf.Tensor2D, // three rows of [n]
  };
};

const column = (values: Float64Array, rows: Int32Array): tf.Tensor2D =>
  tf.tensor2d(
    Float32Array.from(rows, (row) => values[row]!),
    [rows.length, 1],
  );

const takeAll = <T extends Readonly<Record<string, tf.Tensor2D>>>(tensors: T, rows: Int32Array): T =>
  Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, takeRows(tensor, rows)])) as T; // same keys
