/**
 * The canonical form of a data set: one file, the same for the same content, whatever name, format, compression or chunks the content came
 * in. Its SHA-256 is the digest of the data set.
 *
 *   header   canonical JSON (UTF-8; class names in Unicode's form NFC) of `DatasetContent`, and a line feed
 *   labels   of the training split, then of the test split: 16 bits each, little-endian, indices of `classes`
 *   pixels   of the training split, then of the test split: bytes [count, height, width, channels], 255 stands for 1
 */
import { z } from 'zod';
import { canonicalJson } from './json.ts';
import { Line } from './text.ts';

/** The largest height and width of an image, in pixels. */
export const maxImageSide = 512;
export const maxImageChannels = 4;
export const maxClasses = 1000;
/** The largest number of images in a split. With more, the bytes of the smallest images would pass every limit. */
export const maxSplitImages = 100_000_000;
/** Data sets travel and are stored in chunks of as many bytes of the canonical file; only the last one is smaller. */
export const datasetChunkBytes = 4 * 2 ** 20;

const Side = z.int().min(1).max(maxImageSide);
const Count = z.int().min(1).max(maxSplitImages);

const ClassName = Line.min(1).max(100);

/** What the header of the canonical form says. */
export const DatasetContent = z.strictObject({
  /** [height, width, channels]. */
  shape: z.tuple([Side, Side, z.int().min(1).max(maxImageChannels)]),
  /** The names of the classes, by label. */
  classes: z
    .array(ClassName)
    .min(2, 'Expected at least two classes')
    .max(maxClasses)
    .refine((names) => new Set(names).size === names.length, 'Expected a different name for each class'),
  /** Images in the training split. */
  train: Count,
  /** Images in the test split. */
  test: Count,
});
export type DatasetContent = z.infer<typeof DatasetContent>;

/** Where the parts of the canonical file begin and how many bytes it has. All offsets are in bytes. */
export type DatasetLayout = {
  readonly header: string;
  readonly labels: { readonly train: number; readonly test: number };
  readonly pixels: { readonly train: number; readonly test: number };
  readonly imageBytes: number;
  readonly bytes: number;
};

const bytesPerLabel = 2;

export const datasetLayout = ({ shape, classes, train, test }: DatasetContent): DatasetLayout => {
  const header = `${canonicalJson({ shape, classes, train, test })}\n`;
  const imageBytes = shape[0] * shape[1] * shape[2];
  const trainLabels = new TextEncoder().encode(header).length;
  const testLabels = trainLabels + bytesPerLabel * train;
  const trainPixels = testLabels + bytesPerLabel * test;
  const testPixels = trainPixels + imageBytes * train;
  return {
    header,
    labels: { train: trainLabels, test: testLabels },
    pixels: { train: trainPixels, test: testPixels },
    imageBytes,
    bytes: testPixels + imageBytes * test,
  };
};

/** The number of chunks of a canonical file of `bytes` bytes. */
export const datasetChunks = (bytes: number): number => Math.ceil(bytes / datasetChunkBytes);
