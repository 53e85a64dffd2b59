/** A generator of digits that look drawn by hand: a data set that needs no download. Part of identities as `glyphs-1`. */
import { createRandom, type Random } from '../../random.ts';
import type { Split, SplitName } from '../split.ts';
import { renderStrokes } from './render.ts';
import { type Point, type Stroke, strokesOfDigits } from './strokes.ts';

const size = 28;
const pixels = size * size;

const between = (random: Random, low: number, high: number): number => low + (high - low) * random.uniform();

/** A hand's slip: every point a little off. */
const jittered = (random: Random, stroke: Stroke, by: number): Stroke => {
  const moved: Point[] = [];
  for (const [i, [x, y]] of stroke.entries()) {
    const twin = i > 0 && stroke[i - 1]![0] === x && stroke[i - 1]![1] === y; // a corner stays one
    moved.push(twin ? moved[i - 1]! : [x + by * random.normal(), y + by * random.normal()]);
  }
  return moved;
};

/** A hand's habit: slant, tilt, size, proportions, place, and a gentle bend of the whole paper. Unit square → pixels. */
const warp = (random: Random): ((point: Point) => Point) => {
  const tilt = 0.1 * random.normal();
  const slant = 0.12 + 0.15 * random.normal();
  const height = between(random, 16.5, 21.5);
  const width = height * between(random, 0.72, 1.12);
  const [cx, cy] = [size / 2 + random.normal(), size / 2 + random.normal()];
  const bend = [1, 2].map((waves) => ({
    waves,
    dx: (0.022 * random.normal()) / waves,
    dy: (0.022 * random.normal()) / waves,
    px: between(random, 0, 2 * Math.PI),
    py: between(random, 0, 2 * Math.PI),
  }));
  const [cos, sin] = [Math.cos(tilt), Math.sin(tilt)];
  return ([x, y]) => {
    let [u, v] = [x - 0.5, y - 0.5];
    for (const { waves, dx, dy, px, py } of bend) {
      u += dx * Math.sin(2 * Math.PI * waves * y + px);
      v += dy * Math.sin(2 * Math.PI * waves * x + py);
    }
    u -= slant * v;
    return [cx + width * (cos * u - sin * v), cy + height * (sin * u + cos * v)];
  };
};

/** The label and picture of image `index`: a function of (split, index) alone, so that subsets nest. */
const glyph = (split: SplitName, index: number, into: Uint8Array): number => {
  // Every ten consecutive images hold each digit once, in an order of their own.
  const block = createRandom('glyphs-1', split, 'block', Math.floor(index / 10));
  const digits = Array.from({ length: 10 }, (_, i) => i);
  for (let i = 9; i > 0; i--) {
    const j = block.below(i + 1);
    [digits[i], digits[j]] = [digits[j]!, digits[i]!];
  }
  const digit = digits[index % 10]!;
  const random = createRandom('glyphs-1', split, index);
  const ways = strokesOfDigits[digit]!;
  const way = ways[random.below(ways.length)]!;
  const slip = between(random, 0.008, 0.026);
  const place = warp(random);
  const strokes = way.map((stroke) => jittered(random, stroke, slip).map(place));
  renderStrokes(
    strokes,
    {
      size,
      radius: between(random, 0.75, 1.7),
      ink: between(random, 0.8, 1),
      softness: between(random, 0.6, 1.1),
    },
    into,
  );
  return digit;
};

/** The first `count` glyphs of a split: 28×28, one channel, ten classes, each ten in a hundred. */
export const glyphs = (split: SplitName, count: number): Split => {
  const images = new Uint8Array(count * pixels);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) labels[i] = glyph(split, i, images.subarray(i * pixels, (i + 1) * pixels));
  return { count, shape: [size, size, 1], images, labels };
};
