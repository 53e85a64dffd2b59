/**
 * Square Attack (Andriushchenko et al. 2020, Algorithms 1–3; `autoattack/square.py`): random squares, kept where the margin falls.
 * One forward pass per image and iteration, no gradients. Every image draws its own squares.
 */
import type { AttackSettings } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import type { Attack } from '../attack.ts';
import { marginsOf, type PixelGrid, pixelGrid } from '../flat-model.ts';
import type { Norm } from '../norms.ts';
import type { Random } from '../random.ts';
import { pick, positions } from '../rows.ts';

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
    let rows = positions(labels.length, () => true);
    for (let query = 0; query < settings.queries && rows.length > 0; query++) {
      await context.yieldToEventLoop();
      const area = settings.area / shrinking(query, settings);
      const tried = new Float32Array(rows.length * model.width);
      rows.forEach((row, i) => {
        const to = rowOf(tried, i);
        if (query === 0) start(to, rowOf(clean, row), grid, settings.epsilon, randoms[row]!);
        else propose(to, rowOf(clean, row), rowOf(best, row), grid, settings.epsilon, area, randoms[row]!);
      });
      const seen = await marginsOf(model, tried, pick(labels, rows));
      rows.forEach((row, i) => {
        queries[row]!++;
        const lower = seen.margins[i]! < margins[row]!; // a NaN is not
        if (lower) margins[row] = seen.margins[i]!;
        if (query > 0 && !lower && !seen.fooled[i]) return;
        rowOf(best, row).set(rowOf(tried, i));
      });
      rows = pick(
        rows,
        positions(rows.length, (i) => !seen.fooled[i]),
      );
    }
    return { adversarials: tf.tensor2d(best, [labels.length, model.width]), steps: queries.slice(), queries };
  };

/** The area of the squares halves as the search goes on; the paper's schedule is for 10,000 queries and scales with their number. */
const shrinking = (query: number, { queries }: AttackSettings<'square-linf'>): number => {
  const at = Math.floor(((query - 1) / queries) * 10_000);
  return 2 ** [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000].filter((limit) => at > limit).length;
};

/** How one norm starts, and changes, an image. All write into `to`, a row of pixels in [0, 1]. */
type Proposals = {
  readonly start: (
    to: Float32Array,
    image: Float32Array,
    grid: PixelGrid,
    epsilon: number,
    random: Random,
  ) => void;
  readonly propose: (
    to: Float32Array,
    image: Float32Array,
    best: Float32Array,
    grid: PixelGrid,
    epsilon: number,
    area: number,
    random: Random,
  ) => void;
};

// Square Attack in L∞: vertical stripes of ±ε, then squares that move by ±2ε inside the ball (Andriushchenko et al. 2020, §3.3).

const signOf = (uniform: number): 1 | -1 => (uniform < 0.5 ? -1 : 1);

/** To the ball around `pixel`, then to the range. */
const limit = (value: number, pixel: number, epsilon: number): number =>
  Math.min(1, Math.max(0, Math.min(pixel + epsilon, Math.max(pixel - epsilon, value))));

const startStripes: Proposals['start'] = (to, image, { height, width, channels }, epsilon, random) => {
  for (let x = 0; x < width; x++)
    for (let channel = 0; channel < channels; channel++) {
      const change = epsilon * signOf(random.uniform());
      for (let y = 0; y < height; y++) {
        const at = (y * width + x) * channels + channel;
        to[at] = limit(image[at]! + change, image[at]!, epsilon);
      }
    }
};

const proposeSquare: Proposals['propose'] = (
  to,
  image,
  best,
  { height, width, channels, pixels },
  epsilon,
  area,
  random,
) => {
  to.set(best);
  const side = Math.min(Math.max(Math.round(Math.sqrt(area * pixels)), 1), height, width);
  const top = random.integer(height - side + 1);
  const left = random.integer(width - side + 1);
  for (let channel = 0; channel < channels; channel++) {
    const change = 2 * epsilon * signOf(random.uniform());
    for (let y = top; y < top + side; y++)
      for (let x = left; x < left + side; x++) {
        const at = (y * width + x) * channels + channel;
        to[at] = limit(best[at]! + change, image[at]!, epsilon);
      }
  }
};

// Square Attack in L2: the whole budget is spent, and moved from one window to another (Andriushchenko et al. 2020, §3.4).

/** A bump over `rows × columns`: nested rectangles of weight 1/k², of unit length. */
const bump = (rows: number, columns: number): Float64Array => {
  const values = new Float64Array(rows * columns);
  let [top, left] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  for (let k = 0; k < Math.max(Math.floor(rows / 2) + 1, Math.floor(columns / 2) + 1); k++, top--, left--)
    for (let y = Math.max(top, 0); y < Math.min(top + 2 * k + 1, rows); y++)
      for (let x = Math.max(left, 0); x < Math.min(left + 2 * k + 1, columns); x++)
        values[y * columns + x]! += 1 / (k + 1) ** 2;
  return scale(values, 1 / Math.max(length(values), 1e-12));
};

/** One bump up beside one bump down, `side × side`, of unit length, lying or standing. */
const pair = (side: number, random: Random): Float64Array => {
  const half = Math.floor(side / 2);
  const values = new Float64Array(side * side);
  values.set(bump(half, side));
  values.set(scale(bump(side - half, side), -1), half * side);
  const unit = scale(values, 1 / Math.max(length(values), 1e-12));
  if (random.uniform() < 0.5) return unit;
  return unit.map((_, at) => unit[(at % side) * side + Math.floor(at / side)]!);
};

const length = (values: Float64Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
const scale = (values: Float64Array, factor: number): Float64Array => values.map((value) => value * factor);
const sign = (random: Random): 1 | -1 => (random.uniform() < 0.5 ? -1 : 1);

/** image + δ stretched to length ε, clipped to [0, 1]. */
const spend = (to: Float32Array, image: Float32Array, delta: Float64Array, epsilon: number): void => {
  const factor = epsilon / Math.max(length(delta), 1e-12);
  for (let i = 0; i < to.length; i++) to[i] = Math.min(1, Math.max(0, image[i]! + delta[i]! * factor));
};

/** Five by five tiles of bump pairs. */
const startTiles: Proposals['start'] = (to, image, grid, epsilon, random) => {
  const { height, width, channels } = grid;
  const side = Math.max(Math.floor(height / 5), 1);
  const delta = new Float64Array(image.length);
  const margin = Math.floor((height - side * 5) / 2);
  for (let top = Math.max(margin, 0); top + side <= height; top += side)
    for (let left = Math.max(margin, 0); left + side <= width; left += side) {
      const tile = pair(side, random);
      for (let channel = 0; channel < channels; channel++) {
        const way = sign(random);
        eachIn(grid, top, left, side, channel, (at, inside) => {
          delta[at] = delta[at]! + way * tile[inside]!;
        });
      }
    }
  spend(to, image, delta, epsilon);
};

const proposeWindows: Proposals['propose'] = (to, image, best, grid, epsilon, area, random) => {
  const { height, width, channels, pixels } = grid;
  const wanted = Math.max(Math.round(Math.sqrt(area * pixels)), 3);
  const side = Math.min(wanted % 2 === 0 ? wanted + 1 : wanted, height, width);
  const [top, left] = [random.integer(height - side + 1), random.integer(width - side + 1)];
  const [fromTop, fromLeft] = [random.integer(height - side + 1), random.integer(width - side + 1)];
  const delta = Float64Array.from(image, (value, i) => best[i]! - value);
  const unspent = Math.max(epsilon ** 2 - length(delta) ** 2, 0) / channels;
  const shape = pair(side, random);
  for (let channel = 0; channel < channels; channel++) {
    const [old, both] = massOf(grid, delta, channel, side, { top, left, fromTop, fromLeft });
    const way = sign(random);
    const window = new Float64Array(side * side);
    eachIn(grid, top, left, side, channel, (at, inside) => {
      window[inside] = way * shape[inside]! + delta[at]! / (old + 1e-12);
    });
    const factor = Math.sqrt(unspent + both) / Math.max(length(window), 1e-12);
    eachIn(grid, fromTop, fromLeft, side, channel, (at) => {
      delta[at] = 0;
    });
    eachIn(grid, top, left, side, channel, (at, inside) => {
      delta[at] = window[inside]! * factor;
    });
  }
  spend(to, image, delta, epsilon);
};

type Windows = {
  readonly top: number;
  readonly left: number;
  readonly fromTop: number;
  readonly fromLeft: number;
};

/** The length of δ in the window to fill, and its squared length in both windows together. */
const massOf = (
  grid: PixelGrid,
  delta: Float64Array,
  channel: number,
  side: number,
  { top, left, fromTop, fromLeft }: Windows,
) => {
  let [filled, both] = [0, 0];
  eachIn(grid, top, left, side, channel, (at) => {
    filled += delta[at]! ** 2;
  });
  eachIn(grid, fromTop, fromLeft, side, channel, (at) => {
    const pixel = Math.floor(at / grid.channels);
    const [y, x] = [Math.floor(pixel / grid.width), pixel % grid.width];
    if (y < top || y >= top + side || x < left || x >= left + side) both += delta[at]! ** 2;
  });
  return [Math.sqrt(filled), filled + both] as const;
};

/** Every value of one channel in a square, by its place in the image and in the square. */
const eachIn = (
  { width, channels }: PixelGrid,
  top: number,
  left: number,
  side: number,
  channel: number,
  visit: (at: number, inside: number) => void,
): void => {
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) visit(((top + y) * width + left + x) * channels + channel, y * side + x);
};

const proposals: Readonly<Record<Norm, Proposals>> = {
  linf: { start: startStripes, propose: proposeSquare },
  l2: { start: startTiles, propose: proposeWindows },
};
