/**
 * Digits that look as if drawn by hand: generated data sets that need no download. Stage identities contain their names, such as `glyphs-1`.
 * Code that draws another picture for an index needs another name.
 */
import { createRandom, type Random } from '../random.ts';
import { type DrawnDigit, drawDigit, fading } from './digit-strokes.ts';
import { memorySplit, type Split, type SplitName } from './split.ts';

type Style = {
  /** The first word of all random streams. */
  readonly name: string;
  /** Pixels along one side of the square image. */
  readonly size: number;
  readonly channels: number;
  /** Writes a digit over `into`, [size · size · channels] bytes. */
  readonly paint: (digit: DrawnDigit, into: Uint8Array, random: Random) => void;
};

/** White ink on black. */
const grey: Style = {
  name: 'glyphs-1',
  size: 28,
  channels: 1,
  paint: ({ depth, ink }, into) => {
    for (let p = 0; p < depth.length; p++) into[p] = Math.round(fading(255 * ink, depth[p]!));
  },
};

type Colour = readonly [red: number, green: number, blue: number];

/** The relative luminance of a colour with values in [0, 1] (ITU-R BT.709). */
const luminance = ([red, green, blue]: Colour): number => 0.2126 * red + 0.7152 * green + 0.0722 * blue;

/** `a` at 0, `b` at 1, between them on a straight line. */
const mix = (a: number, b: number, at: number): number => a + at * (b - a);

const drawColour = (random: Random): Colour => [random.uniform(), random.uniform(), random.uniform()];

/** Ink and paper differ at least as much in luminance, so that every digit can be read. */
const minContrast = 0.35;
/** A corner of the paper differs as much from its mean colour, in each channel. */
const shading = 0.12;

/** Ink of one colour on paper that is shaded from corner to corner. The colours say nothing about the digit. */
const colour: Style = {
  name: 'glyphs-colour-1',
  size: 32,
  channels: 3,
  paint: ({ depth, ink }, into, random) => {
    const { size, channels } = colour;
    const paper = drawColour(random);
    let pen = drawColour(random);
    while (Math.abs(luminance(pen) - luminance(paper)) < minContrast) pen = drawColour(random);
    const corner = (): readonly number[] =>
      paper.map((value) => value + shading * (2 * random.uniform() - 1));
    const [topLeft, topRight, bottomLeft, bottomRight] = [corner(), corner(), corner(), corner()];
    for (let c = 0; c < channels; c++)
      for (let y = 0; y < size; y++) {
        const left = mix(topLeft[c]!, bottomLeft[c]!, y / (size - 1));
        const right = mix(topRight[c]!, bottomRight[c]!, y / (size - 1));
        for (let x = 0; x < size; x++) {
          const p = y * size + x;
          const value = mix(mix(left, right, x / (size - 1)), pen[c]!, fading(ink, depth[p]!));
          into[channels * p + c] = Math.round(255 * Math.min(1, Math.max(0, value)));
        }
      }
  },
};

/** The digit of image `index`. Every ten consecutive images have each digit once, in random order. */
const digitOf = ({ name }: Style, split: SplitName, index: number): number => {
  const block = createRandom(name, split, 'block', Math.floor(index / 10));
  const digits = Array.from({ length: 10 }, (_, i) => i);
  for (let i = 9; i > 0; i--) {
    const j = block.below(i + 1);
    [digits[i], digits[j]] = [digits[j]!, digits[i]!];
  }
  return digits[index % 10]!;
};

/** Each image depends only on (split, index), so a smaller data set is a part of a larger one. */
const generator =
  (style: Style) =>
  (split: SplitName, count: number): Split => {
    const { name, size, channels, paint } = style;
    const bytes = size * size * channels;
    const images = new Uint8Array(count * bytes);
    const labels = Uint16Array.from({ length: count }, (_, index) => digitOf(style, split, index));
    for (const [index, digit] of labels.entries()) {
      const random = createRandom(name, split, index);
      paint(drawDigit(random, digit, size), images.subarray(index * bytes, (index + 1) * bytes), random);
    }
    return memorySplit([size, size, channels], images, labels);
  };

/** The first `count` glyphs of a split: [count, 28, 28, 1] in ten equally frequent classes. */
export const glyphs = generator(grey);

/** The first `count` coloured glyphs of a split: [count, 32, 32, 3] in ten equally frequent classes. */
export const colourGlyphs = generator(colour);
