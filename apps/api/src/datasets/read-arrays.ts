/** A data set as two arrays in numpy's NPY format, first labels and then images: its content, and its canonical form part by part. */
import { byteOfFloat, DatasetContent, datasetLayout, type NpyHeader } from '@funnel/contracts';
import { parsePart } from '../request/parse-part.ts';
import { type ArrayStream, createArrayStream, refuseArray, shapeText } from './array-stream.ts';
import { readLabels } from './read-labels.ts';

/** Makes bytes of the elements of a part of the array. `from`: the index of its first element. */
type ToBytes = (elements: Uint8Array<ArrayBuffer>, from: number) => Uint8Array;

const fromFloats =
  (read: (bytes: Uint8Array<ArrayBuffer>) => Float32Array | Float64Array, imageBytes: number): ToBytes =>
  (elements, from) => {
    const values = read(elements);
    const bytes = new Uint8Array(values.length);
    for (let i = 0; i < values.length; i++) {
      bytes[i] =
        byteOfFloat(values[i]!) ??
        refuseArray(
          'images',
          'bytes, or floats k/255 with k = 0, …, 255',
          `${values[i]} in image ${Math.floor((from + i) / imageBytes)}`,
          "save (255 * images).round().astype('uint8') of images in [0, 1]",
        );
    }
    return bytes;
  };

type ElementType = { readonly bytes: number; readonly toBytes: (imageBytes: number) => ToBytes };

/** numpy's names of the types of pixels: u unsigned, f float, then the number of bytes; `<` is little endian, as every machine of Node. */
const pixelTypes: Readonly<Record<string, ElementType>> = {
  '|u1': { bytes: 1, toBytes: () => (elements) => elements },
  '<f4': {
    bytes: 4,
    toBytes: (imageBytes) => fromFloats(({ buffer }) => new Float32Array(buffer), imageBytes),
  },
  '<f8': {
    bytes: 8,
    toBytes: (imageBytes) => fromFloats(({ buffer }) => new Float64Array(buffer), imageBytes),
  },
};

const typeOf = ({ type }: NpyHeader): ElementType =>
  pixelTypes[type] ??
  refuseArray(
    'images',
    'uint8, float32 or float64 in little endian',
    `the type ${type}`,
    "save images.astype('uint8')",
  );

/** [height, width, channels]. */
const shapeOf = ({ shape }: NpyHeader, count: number): [number, number, number] => {
  const [images, height = 0, width = 0, channels = 1] = shape;
  if (shape.length < 3 || shape.length > 4)
    return refuseArray(
      'images',
      'the shape [count, height, width] or [count, height, width, channels]',
      shapeText(shape),
    );
  if (images !== count)
    return refuseArray('images', `${count} images, because there are as many labels`, String(images));
  return [height, width, channels];
};

/** Elements that are converted at a time. */
const blockElements = 64 * 1024;

async function* pixelsOf(
  stream: ArrayStream,
  { bytes, toBytes }: ElementType,
  { count, imageBytes }: { readonly count: number; readonly imageBytes: number },
): AsyncGenerator<Uint8Array> {
  const convert = toBytes(imageBytes);
  const elements = count * imageBytes;
  for (let from = 0; from < elements; from += blockElements) {
    const block = Math.min(blockElements, elements - from);
    yield convert(await stream.take('images', block * bytes), from);
  }
  if (!(await stream.isAtEnd())) refuseArray('images', 'the end of the body after them', 'more bytes');
}

export type ReadArrays = {
  readonly content: DatasetContent;
  /** The canonical form. Throws INVALID_REQUEST. */
  readonly parts: AsyncIterable<Uint8Array>;
};

/**
 * Reads the labels and the header of the images. `test`: how many of the last images are the test split. Throws INVALID_REQUEST before it
 * takes more memory than the labels need.
 */
export const readArrays = async (body: AsyncIterable<Uint8Array>, test: number): Promise<ReadArrays> => {
  const stream = createArrayStream(body);
  const { classes, indices } = await readLabels(stream);
  const count = indices.length;
  if (test >= count) refuseArray('labels', `more than the ${test} labels of the test split`, String(count));
  if (new Set(indices.subarray(0, count - test)).size < 2)
    refuseArray(
      'labels',
      'training images of at least two classes',
      `only ${classes[indices[0]!]} before the ${test} of the test split`,
      'shuffle both arrays in the same order',
    );
  const header = await stream.header('images');
  const type = typeOf(header);
  const content = parsePart('body', DatasetContent, {
    ...{ shape: shapeOf(header, count), classes, train: count - test, test },
  }) as DatasetContent; // its output
  const { header: start, imageBytes } = datasetLayout(content);
  const parts = async function* (): AsyncGenerator<Uint8Array> {
    yield Buffer.from(start);
    yield new Uint8Array(indices.buffer); // little endian
    yield* pixelsOf(stream, type, { count, imageBytes });
  };
  return { content, parts: parts() };
};
