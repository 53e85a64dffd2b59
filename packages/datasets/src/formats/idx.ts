/**
 * IDX files in MNIST's layout, plain or gzipped: images [n, height, width] or [n, height, width, channels], and labels [n], as unsigned bytes.
 * The format: http://yann.lecun.com/exdb/mnist/
 */
import { join } from 'node:path';
import { maxImageChannels, maxImageSide, maxSplitImages } from '@funnel/contracts';
import { refuseFile } from '../fault.ts';
import { readBlocks, withFile } from '../files.ts';
import { firstBytes, skipBytes, wholeImages } from '../images/blocks.ts';
import type { Format, Found, Part, Shape } from '../source.ts';
import { refuseBomb, unpack } from '../unpack.ts';

const isIdx = (name: string): boolean => /idx\d?-?ubyte(\.gz)?$/i.test(name);
const isPacked = (path: string): boolean => /\.gz$/i.test(path);

type Role = { readonly split: RegExp; readonly what: RegExp; readonly example: string };
const roles = {
  trainImages: { split: /train/i, what: /images/i, example: 'train-images-idx3-ubyte' },
  trainLabels: { split: /train/i, what: /labels/i, example: 'train-labels-idx1-ubyte' },
  testImages: { split: /t10k|test/i, what: /images/i, example: 't10k-images-idx3-ubyte' },
  testLabels: { split: /t10k|test/i, what: /labels/i, example: 't10k-labels-idx1-ubyte' },
} as const satisfies Record<string, Role>;

/** The file of a role; a plain one goes before its gzipped copy. Undefined if there is none. */
const fileOf = ({ path, folder, files }: Found, { split, what, example }: Role): string | undefined => {
  const fitting = files.filter((name) => isIdx(name) && split.test(name) && what.test(name));
  const plain = fitting.filter((name) => !isPacked(name));
  const names = fitting.filter((name) => !isPacked(name) || !plain.includes(name.replace(/\.gz$/i, '')));
  if (names.length > 1)
    refuseFile(
      path,
      `expected one file such as ${example}, but got ${names.join(' and ')}: move each set to a folder of its own`,
    );
  return names[0] && join(folder, names[0]);
};

/** The bytes of the file after gunzip, from the beginning. */
const contentOf = (path: string): AsyncGenerator<Uint8Array> =>
  isPacked(path) ? unpack(path, 'gzip', readBlocks(path)) : readBlocks(path);

const unsignedBytes = 0x08;
const maxRank = 4;

type IdxArray = { readonly path: string; readonly shape: readonly number[]; readonly offset: number };

/** Reads the header and checks it against the size of the file. */
const openArray = async (path: string, ranks: readonly number[]): Promise<IdxArray> => {
  const start = await firstBytes(contentOf(path), 4 + 4 * maxRank);
  const [zero, alsoZero, type, rank = 0] = start;
  if (zero !== 0 || alsoZero !== 0 || start.length < 4 + 4 * rank)
    refuseFile(path, 'expected an IDX file, which begins with two bytes 0, the type and the number of axes');
  if (type !== unsignedBytes)
    refuseFile(
      path,
      `expected unsigned bytes (type 0x08), but got the type 0x${type!.toString(16).padStart(2, '0')}`,
    );
  if (!ranks.includes(rank)) refuseFile(path, `expected ${ranks.join(' or ')} axes, but got ${rank}`);
  const shape = Array.from({ length: rank }, (_, axis) => start.readUInt32BE(4 + 4 * axis));
  const offset = 4 + 4 * rank;
  const [count = 0, height = 1, width = 1, channels = 1] = shape;
  if (
    count < 1 ||
    count > maxSplitImages ||
    Math.min(height, width, channels) < 1 ||
    Math.max(height, width) > maxImageSide ||
    channels > maxImageChannels
  )
    refuseFile(
      path,
      `expected 1 to ${maxSplitImages} images of at most ${maxImageSide} × ${maxImageSide} × ${maxImageChannels}, but its header says ${shape.join(' × ')}`,
    );
  const declared = offset + shape.reduce((product, size) => product * size, 1);
  const { bytes } = await withFile(path, async (file) => file);
  if (isPacked(path)) refuseBomb(path, bytes, declared);
  else if (bytes !== declared)
    refuseFile(
      path,
      `expected ${declared} bytes for ${shape.join(' × ')}, but got ${bytes}: it is cut off, or its header is wrong`,
    );
  return { path, shape, offset };
};

const readPart = async (imagesPath: string, labelsPath: string): Promise<Part> => {
  const images = await openArray(imagesPath, [3, 4]);
  const labels = await openArray(labelsPath, [1]);
  const [count = 0, height = 0, width = 0, channels = 1] = images.shape;
  if (labels.shape[0] !== count)
    refuseFile(
      labelsPath,
      `expected ${count} labels, one for each image of ${imagesPath}, but got ${labels.shape[0]}`,
    );
  const numbers: number[] = [];
  for await (const block of wholeImages(
    labelsPath,
    skipBytes(contentOf(labelsPath), labels.offset),
    1,
    count,
  ))
    for (const label of block) numbers.push(label);
  const shape: Shape = [height, width, channels];
  return {
    labels: numbers,
    placeOf: (index) => `${labelsPath}, label ${index}`,
    images: {
      kind: 'pixels',
      path: imagesPath,
      shape,
      blocks: () =>
        wholeImages(
          imagesPath,
          skipBytes(contentOf(imagesPath), images.offset),
          height * width * channels,
          count,
        ),
    },
  };
};

/** Both files of a split. Null if there is neither. */
const openSplit = async (found: Found, images: Role, labels: Role): Promise<Part | null> => {
  const [imagesPath, labelsPath] = [fileOf(found, images), fileOf(found, labels)];
  if (imagesPath === undefined && labelsPath === undefined) return null;
  if (imagesPath === undefined || labelsPath === undefined)
    return refuseFile(
      found.path,
      `expected a file such as ${imagesPath === undefined ? images.example : labels.example} beside ${imagesPath ?? labelsPath}`,
    );
  return readPart(imagesPath, labelsPath);
};

export const idx: Format = {
  title: 'IDX files',
  looksLike: 'a folder with train-images-idx3-ubyte and train-labels-idx1-ubyte (MNIST; may end with .gz)',
  recognises: ({ files }) => files.some(isIdx),
  open: async (found) => {
    if (!found.isFolder)
      refuseFile(
        found.path,
        `expected the folder of images and labels, but got one of its files: give ${found.folder}`,
      );
    const train = await openSplit(found, roles.trainImages, roles.trainLabels);
    if (train === null)
      return refuseFile(
        found.path,
        `expected ${roles.trainImages.example} and ${roles.trainLabels.example} in one folder`,
      );
    const test = await openSplit(found, roles.testImages, roles.testLabels);
    return { train, test, classes: null, notes: [] };
  },
};
