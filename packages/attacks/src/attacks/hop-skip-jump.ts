/**
 * HopSkipJump in L2 (Chen et al. 2020, Algorithm 2; as in Foolbox 3). The attack sees only predicted classes. From a noisy start it goes to
 * the boundary; then each step estimates the boundary's normal from the decisions around the point, moves along the normal and returns to
 * the boundary.
 *
 * Norm: L2, no budget. Images: rows of [batch, 28, 28, 1] in [0, 1].
 * Cost per image: no gradient; in step t `initialEvaluations`·√t forward passes, at most `maxEvaluations`, and some tens of forward passes
 * for the searches.
 */
import { isMistake } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack, AttackContext } from '../attack.ts';
import { indicesWhere, valuesAt } from '../batch-rows.ts';
import { partsOf } from '../input.ts';
import { owning } from '../ownership.ts';
import type { Random } from '../random.ts';

/** The start draws noise at most this often, until a draw fools the model, and then tries this many shares of noise in the image. */
const startDraws = 50;
const blendSteps = 50;
/** After this many halvings a step is below the resolution of float32. */
const maxHalvings = 30;

export const hopSkipJump: Attack<'hop-skip-jump-l2'> = async (context, settings) => {
  const { model, images, labels } = context;
  const { width } = model;
  const clean = await images.data<'float32'>();
  const queries = new Int32Array(labels.length);
  const steps = new Int32Array(labels.length);
  const fools = createDecision(context, queries);
  const randoms = Array.from(labels, (_, row) => context.random(row));
  const x = clean.slice(); // the adversarials, row by row
  const threshold = settings.gamma / (width * Math.sqrt(width));
  const noisy = await blendNoise(fools, clean, x, randoms, width);
  const others = indicesWhere(labels.length, (row) => !noisy.includes(row));
  const rows = Int32Array.of(...noisy, ...(await startFromImages(context, fools, clean, x, others))).sort();
  await bisectToBoundary(fools, clean, x, rows, width, threshold);
  for (let step = 0; step < settings.steps; step++) {
    const distances = Float64Array.from(rows, (row) => rowDistance(clean, x, row, width));
    const radius = (i: number): number => (step === 0 ? 0.1 : Math.sqrt(width) * threshold * distances[i]!);
    const evaluations = Math.floor(
      Math.min(settings.initialEvaluations * Math.sqrt(step + 1), settings.maxEvaluations),
    );
    const normals: Float64Array[] = [];
    for (const [i, row] of rows.entries()) {
      const point = x.subarray(row * width, (row + 1) * width);
      normals.push(await estimateNormal(fools, point, row, radius(i), evaluations, randoms[row]!));
    }
    const sizes = Float64Array.from(distances, (distance) => distance / Math.sqrt(step + 1));
    await stepAlongNormals(fools, x, rows, normals, sizes, width);
    await bisectToBoundary(fools, clean, x, rows, width, threshold);
    for (const row of rows) steps[row]!++;
  }
  return { adversarials: tf.tensor2d(x, [labels.length, width]), steps, queries };
};

/** Returns 1 for every row of `values` that fools the model. Row i belongs to image `owners[i]`. One forward pass per row. */
type Decision = (values: Float32Array, owners: Int32Array) => Promise<Uint8Array>;

const createDecision =
  ({ model, labels, yieldToEventLoop }: AttackContext, queries: Int32Array): Decision =>
  async (values, owners) => {
    await yieldToEventLoop();
    const classes = await owning((own) =>
      model.predict(own(tf.tensor2d(values, [owners.length, model.width]))),
    );
    return Uint8Array.from(owners, (row, i) => {
      queries[row]!++;
      return isMistake(classes[i]!, labels[row]!) ? 1 : 0;
    });
  };

const rowDistance = (a: Float32Array, b: Float32Array, row: number, width: number): number => {
  let sum = 0;
  for (let i = row * width; i < (row + 1) * width; i++) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
};

const clip = (value: number): number => Math.min(1, Math.max(0, value));

/**
 * Blends the smallest share of uniform noise that fools the model into every image. Returns the images for which some noise fools the
 * model.
 */
const blendNoise = async (
  fools: Decision,
  clean: Float32Array,
  x: Float32Array,
  randoms: readonly Random[],
  width: number,
): Promise<Int32Array> => {
  let unfooled = Int32Array.from(randoms.keys());
  for (let draw = 0; draw < startDraws && unfooled.length > 0; draw++) {
    const noise = Float32Array.from({ length: unfooled.length * width }, (_, at) =>
      randoms[unfooled[Math.floor(at / width)]!]!.uniform(),
    );
    const noiseFools = await fools(noise, unfooled);
    const fooled = indicesWhere(unfooled.length, (i) => noiseFools[i] === 1);
    // The noise itself is the result unless some blend fools the model too.
    for (const i of fooled) x.set(noise.subarray(i * width, (i + 1) * width), unfooled[i]! * width);
    let open = fooled;
    for (let share = 1; share <= blendSteps && open.length > 0; share++) {
      const blended = new Float32Array(open.length * width);
      open.forEach((i, k) => {
        for (let j = 0; j < width; j++) {
          const pixel = clean[unfooled[i]! * width + j]!;
          blended[k * width + j] = pixel + (share / blendSteps) * (noise[i * width + j]! - pixel);
        }
      });
      const hits = await fools(blended, valuesAt(unfooled, open));
      open.forEach((i, k) => {
        if (hits[k] === 1) x.set(blended.subarray(k * width, (k + 1) * width), unfooled[i]! * width);
      });
      open = open.filter((_, k) => hits[k] === 0);
    }
    unfooled = unfooled.filter((_, i) => noiseFools[i] === 0);
  }
  const neverFooled = new Set(unfooled);
  return Int32Array.from(randoms.keys()).filter((row) => !neverFooled.has(row));
};

/** How many images of other classes, the nearest ones first, and how many coarse patterns a start tries. */
const startImages = 100;
const startPatterns = 50;

/**
 * Starts for images for which no noise fools the model, as when the model takes all noise for the image's own class: the nearest images of
 * other classes among those of the evaluation, then patterns of coarse blocks. Returns the rows that got a start.
 */
const startFromImages = async (
  { model, labels, random, resources }: AttackContext,
  fools: Decision,
  clean: Float32Array,
  x: Float32Array,
  rows: Int32Array,
): Promise<Int32Array> => {
  const { width } = model;
  if (rows.length === 0) return rows;
  const { images } = resources.pool;
  const candidates = nearestOthers(resources.pool, { clean, labels, rows, partSize: model.batchSize });
  const patterns = Array.from(rows, (row) => random(row, 'pattern'));
  const most = Math.max(...candidates.map(({ length }) => length));
  let open = Array.from(rows.keys());
  for (let attempt = 0; attempt < most + startPatterns && open.length > 0; attempt++) {
    const values = new Float32Array(open.length * width);
    open.forEach((i, k) => {
      const other = candidates[i]![attempt];
      values.set(
        other === undefined ? coarsePattern(model.shape, patterns[i]!) : images.read(Int32Array.of(other)),
        k * width,
      );
    });
    const hits = await fools(
      values,
      Int32Array.from(open, (i) => rows[i]!),
    );
    open.forEach((i, k) => {
      if (hits[k] === 1) x.set(values.subarray(k * width, (k + 1) * width), rows[i]! * width);
    });
    open = open.filter((_, k) => hits[k] === 0);
  }
  const unfooled = new Set(open.map((i) => rows[i]!));
  return rows.filter((row) => !unfooled.has(row));
};

type Rows = {
  /** `[n, width]`. */
  readonly clean: Float32Array;
  readonly labels: Int32Array;
  /** The rows for which others are wanted. */
  readonly rows: Int32Array;
  /** Images of the pool that are in memory at a time. */
  readonly partSize: number;
};

/** For each of the rows, up to `startImages` images of the pool with another label, the nearest ones first. */
const nearestOthers = (
  { images, labels: classes }: AttackContext['resources']['pool'],
  { clean, labels, rows, partSize }: Rows,
): readonly (readonly number[])[] => {
  let nearest: readonly (readonly { readonly other: number; readonly distance: number }[])[] = Array.from(
    rows,
    () => [],
  );
  for (const part of partsOf(images.count, partSize)) {
    const pool = images.read(part);
    nearest = nearest.map((found, i) => {
      const row = rows[i]!;
      const more = [...part.entries()]
        .filter(([, other]) => classes[other] !== labels[row])
        .map(([at, other]) => ({
          other,
          distance: distanceBetween(clean, row, pool, at, images.width),
        }));
      return [...found, ...more]
        .sort((a, b) => a.distance - b.distance || a.other - b.other)
        .slice(0, startImages);
    });
  }
  return nearest.map((found) => found.map(({ other }) => other));
};

const distanceBetween = (
  a: Float32Array,
  row: number,
  b: Float32Array,
  other: number,
  width: number,
): number => {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += (a[row * width + i]! - b[other * width + i]!) ** 2;
  return sum;
};

/** An image of about 4 × 4 blocks, each of one random value. */
const coarsePattern = (shape: readonly number[], random: Random): Float32Array => {
  const [height = 1, width = 1, channels = 1] = shape.length === 1 ? [1, shape[0]] : shape;
  const blocks = Float32Array.from({ length: 16 * channels }, () => random.uniform());
  return Float32Array.from({ length: height * width * channels }, (_, at) => {
    const [row, column] = [Math.floor(at / (width * channels)), Math.floor(at / channels) % width];
    const block = Math.floor((row * 4) / height) * 4 + Math.floor((column * 4) / width);
    return blocks[block * channels + (at % channels)]!;
  });
};

/** Bisects between every image and its adversarial to within `threshold` of their distance. The result stays adversarial. */
const bisectToBoundary = async (
  fools: Decision,
  clean: Float32Array,
  x: Float32Array,
  rows: Int32Array,
  width: number,
  threshold: number,
) => {
  // Shares of the way from the image to its adversarial: the smallest one that fools the model, the largest one that does not.
  const fooling = new Float64Array(rows.length).fill(1);
  const failing = new Float64Array(rows.length);
  const pointsAt = (shares: Float64Array): Float32Array => {
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
    const middle = fooling.map((share, i) => (share + failing[i]!) / 2);
    const hits = await fools(pointsAt(middle), rows);
    hits.forEach((hit, i) => {
      if (hit === 1) fooling[i] = middle[i]!;
      else failing[i] = middle[i]!;
    });
  }
  const values = pointsAt(fooling);
  rows.forEach((row, i) => {
    if (fooling[i] !== 1) x.set(values.subarray(i * width, (i + 1) * width), row * width);
  });
};

/** The unit normal of the boundary at `x`, from the decisions at `evaluations` points around it (eq. 16, with the mean subtracted). */
const estimateNormal = async (
  fools: Decision,
  x: Float32Array,
  row: number,
  radius: number,
  evaluations: number,
  random: Random,
) => {
  const width = x.length;
  const points = new Float32Array(evaluations * width);
  for (let k = 0; k < evaluations; k++) {
    const point = points.subarray(k * width, (k + 1) * width);
    let squares = 0;
    for (let j = 0; j < width; j++) {
      point[j] = random.normal();
      squares += point[j]! ** 2;
    }
    const factor = radius / (Math.sqrt(squares) + 1e-12);
    for (let j = 0; j < width; j++) point[j] = clip(x[j]! + point[j]! * factor);
  }
  const hits = await fools(points, new Int32Array(evaluations).fill(row));
  const mean = (2 * hits.reduce((sum, hit) => sum + hit, 0)) / evaluations - 1;
  const normal = new Float64Array(width);
  hits.forEach((hit, k) => {
    const weight = 2 * hit - 1 - (Math.abs(mean) === 1 ? 0 : mean);
    for (let j = 0; j < width; j++) normal[j]! += weight * (points[k * width + j]! - x[j]!);
  });
  const size = Math.sqrt(normal.reduce((sum, value) => sum + value * value, 0)) + 1e-12;
  return normal.map((value) => value / size);
};

/** Moves every point along its normal. Halves a step until its end fools the model. */
const stepAlongNormals = async (
  fools: Decision,
  x: Float32Array,
  rows: Int32Array,
  normals: readonly Float64Array[],
  sizes: Float64Array,
  width: number,
) => {
  let open = indicesWhere(rows.length, () => true);
  for (let halving = 0; halving < maxHalvings && open.length > 0; halving++) {
    const proposed = new Float32Array(open.length * width);
    open.forEach((i, k) => {
      for (let j = 0; j < width; j++)
        proposed[k * width + j] = clip(x[rows[i]! * width + j]! + sizes[i]! * normals[i]![j]!);
    });
    const hits = await fools(proposed, valuesAt(rows, open));
    open.forEach((i, k) => {
      if (hits[k] === 1) x.set(proposed.subarray(k * width, (k + 1) * width), rows[i]! * width);
      else sizes[i]! /= 2;
    });
    open = open.filter((_, k) => hits[k] === 0);
  }
};
