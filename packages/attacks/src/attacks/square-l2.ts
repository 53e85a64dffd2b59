/** Square Attack in L2: the whole budget is spent, and moved from one window to another (Andriushchenko et al. 2020, §3.4). */
import type { Random } from '../random.ts';
import type { PixelGrid } from './pixel-grid.ts';
import type { Proposals } from './proposals.ts';

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
export const startTiles: Proposals['start'] = (to, image, grid, epsilon, random) => {
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

export const proposeWindows: Proposals['propose'] = (to, image, best, grid, epsilon, area, random) => {
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
