/**
 * The IDX format of MNIST: two zero bytes, the type (8: bytes), the number of dimensions, each dimension (32 bits, big-endian), then the
 * data. Every file is gzipped, and its content must have the declared size and SHA-256.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import {
  AppError,
  type Dataset,
  type DatasetFile,
  type DatasetName,
  datasets,
  fixedLimit,
} from '@funnel/contracts';
import { imageBytes, memorySplit, type Split, type SplitName } from './split.ts';

export type IdxArray = { readonly dims: readonly number[]; readonly values: Uint8Array };

/** Bytes before the values of an array with `rank` dimensions. */
const headerBytes = (rank: number): number => 4 + 4 * rank;

/**
 * The first `count` images of a split, from two of MNIST's four files. Reads and checks both as a whole, and keeps nothing else of them.
 * Throws DATASET_CORRUPT, and DATASET_MISSING where the folder has the extract of the data set and the extract is too small.
 */
export const readIdxSplit = async (
  name: DatasetName,
  folder: string,
  split: SplitName,
  count: number,
): Promise<Split> => {
  const { files, extract, shape, classes, ...sizes } = datasets[name];
  const [imageFile, labelFile] = split === 'train' ? [0, 1] : [2, 3];
  const read = async (file: number, rank: number, valueBytes: number): Promise<IdxArray> => {
    const path = join(folder, files[file]!.name);
    const declared = [files[file]!, ...(extract ? [extract.files[file]!] : [])];
    await checkPackedSize(path, declared);
    const unpacked = await unpackFile(
      path,
      createReadStream(path),
      declared,
      headerBytes(rank) + count * valueBytes,
    );
    return parseIdx(path, unpacked, rank);
  };
  const images = await read(imageFile, 3, imageBytes(shape)); // [found, height, width]; the values of `count` images
  const labels = await read(labelFile, 1, 1); // [found]
  const found = extract && images.dims[0] === extract.count ? extract.count : sizes[split];
  checkSplit({ images: files[imageFile]!.name, labels: files[labelFile]!.name }, images, labels, {
    count: found,
    shape,
    classes: classes.length,
  });
  if (found < count)
    throw new AppError(
      'DATASET_MISSING',
      `Expected ${count} ${split} images of ${name}, but ${folder} has an extract with only the first ${found}`,
      { dataset: name, folder, split, expected: count, found },
    );
  return memorySplit(shape, images.values, labels.values);
};

/** The largest number of bytes that a compressed file may have. Compression makes data that it cannot compress a little longer. */
export const packedLimit = ({ bytes }: DatasetFile): number => bytes + fixedLimit('downloadExtraBytes');

/** Looks at the size of a file before anybody reads it. Throws DATASET_CORRUPT. */
const checkPackedSize = async (path: string, declared: readonly DatasetFile[]): Promise<void> => {
  const limit = Math.max(...declared.map(packedLimit));
  const { size } = await stat(path);
  if (size > limit) throw corrupt(path, `at most ${limit} bytes`, `${size}`);
};

type Unpacked = {
  /** The bytes that were kept: the first ones. */
  readonly bytes: Uint8Array;
  /** The number of all bytes. */
  readonly length: number;
};

/**
 * Unpacks a gzipped file of a data set, up to its declared size, and keeps its first `keep` bytes. Throws DATASET_CORRUPT where its content
 * is none of `declared`; the error names `path` and the first of them.
 */
export const unpackFile = async (
  path: string,
  packed: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  declared: readonly DatasetFile[],
  keep = Number.POSITIVE_INFINITY,
): Promise<Unpacked> => {
  const limit = Math.max(...declared.map(({ bytes }) => bytes));
  const kept = new Uint8Array(Math.min(keep, limit));
  const hash = createHash('sha256');
  let length = 0;
  try {
    await pipeline(packed, createGunzip(), async (unpacked: AsyncIterable<Uint8Array>) => {
      for await (const bytes of unpacked) {
        if (length + bytes.length > limit)
          throw corrupt(path, `${declared[0]!.bytes} bytes after gunzip`, 'more');
        hash.update(bytes);
        if (length < kept.length) kept.set(bytes.subarray(0, kept.length - length), length);
        length += bytes.length;
      }
    });
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(
      'DATASET_CORRUPT',
      `Expected ${path} to be a whole gzip file, but it does not unpack: ${error instanceof Error ? error.message : String(error)}`,
      { file: path },
      { cause: error },
    );
  }
  const expected = declared.find(({ bytes }) => bytes === length) ?? declared[0]!;
  if (length !== expected.bytes) throw corrupt(path, `${expected.bytes} bytes after gunzip`, `${length}`);
  const digest = hash.digest('hex');
  if (digest !== expected.sha256) throw corrupt(path, `the sha-256 ${expected.sha256} after gunzip`, digest);
  return { bytes: kept.subarray(0, length), length };
};

/**
 * Parses an IDX file of bytes with `rank` dimensions, of which the first bytes are there. Throws DATASET_CORRUPT, which says the file, what
 * was expected and what was found.
 */
export const parseIdx = (file: string, { bytes, length }: Unpacked, rank: number): IdxArray => {
  const header = headerBytes(rank);
  if (bytes.length < header) throw corrupt(file, `a header of ${header} bytes`, `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hex = (magic: number): string => `0x${magic.toString(16).padStart(8, '0')}`;
  const magic = 0x0800 + rank;
  if (view.getUint32(0) !== magic)
    throw corrupt(file, `the magic number ${hex(magic)}`, hex(view.getUint32(0)));
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = header + dims.reduce((a, b) => a * b, 1);
  if (length !== size)
    throw corrupt(file, `${size} bytes for dimensions ${dims.join('×')}`, `${length} bytes`);
  return { dims, values: bytes.subarray(header) };
};

/** Checks that images [count, height, width] and labels [count] are what the data set declares. Throws DATASET_CORRUPT. */
export const checkSplit = (
  file: { images: string; labels: string },
  images: IdxArray,
  labels: IdxArray,
  expected: { count: number; shape: readonly number[]; classes: number },
): void => {
  const dims = [expected.count, ...expected.shape.slice(0, 2)];
  if (images.dims.join() !== dims.join())
    throw corrupt(file.images, `dimensions ${dims.join('×')}`, images.dims.join('×'));
  if (labels.dims[0] !== expected.count)
    throw corrupt(file.labels, `${expected.count} labels`, `${labels.dims[0]}`);
  const wrong = labels.values.findIndex((label) => label >= expected.classes);
  if (wrong >= 0)
    throw corrupt(file.labels, `labels below ${expected.classes}`, `${labels.values[wrong]} at ${wrong}`);
};

const corrupt = (file: string, expected: string, found: string): AppError =>
  new AppError('DATASET_CORRUPT', `Expected ${file} to have ${expected}, but found ${found}`, {
    file,
    expected,
    found,
  });

/** The number of images that the header of a gzipped IDX file declares; 0 if it cannot be read. */
const countOf = async (path: string): Promise<number> => {
  const file = createReadStream(path, { end: 1023 });
  const unzipped = file.pipe(createGunzip());
  file.on('error', (error) => unzipped.destroy(error));
  try {
    for await (const bytes of unzipped as AsyncIterable<Buffer>)
      return bytes.length >= 8 ? bytes.readUInt32BE(4) : 0;
  } catch {
    // a missing or broken file, which the reader of the data reports in words
  } finally {
    file.destroy();
  }
  return 0;
};

/** The images of each split that a folder has, by the headers of its files: all, those of the extract, or 0. */
export const idxImages = async (
  folder: string,
  { files, extract, train, test }: Dataset,
): Promise<number> => {
  const [trainCount, testCount] = await Promise.all(
    [files[0]!, files[2]!].map(({ name }) => countOf(join(folder, name))),
  );
  if (trainCount === train && testCount === test) return Math.max(train, test);
  return extract && trainCount === extract.count && testCount === extract.count ? extract.count : 0;
};
