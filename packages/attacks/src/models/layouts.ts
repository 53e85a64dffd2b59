/**
 * From images to the input that a model wants. Everything else in this package sees images as `[n, height, width, channels]`, so that pixels
 * are pixels and the random streams of an attack do not depend on the layout (decision 19).
 */
import { AppError } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';

export type Layout = 'channels-last' | 'channels-first';

export type ImageInput = {
  /** The shape of one image: `[height, width, channels]`, or `[n]` for rows that are no images. */
  readonly shape: readonly number[];
  /** `[n, ...shape]` → the model's input, `[n, …]`. Differentiable. */
  readonly arrange: (images: tf.Tensor) => tf.Tensor;
};

type Sizes = readonly (number | null)[];

const refuse = (message: string): never => {
  throw new AppError('ATTACK_INPUT', message);
};

const textOf = (sizes: Sizes): string => `[${sizes.map((size) => size ?? 'any').join(', ')}]`;

/** Numbers of channels that images have: grey, colour, colour with alpha. */
const isChannels = (size: number | null | undefined): boolean => size === 1 || size === 3 || size === 4;

const fits = (declared: Sizes, wanted: readonly number[]): boolean =>
  declared.length === wanted.length && declared.every((size, i) => size === null || size === wanted[i]);

const sizeOf = (sizes: readonly number[]): number => sizes.reduce((product, size) => product * size, 1);

const asIs = (shape: readonly number[]): ImageInput => ({ shape, arrange: (images) => images });

const reshaped = (shape: readonly number[], input: readonly number[]): ImageInput => ({
  shape,
  arrange: (images) => tf.reshape(images, [-1, ...input]),
});

const channelsFirst = (
  [height = 1, width = 1, channels = 1]: readonly number[],
  flat: boolean,
): ImageInput => ({
  shape: [height, width, channels],
  arrange: (images) => {
    // One channel in front or behind is the same order of values.
    const moved = channels === 1 ? images : tf.transpose(images, [0, 3, 1, 2]);
    return tf.reshape(moved, flat ? [-1, channels * height * width] : [-1, channels, height, width]);
  },
});

/** The declared sizes as numbers. Errors: ATTACK_INPUT when one is open. */
const closed = (declared: Sizes): readonly number[] =>
  declared.every((size) => size !== null && size > 0)
    ? (declared as readonly number[]) // checked
    : refuse(
        `Expected the shape of one image, such as [28, 28, 1], because the model leaves it open (${textOf(declared)}): give \`shape\``,
      );

/** The input of a model when the shape of an image is known, as from a data set. */
const forImage = (declared: Sizes, image: readonly number[], layout: Layout | undefined): ImageInput => {
  const [height, width, channels] = image;
  if (image.length === 3 && declared.length === 3) {
    const first = fits(declared, [channels!, height!, width!]);
    const last = fits(declared, image);
    if (first && (layout === 'channels-first' || !last)) return channelsFirst(image, false);
    if (last) return asIs(image);
  }
  if (image.length === 3 && declared.length === 2 && channels === 1 && fits(declared, [height!, width!]))
    return reshaped(image, [height!, width!]);
  if (declared.length === 1 && fits(declared, [sizeOf(image)]))
    return layout === 'channels-first' && image.length === 3
      ? channelsFirst(image, true)
      : reshaped(image, [sizeOf(image)]);
  if (fits(declared, image)) return asIs(image);
  return refuse(
    `Expected a model of images ${textOf(image)}, but this one takes ${textOf(declared)}: give images of its shape, or another model`,
  );
};

/**
 * How a model takes images. `declared`: the sizes of its input without the batch, null where it leaves one open. `image`: the shape of one
 * image, where it is known. Without it, a first size of 1, 3 or 4 means channels first, and `[28, 28]` is a grey image; a single size is no
 * image. Errors: ATTACK_INPUT when image and model do not fit together, or when the layout could be either.
 */
export const imageInput = (
  declared: Sizes | undefined,
  image: readonly number[] | undefined,
  layout?: Layout,
): ImageInput => {
  if (image?.some((size) => !Number.isInteger(size) || size < 1) || image?.length === 0)
    return refuse(`Expected the shape of one image, such as [28, 28, 1], but got ${JSON.stringify(image)}`);
  if (declared === undefined)
    return image === undefined
      ? refuse('Expected the shape of one image, such as [28, 28, 1], for a function: give `shape`')
      : asIs(image);
  if (image !== undefined) return forImage(declared, image, layout);
  const sizes = closed(declared);
  const [first, second, third] = sizes;
  if (sizes.length === 2) return reshaped([first!, second!, 1], sizes);
  if (sizes.length !== 3) return asIs(sizes);
  const both = isChannels(first) && isChannels(third);
  if (both && first !== third && layout === undefined)
    return refuse(
      `Expected one layout, but the input ${textOf(sizes)} may have its channels first or last: give \`layout\``,
    );
  if (layout === 'channels-first' || (layout === undefined && isChannels(first) && !isChannels(third)))
    return channelsFirst([second!, third!, first!], false);
  return asIs(sizes);
};

/**
 * For a model that takes exactly `size` images: runs it on parts of that many, the last one filled up with zeros. Differentiable.
 */
export const inPartsOf =
  (size: number, run: (images: tf.Tensor) => tf.Tensor2D) =>
  (images: tf.Tensor): tf.Tensor2D => {
    const rows = images.shape[0]!;
    const missing = (size - (rows % size)) % size;
    const rest = images.shape.slice(1);
    const padded =
      missing === 0 ? images : tf.pad(images, [[0, missing], ...rest.map((): [number, number] => [0, 0])]);
    const parts: tf.Tensor2D[] = [];
    for (let start = 0; start < rows; start += size)
      parts.push(run(tf.slice(padded, [start, ...rest.map(() => 0)], [size, ...rest])));
    const logits = parts.length === 1 ? parts[0]! : tf.concat(parts, 0);
    return missing === 0 ? logits : tf.slice(logits, [0, 0], [rows, -1]);
  };
