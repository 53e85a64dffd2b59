/**
 * The IDX format of MNIST: two zero bytes, the type (8: bytes), the number of dimensions, each dimension (32 bits, big-endian), then the
 * data. Every file is gzipped, and its content must have the declared size and SHA-256.
 */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip, type ZlibOptions } from 'node:zlib';
import { AppError, type DatasetFile, type DatasetName, datasets, fixedLimit } from '@funnel/contracts';
import type { Split, SplitName } from './split.ts';

export type IdxArray = { readonly dims: readonly number[]; readonly values: Uint8Array };

/** Reads a split from two of MNIST's four files: all of it, or the first images where the folder has the extract. Throws DATASET_CORRUPT. */
export const readIdxSplit = async (name: DatasetName, folder: string, split: SplitName): Promise<Split> => {
  const { files, extract, shape, classes, ...sizes } = datasets[name];
  const [imageFile, labelFile] = split === 'train' ? [0, 1] : [2, 3];
  const read = async (file: number, rank: number): Promise<IdxArray> => {
    const path = join(folder, files[file]!.name);
    const others = extract ? [extract.files[file]!] : [];
    const declared = [files[file]!, ...others] as const;
    return parseIdx(path, await unpackFile(path, await readPacked(path, declared), ...declared), rank);
  };
  const images = await read(imageFile, 3); // [count, height, width]
  const labels = await read(labelFile, 1); // [count]
  const count = extract && images.dims[0] === extract.count ? extract.count : sizes[split];
  checkSplit({ images: files[imageFile]!.name, labels: files[labelFile]!.name }, images, labels, {
    count,
    shape,
    classes: classes.length,
  });
  return { count, shape, images: images.values, labels: labels.values };
};

const unzip = promisify<Uint8Array, ZlibOptions, Buffer>(gunzip);

/** The largest number of bytes that a compressed file may have. Compression makes data that it cannot compress a little longer. */
export const packedLimit = ({ bytes }: DatasetFile): number => bytes + fixedLimit('downloadExtraBytes');

/** Looks at the size of the file before it reads it. Throws DATASET_CORRUPT. */
const readPacked = async (path: string, declared: readonly DatasetFile[]): Promise<Uint8Array> => {
  const limit = Math.max(...declared.map(packedLimit));
  const { size } = await stat(path);
  if (size > limit) throw corrupt(path, `at most ${limit} bytes`, `${size}`);
  return readFile(path);
};

/**
 * Unpacks a gzipped file of a data set, up to its declared size. Throws DATASET_CORRUPT where its content fits neither `declared` nor any of
 * `others`; the error names `path`.
 */
export const unpackFile = async (
  path: string,
  zipped: Uint8Array,
  declared: DatasetFile,
  ...others: readonly DatasetFile[]
): Promise<Uint8Array> => {
  const limit = Math.max(...[declared, ...others].map(({ bytes: size }) => size));
  const bytes = await unzip(zipped, { maxOutputLength: limit }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ERR_BUFFER_TOO_LARGE')
      throw corrupt(path, `${declared.bytes} bytes after gunzip`, 'more');
    throw new AppError(
      'DATASET_CORRUPT',
      `Expected ${path} to be a whole gzip file, but its ${zipped.length} bytes do not unpack: ${error.message}`,
      { file: path },
      { cause: error },
    );
  });
  const expected = others.find((other) => other.bytes === bytes.length) ?? declared;
  if (bytes.length !== expected.bytes)
    throw corrupt(path, `${declared.bytes} bytes after gunzip`, `${bytes.length}`);
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== expected.sha256) throw corrupt(path, `the sha-256 ${expected.sha256} after gunzip`, digest);
  return bytes;
};

/** Parses an IDX file of bytes with `rank` dimensions. Throws DATASET_CORRUPT, which says the file, what was expected and what was found. */
export const parseIdx = (file: string, bytes: Uint8Array, rank: number): IdxArray => {
  const header = 4 + 4 * rank;
  if (bytes.length < header) throw corrupt(file, `a header of ${header} bytes`, `${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const hex = (magic: number): string => `0x${magic.toString(16).padStart(8, '0')}`;
  const magic = 0x0800 + rank;
  if (view.getUint32(0) !== magic)
    throw corrupt(file, `the magic number ${hex(magic)}`, hex(view.getUint32(0)));
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  const size = header + dims.reduce((a, b) => a * b, 1);
  if (bytes.length !== size)
    throw corrupt(file, `${size} bytes for dimensions ${dims.join('×')}`, `${bytes.length} bytes`);
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
