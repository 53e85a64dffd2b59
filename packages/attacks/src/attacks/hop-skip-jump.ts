/**
 * HopSkipJump in L2 (Chen et al. 2020, Algorithm 2; as in Foolbox 3): sees nothing but the predicted class. From a noisy start it goes to
 * the boundary, estimates its normal from the decisions around, steps along it, and returns to the boundary.
 */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import type { Random } from '../random.ts';
import { pick, positions } from '../rows.ts';

/** Draws of noise until one can be blended in to fool the model, and steps of the blend. */
const startDraws = 50;
const blendSteps = 50;
/** Halvings of a step before it is given up: by then it is below float32's resolution. */
const maxHalvings = 30;

export const hopSkipJump: Attack<'hop-skip-jump-l2'> = async (context, settings) => {
  const { model, images, labels } = context;
  const { width } = model;
  const clean = await images.data<'float32'>();
  const queries = new Int32Array(labels.length);
  const steps = new Int32Array(labels.length);
  const ask = asker(context, queries);
  const randoms = Array.from(labels, (_, row) => context.random(row));
  const x = clean.slice();
  const threshold = settings.gamma / (width * Math.sqrt(width));
  const rows = await blend(ask, clean, x, randoms, width);
  await toBoundary(ask, clean, x, rows, width, threshold);
  for (let step = 0; step < settings.steps; step++) {
    const distances = Float64Array.from(rows, (row) => distance(clean, x, row, width));
    const radius = (i: number): number => (step === 0 ? 0.1 : Math.sqrt(width) * threshold * distances[i]!);
    const evaluations = Math.floor(
      Math.min(settings.initialEvaluations * Math.sqrt(step + 1), settings.maxEvaluations),
    );
    const normals: Float64Array[] = [];
    for (const [i, row] of rows.entries())
      normals.push(
        await boundaryNormal(
          ask,
          x.subarray(row * width, (row + 1) * width),
          row,
          radius(i),
          evaluations,
          randoms[row]!,
        ),
      );
    await jump(
      ask,
      x,
      rows,
      normals,
      Float64Array.from(distances, (d) => d / Math.sqrt(step + 1)),
      width,
    );
    await toBoundary(ask, clean, x, rows, width, threshold);
    for (const row of rows) steps[row]!++;
  }
  return { adversarials: tf.tensor2d(x, [labels.length, width]), steps, queries };
};

/** Whether each of `values`' rows fools the model; row i belongs to image `owners[i]`. */
type Ask = (values: Float32Array, owners: Int32Array) => Promise<Uint8Array>;

const asker =
  ({ model, labels, yieldToEventLoop }: AttackContext, queries: Int32Array): Ask =>
  async (values, owners) => {
    await yieldToEventLoop();
    const x = tf.tensor2d(values, [owners.length, model.width]);
    const classes = await model.predict(x);
    x.dispose();
    return Uint8Array.from(owners, (row, i) => {
      queries[row]!++;
      return isMistake(classes[i]!, labels[row]!) ? 1 : 0;
    });
  };

const distance = (a: Float32Array, b: Float32Array, row: number, width: number): number => {
  let sum = 0;
  for (let i = row * width; i < (row + 1) * width; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
};

const clip = (value: number): number => Math.min(1, Math.max(0, value));

/** Blends uniform noise into every image, as little as fools the model. Returns the images for which some noise did. */
const blend = async (
  ask: Ask,
  clean: Float32Array,
  x: Float32Array,
  randoms: readonly Random[],
  width: number,
): Promise<Int32Array> => {
  let waiting = Int32Array.from(randoms.keys());
  for (let draw = 0; draw < startDraws && waiting.length > 0; draw++) {
    const noise = Float32Array.from({ length: waiting.length * width }, (_, at) =>
      randoms[waiting[Math.floor(at / width)]!]!.uniform(),
    );
    const full = await ask(noise, waiting);
    const fooling = positions(waiting.length, (i) => full[i] === 1);
    for (const i of fooling) x.set(noise.subarray(i * width, (i + 1) * width), waiting[i]! * width); // itself a hit, should no blend be one
    let open = fooling;
    for (let share = 1; share <= blendSteps && open.length > 0; share++) {
      const blended = new Float32Array(open.length * width);
      open.forEach((i, place) => {
        for (let j = 0; j < width; j++) {
          const pixel = clean[waiting[i]! * width + j]!;
          blended[place * width + j] = pixel + (share / blendSteps) * (noise[i * width + j]! - pixel);
        }
      });
      const hits = await ask(blended, pick(waiting, open));
      open.forEach((i, place) => {
        if (hits[place] === 1)
          x.set(blended.subarray(place * width, (place + 1) * width), waiting[i]! * width);
      });
      open = open.filter((_, place) => hits[place] === 0);
    }
    waiting = waiting.filter((_, i) => full[i] === 0);
  }
  const never = new Set(waiting);
  return Int32Array.from(randoms.keys()).filter((row) => !never.has(row));
};

/** Bisects between every image and its adversarial, to within `threshold` of the way, staying on the adversarial side. */
const toBoundary = async (
  ask: Ask,
  clean: Float32Array,
  x: Float32Array,
  rows: Int32Array,
  width: number,
  threshold: number,
) => {
  const reach = new Float64Array(rows.length).fill(1);
  const short = new Float64Array(rows.length);
  const point = (shares: Float64Array): Float32Array => {
    const values = new Float32Array(rows.length * width);
    rows.forEach((row, i) => {
      for (let j = 0; j < width; j++) {
        const pixel = clean[row * width + j]!;
        values[i * width + j] = pixel + shares[i]! * (x[row * width + j]! - pixel);
      }
    });
    return values;
  };
  for (let gap = 1; rows.length > 0 && gap > threshold; gap /= 2) {
    const middle = reach.map((far, i) => (far + short[i]!) / 2);
    const hits = await ask(point(middle), rows);
    hits.forEach((hit, i) => {
      if (hit === 1) reach[i] = middle[i]!;
      else short[i] = middle[i]!;
    });
  }
  const values = point(reach);
  rows.forEach((row, i) => {
    if (reach[i] !== 1) x.set(values.subarray(i * width, (i + 1) * width), row * width);
  });
};

/** Unit normal of the boundary at `x`, from the decisions at `evaluations` points around it (eq. 16, with the mean subtracted). */
const boundaryNormal = async (
  ask: Ask,
  x: Float32Array,
  row: number,
  radius: number,
  evaluations: number,
  random: Random,
) => {
  const width = x.length;
  const around = new Float32Array(evaluations * width);
  for (let k = 0; k < evaluations; k++) {
    const at = around.subarray(k * width, (k + 1) * width);
    let squares = 0;
    for (let j = 0; j < width; j++) {
      at[j] = random.normal();
      squares += at[j]! ** 2;
    }
    const factor = radius / (Math.sqrt(squares) + 1e-12);
    for (let j = 0; j < width; j++) at[j] = clip(x[j]! + at[j]! * factor);
  }
  const hits = await ask(around, new Int32Array(evaluations).fill(row));
  const mean = (2 * hits.reduce((sum, hit) => sum + hit, 0)) / evaluations - 1;
  const normal = new Float64Array(width);
  hits.forEach((hit, k) => {
    const weight = 2 * hit - 1 - (Math.abs(mean) === 1 ? 0 : mean);
    for (let j = 0; j < width; j++) normal[j]! += weight * (around[k * width + j]! - x[j]!);
  });
  const size = Math.sqrt(normal.reduce((sum, value) => sum + value * value, 0)) + 1e-12;
  return normal.map((value) => value / size);
};

/** Steps along the normals, halved until they end on the adversarial side. */
const jump = async (
  ask: Ask,
  x: Float32Array,
  rows: Int32Array,
  normals: readonly Float64Array[],
  sizes: Float64Array,
  width: number,
) => {
  let open = positions(rows.length, () => true);
  for (let halving = 0; halving < maxHalvings && open.length > 0; halving++) {
    const proposed = new Float32Array(open.length * width);
    open.forEach((i, place) => {
      for (let j = 0; j < width; j++)
        proposed[place * width + j] = clip(x[rows[i]! * width + j]! + sizes[i]! * normals[i]![j]!);
    });
    const hits = await ask(proposed, pick(rows, open));
    open.forEach((i, place) => {
      if (hits[place] === 1) x.set(proposed.subarray(place * width, (place + 1) * width), rows[i]! * width);
      else sizes[i]! /= 2;
    });
    open = open.filter((_, place) => hits[place] === 0);
  }
};
