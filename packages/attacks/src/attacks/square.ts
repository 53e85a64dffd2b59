/**
 * Square Attack (Andriushchenko et al. 2020, Algorithms 1–3; `autoattack/square.py`): changes random squares and keeps a change when the
 * margin falls. The search sees logits, no gradient. Every image draws its own squares.
 *
 * Norm: L∞ or L2. Images: rows of [batch, 28, 28, 1] in [0, 1]. Cost per image: at most `queries` forward passes.
 */
import type { AttackSettings } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack } from '../attack.ts';
import { indicesWhere, valuesAt } from '../batch-rows.ts';
import { marginsOf, type PixelGrid, pixelGrid } from '../flat-model.ts';
import type { Norm } from '../norms.ts';
import type { Random } from '../random.ts';

/** The first candidate of an image, and a change of the best candidate so far. Both write into `target`, a row of pixels in [0, 1]. */
type Proposals = {
  readonly start: (
    target: Float32Array,
    image: Float32Array,
    grid: PixelGrid,
    epsilon: number,
    random: Random,
  ) => void;
  readonly propose: (
    target: Float32Array,
    image: Float32Array,
    best: Float32Array,
    grid: PixelGrid,
    epsilon: number,
    area: number,
    random: Random,
  ) => void;
};

export const square =
  (norm: Norm): Attack<'square-linf' | 'square-l2'> =>
  async (context, settings) => {
    const { model, images, labels } = context;
    const grid = pixelGrid(model.shape);
    const { start, propose } = proposals[norm];
    const clean = await images.data<'float32'>();
    const rowOf = (values: Float32Array, row: number) =>
      values.subarray(row * model.width, (row + 1) * model.width);
    const best = new Float32Array(clean.length);
    const margins = new Float32Array(labels.length).fill(Number.POSITIVE_INFINITY);
    const queries = new Int32Array(labels.length);
    const randoms = Array.from(labels, (_, row) => context.random(row));
    let rows = indicesWhere(labels.length, () => true);
    for (let query = 0; query < settings.queries && rows.length > 0; query++) {
      await context.yieldToEventLoop();
      const area = settings.area / shrinkage(query, settings);
      const proposed = new Float32Array(rows.length * model.width);
      rows.forEach((row, i) => {
        const target = rowOf(proposed, i);
        if (query === 0) start(target, rowOf(clean, row), grid, settings.epsilon, randoms[row]!);
        else
          propose(target, rowOf(clean, row), rowOf(best, row), grid, settings.epsilon, area, randoms[row]!);
      });
      const result = await marginsOf(model, proposed, valuesAt(labels, rows));
      rows.forEach((row, i) => {
        queries[row]!++;
        const isLower = result.margins[i]! < margins[row]!; // false for a NaN
        if (isLower) margins[row] = result.margins[i]!;
        if (query > 0 && !isLower && !result.fooled[i]) return;
        rowOf(best, row).set(rowOf(proposed, i));
      });
      rows = valuesAt(
        rows,
        indicesWhere(rows.length, (i) => !result.fooled[i]),
      );
    }
    return { adversarials: tf.tensor2d(best, [labels.length, model.width]), steps: queries.slice(), queries };
  };

/** The divisor of the squares' area, which grows during the search: the paper's schedule for 10,000 queries, scaled to `queries`. */
const shrinkage = (query: number, { queries }: AttackSettings<'square-linf'>): number => {
  const scaled = Math.floor(((query - 1) / queries) * 10_000);
  return 2 ** [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000].filter((limit) => scaled > limit).length;
};

const drawSign = (random: Random): 1 | -1 => (random.uniform() < 0.5 ? -1 : 1);

/** L∞ (§3.3): vertical stripes of ±ε. */
const startStripes: Proposals['start'] = (target, image, { height, width, channels }, epsilon, random) => {
  for (let x = 0; x < width; x++)
    for (let channel = 0; channel < channels; channel++) {
      const change = epsilon * drawSign(random);
      for (let y = 0; y < height; y++) {
        const at = (y * width + x) * channels + channel;
        target[at] = limit(image[at]! + change, image[at]!, epsilon);
      }
    }
};

/** L∞ (§3.3): one square moves by ±2ε inside the ball. */
const proposeSquare: Proposals['propose'] = (
  target,
  image,
  best,
  { height, width, channels, pixels },
  epsilon,
  area,
  random,
) => {
  target.set(best);
  const side = Math.min(Math.max(Math.round(Math.sqrt(area * pixels)), 1), height, width);
  const top = random.integer(height - side + 1);
  const left = random.integer(width - side + 1);
  for (let channel = 0; channel < channels; channel++) {
    const change = 2 * epsilon * drawSign(random);
    for (let y = top; y < top + side; y++)
      for (let x = left; x < left + side; x++) {
        const at = (y * width + x) * channels + channel;
        target[at] = limit(best[at]! + change, image[at]!, epsilon);
      }
  }
};

/** Clips a value to the ball around `pixel`, then to [0, 1]. */
const limit = (value: number, pixel: number, epsilon: number): number =>
  Math.min(1, Math.max(0, Math.min(pixel + epsilon, Math.max(pixel - epsilon, value))));

/** L2 (§3.4): five by five tiles of bump pairs. */
const startTiles: Proposals['start'] = (target, image, grid, epsilon, random) => {
  const { height, width, channels } = grid;
  const side = Math.max(Math.floor(height / 5), 1);
  const delta = new Float64Array(image.length);
  const edge = Math.floor((height - side * 5) / 2);
  for (let top = Math.max(edge, 0); top + side <= height; top += side)
    for (let left = Math.max(edge, 0); left + side <= width; left += side) {
      const tile = bumpPair(side, random);
      for (let channel = 0; channel < channels; channel++) {
        const sign = drawSign(random);
        forEachInSquare(grid, top, left, side, channel, (at, inSquare) => {
          delta[at] = delta[at]! + sign * tile[inSquare]!;
        });
      }
    }
  spendBudget(target, image, delta, epsilon);
};

/** L2 (§3.4): takes the budget of one window, and gives it with the unspent budget to another window, in the shape of a bump pair. */
const proposeWindows: Proposals['propose'] = (target, image, best, grid, epsilon, area, random) => {
  const { height, width, channels, pixels } = grid;
  const wanted = Math.max(Math.round(Math.sqrt(area * pixels)), 3);
  const side = Math.min(wanted % 2 === 0 ? wanted + 1 : wanted, height, width);
  const [top, left] = [random.integer(height - side + 1), random.integer(width - side + 1)];
  const [fromTop, fromLeft] = [random.integer(height - side + 1), random.integer(width - side + 1)];
  const delta = Float64Array.from(image, (value, i) => best[i]! - value);
  const unspent = Math.max(epsilon ** 2 - length(delta) ** 2, 0) / channels;
  const shape = bumpPair(side, random);
  for (let channel = 0; channel < channels; channel++) {
    const [old, both] = windowLengths(grid, delta, channel, side, { top, left, fromTop, fromLeft });
    const sign = drawSign(random);
    const window = new Float64Array(side * side);
    forEachInSquare(grid, top, left, side, channel, (at, inSquare) => {
      window[inSquare] = sign * shape[inSquare]! + delta[at]! / (old + 1e-12);
    });
    const factor = Math.sqrt(unspent + both) / Math.max(length(window), 1e-12);
    forEachInSquare(grid, fromTop, fromLeft, side, channel, (at) => {
      delta[at] = 0;
    });
    forEachInSquare(grid, top, left, side, channel, (at, inSquare) => {
      delta[at] = window[inSquare]! * factor;
    });
  }
  spendBudget(target, image, delta, epsilon);
};

/** A bump up and a bump down in a square of `side × side`, one above the other or side by side. The L2 length of the pair is 1. */
const bumpPair = (side: number, random: Random): Float64Array => {
  const half = Math.floor(side / 2);
  const values = new Float64Array(side * side);
  values.set(bump(half, side));
  values.set(scale(bump(side - half, side), -1), half * side);
  const unit = scale(values, 1 / Math.max(length(values), 1e-12));
  if (random.uniform() < 0.5) return unit;
  return unit.map((_, at) => unit[(at % side) * side + Math.floor(at / side)]!);
};

/** A bump over `rows × columns`: the sum of nested rectangles of weight 1/k², scaled to L2 length 1. */
const bump = (rows: number, columns: number): Float64Array => {
  const values = new Float64Array(rows * columns);
  let [top, left] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  for (let k = 0; k < Math.max(Math.floor(rows / 2) + 1, Math.floor(columns / 2) + 1); k++, top--, left--)
    for (let y = Math.max(top, 0); y < Math.min(top + 2 * k + 1, rows); y++)
      for (let x = Math.max(left, 0); x < Math.min(left + 2 * k + 1, columns); x++)
        values[y * columns + x]! += 1 / (k + 1) ** 2;
  return scale(values, 1 / Math.max(length(values), 1e-12));
};

const length = (values: Float64Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
const scale = (values: Float64Array, factor: number): Float64Array => values.map((value) => value * factor);

/** image + δ scaled to length ε, clipped to [0, 1]. */
const spendBudget = (
  target: Float32Array,
  image: Float32Array,
  delta: Float64Array,
  epsilon: number,
): void => {
  const factor = epsilon / Math.max(length(delta), 1e-12);
  for (let i = 0; i < target.length; i++)
    target[i] = Math.min(1, Math.max(0, image[i]! + delta[i]! * factor));
};

/** The upper left corners of the window that gets budget and of the window that gives it. */
type Windows = {
  readonly top: number;
  readonly left: number;
  readonly fromTop: number;
  readonly fromLeft: number;
};

/** The length of δ in the window that gets budget, and the squared length of δ in both windows together. */
const windowLengths = (
  grid: PixelGrid,
  delta: Float64Array,
  channel: number,
  side: number,
  { top, left, fromTop, fromLeft }: Windows,
) => {
  let [filled, both] = [0, 0];
  forEachInSquare(grid, top, left, side, channel, (at) => {
    filled += delta[at]! ** 2;
  });
  forEachInSquare(grid, fromTop, fromLeft, side, channel, (at) => {
    const pixel = Math.floor(at / grid.channels);
    const [y, x] = [Math.floor(pixel / grid.width), pixel % grid.width];
    if (y < top || y >= top + side || x < left || x >= left + side) both += delta[at]! ** 2;
  });
  return [Math.sqrt(filled), filled + both] as const;
};

/** Visits every value of one channel in a square, with its index in the image and in the square. */
const forEachInSquare = (
  { width, channels }: PixelGrid,
  top: number,
  left: number,
  side: number,
  channel: number,
  visit: (at: number, inSquare: number) => void,
): void => {
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) visit(((top + y) * width + left + x) * channels + channel, y * side + x);
};

const proposals: Readonly<Record<Norm, Proposals>> = {
  linf: { start: startStripes, propose: proposeSquare },
  l2: { start: startTiles, propose: proposeWindows },
};
