/**
 * Square Attack (Andriushchenko et al. 2020, Algorithms 1–3; `autoattack/square.py`): changes random squares and keeps a change when the
 * margin falls. The search sees logits, no gradient. Every image draws its own squares.
 *
 * Norm: L∞ or L2. Images: rows of [batch, 28, 28, 1] in [0, 1]. Cost per image: at most `queries` forward passes.
 */
import type { AttackSettings } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { type Attack, streaming } from '../attack.ts';
import { indicesWhere, valuesAt } from '../batch-rows.ts';
import { marginsOf, type PixelGrid, pixelGrid } from '../flat-model.ts';
import type { Norm } from '../norms.ts';
import type { Random } from '../random.ts';

/** Writes candidates into `target`, a row of pixels in [0, 1]. Proposals of one search share buffers, so calls may not overlap. */
type Proposals = {
  /** The first candidate of an image. */
  readonly start: (target: Float32Array, image: Float32Array, random: Random) => void;
  /** A change of the best candidate so far. `area`: the share of the pixels that it covers. */
  readonly propose: (
    target: Float32Array,
    image: Float32Array,
    best: Float32Array,
    area: number,
    random: Random,
  ) => void;
};

export const square = (norm: Norm): Attack<'square-linf' | 'square-l2'> =>
  streaming(async (context, settings) => {
    const { model, images, labels } = context;
    const { start, propose } = proposals[norm](pixelGrid(model.shape), settings.epsilon);
    const clean = await images.data<'float32'>();
    const rowOf = (values: Float32Array, row: number) =>
      values.subarray(row * model.width, (row + 1) * model.width);
    const best = new Float32Array(clean.length);
    const buffer = new Float32Array(clean.length);
    const margins = new Float32Array(labels.length).fill(Number.POSITIVE_INFINITY);
    const queries = new Int32Array(labels.length);
    const randoms = Array.from(labels, (_, row) => context.random(row));
    let rows = indicesWhere(labels.length, () => true);
    for (let query = 0; query < settings.queries && rows.length > 0; query++) {
      await context.yieldToEventLoop();
      const area = settings.area / shrinkage(query, settings);
      const proposed = buffer.subarray(0, rows.length * model.width);
      rows.forEach((row, i) => {
        const target = rowOf(proposed, i);
        if (query === 0) start(target, rowOf(clean, row), randoms[row]!);
        else propose(target, rowOf(clean, row), rowOf(best, row), area, randoms[row]!);
      });
      const result = await marginsOf(model, proposed, valuesAt(labels, rows));
      rows.forEach((row, i) => {
        queries[row]!++;
        const isLower = result.margins[i]! < margins[row]!; // false for a NaN
        if (isLower) margins[row] = result.margins[i]!;
        if (query > 0 && !isLower && !result.fooled[i]) return;
        rowOf(best, row).set(rowOf(proposed, i));
      });
      rows = rows.filter((_, i) => !result.fooled[i]);
    }
    return { adversarials: tf.tensor2d(best, [labels.length, model.width]), steps: queries.slice(), queries };
  });

/** The divisor of the squares' area, which grows during the search: the paper's schedule for 10,000 queries, scaled to `queries`. */
const shrinkage = (query: number, { queries }: AttackSettings<'square-linf'>): number => {
  const scaled = Math.floor(((query - 1) / queries) * 10_000);
  return 2 ** [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000].filter((limit) => scaled > limit).length;
};

const drawSign = (random: Random): 1 | -1 => (random.uniform() < 0.5 ? -1 : 1);

/** L∞ (§3.3). */
const stripesAndSquares = ({ height, width, channels, pixels }: PixelGrid, epsilon: number): Proposals => ({
  /** Vertical stripes of ±ε. */
  start: (target, image, random) => {
    for (let x = 0; x < width; x++)
      for (let channel = 0; channel < channels; channel++) {
        const change = epsilon * drawSign(random);
        for (let y = 0; y < height; y++) {
          const at = (y * width + x) * channels + channel;
          target[at] = limit(image[at]! + change, image[at]!, epsilon);
        }
      }
  },
  /** One square moves by ±2ε inside the ball. */
  propose: (target, image, best, area, random) => {
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
  },
});

/** Clips a value to the ball around `pixel`, then to [0, 1]. */
const limit = (value: number, pixel: number, epsilon: number): number =>
  Math.min(1, Math.max(0, Math.min(pixel + epsilon, Math.max(pixel - epsilon, value))));

/** L2 (§3.4). */
const tilesAndWindows = (grid: PixelGrid, epsilon: number): Proposals => {
  const { height, width, channels, pixels } = grid;
  const delta = new Float64Array(pixels * channels);
  const window = new Float64Array(pixels);
  const pairOf = createBumpPairs();
  /** Writes image + δ scaled to length ε, clipped to [0, 1]. */
  const spendBudget = (target: Float32Array, image: Float32Array): void => {
    const factor = epsilon / Math.max(Math.sqrt(squaredLength(delta)), 1e-12);
    for (let i = 0; i < target.length; i++) {
      const value = image[i]! + delta[i]! * factor;
      target[i] = value < 0 ? 0 : Math.min(value, 1); // Math.max takes longer
    }
  };
  return {
    /** Five by five tiles of bump pairs. */
    start: (target, image, random) => {
      const side = Math.max(Math.floor(height / 5), 1);
      const edge = Math.max(Math.floor((height - side * 5) / 2), 0);
      delta.fill(0);
      for (let top = edge; top + side <= height; top += side)
        for (let left = edge; left + side <= width; left += side) {
          const tile = pairOf(side, random);
          for (let channel = 0; channel < channels; channel++) {
            const sign = drawSign(random);
            for (let y = 0, inSquare = 0; y < side; y++)
              for (let x = 0; x < side; x++, inSquare++) {
                const at = ((top + y) * width + left + x) * channels + channel;
                delta[at] = delta[at]! + sign * tile[inSquare]!;
              }
          }
        }
      spendBudget(target, image);
    },
    /** Takes the budget of one window, and gives it with the unspent budget to another window, in the shape of a bump pair. */
    propose: (target, image, best, area, random) => {
      const wanted = Math.max(Math.round(Math.sqrt(area * pixels)), 3);
      const side = Math.min(wanted % 2 === 0 ? wanted + 1 : wanted, height, width);
      const [top, left] = [random.integer(height - side + 1), random.integer(width - side + 1)];
      const [fromTop, fromLeft] = [random.integer(height - side + 1), random.integer(width - side + 1)];
      let spent = 0;
      for (let i = 0; i < delta.length; i++) {
        const change = best[i]! - image[i]!;
        delta[i] = change;
        spent += change * change;
      }
      const unspent = Math.max(epsilon ** 2 - Math.sqrt(spent) ** 2, 0) / channels;
      const shape = pairOf(side, random);
      const filled = window.subarray(0, side * side);
      for (let channel = 0; channel < channels; channel++) {
        const windows = { top, left, fromTop, fromLeft };
        const [old, both] = windowLengths(grid, delta, channel, side, windows);
        const sign = drawSign(random);
        for (let y = 0, inSquare = 0; y < side; y++)
          for (let x = 0; x < side; x++, inSquare++) {
            const at = ((top + y) * width + left + x) * channels + channel;
            filled[inSquare] = sign * shape[inSquare]! + delta[at]! / (old + 1e-12);
          }
        const factor = Math.sqrt(unspent + both) / Math.max(Math.sqrt(squaredLength(filled)), 1e-12);
        for (let y = fromTop; y < fromTop + side; y++)
          for (let x = fromLeft; x < fromLeft + side; x++) delta[(y * width + x) * channels + channel] = 0;
        for (let y = 0, inSquare = 0; y < side; y++)
          for (let x = 0; x < side; x++, inSquare++)
            delta[((top + y) * width + left + x) * channels + channel] = filled[inSquare]! * factor;
      }
      spendBudget(target, image);
    },
  };
};

/**
 * Returns a function that draws a pair of bumps in a square of `side × side`, one up and one down, one above the other or side by side.
 * The L2 length of the pair is 1. A pair is computed once for each side.
 */
const createBumpPairs = (): ((side: number, random: Random) => Float64Array) => {
  const made = new Map<number, { readonly stacked: Float64Array; readonly beside: Float64Array }>();
  const make = (side: number) => {
    const half = Math.floor(side / 2);
    const values = new Float64Array(side * side);
    values.set(bump(half, side));
    values.set(scale(bump(side - half, side), -1), half * side);
    const stacked = scale(values, 1 / Math.max(Math.sqrt(squaredLength(values)), 1e-12));
    const beside = stacked.map((_, at) => stacked[(at % side) * side + Math.floor(at / side)]!);
    return { stacked, beside };
  };
  return (side, random) => {
    const pair = made.get(side) ?? make(side);
    made.set(side, pair);
    return random.uniform() < 0.5 ? pair.stacked : pair.beside;
  };
};

/** A bump over `rows × columns`: the sum of nested rectangles of weight 1/k², scaled to L2 length 1. */
const bump = (rows: number, columns: number): Float64Array => {
  const values = new Float64Array(rows * columns);
  let [top, left] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  for (let k = 0; k < Math.max(Math.floor(rows / 2) + 1, Math.floor(columns / 2) + 1); k++, top--, left--)
    for (let y = Math.max(top, 0); y < Math.min(top + 2 * k + 1, rows); y++)
      for (let x = Math.max(left, 0); x < Math.min(left + 2 * k + 1, columns); x++)
        values[y * columns + x]! += 1 / (k + 1) ** 2;
  return scale(values, 1 / Math.max(Math.sqrt(squaredLength(values)), 1e-12));
};

const squaredLength = (values: Float64Array): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
};
const scale = (values: Float64Array, factor: number): Float64Array => values.map((value) => value * factor);

/** The upper left corners of the window that gets budget and of the window that gives it. */
type Windows = {
  readonly top: number;
  readonly left: number;
  readonly fromTop: number;
  readonly fromLeft: number;
};

/** The length of δ in the window that gets budget, and the squared length of δ in both windows together. */
const windowLengths = (
  { width, channels }: PixelGrid,
  delta: Float64Array,
  channel: number,
  side: number,
  { top, left, fromTop, fromLeft }: Windows,
) => {
  let [filled, both] = [0, 0];
  for (let y = top; y < top + side; y++)
    for (let x = left; x < left + side; x++) filled += delta[(y * width + x) * channels + channel]! ** 2;
  for (let y = fromTop; y < fromTop + side; y++)
    for (let x = fromLeft; x < fromLeft + side; x++)
      if (y < top || y >= top + side || x < left || x >= left + side)
        both += delta[(y * width + x) * channels + channel]! ** 2;
  return [Math.sqrt(filled), filled + both] as const;
};

const proposals: Readonly<Record<Norm, (grid: PixelGrid, epsilon: number) => Proposals>> = {
  linf: stripesAndSquares,
  l2: tilesAndWindows,
};
