/** Arrays of numpy: an NPZ file, a folder of NPY files, or one NPY file of images with `--labels`. */
import { basename, join } from 'node:path';
import { npyElements } from '@funnel/contracts';
import { DatasetFault, refuseFile } from '../fault.ts';
import { readBlocks, withFile } from '../files.ts';
import { channelsLast, firstBytes, skipBytes, wholeImages } from '../images/blocks.ts';
import { layoutOf, maxHeaderBytes, type NpyArray, openNpyArray, shapeText, sizeOf } from '../npy/header.ts';
import { toLabels, toPixels } from '../npy/values.ts';
import { listZip, readEntry } from '../npy/zip.ts';
import type { Format, Found, Part, Shape } from '../source.ts';

/** An array that can be read as a stream. */
type Stored = {
  /** Of the array, without `.npy`. */
  readonly name: string;
  /** Names it in errors. */
  readonly path: string;
  readonly bytes: number;
  /** The bytes with the header. */
  readonly blocks: () => AsyncIterable<Uint8Array>;
};

const isNpy = (name: string): boolean => /\.npy$/i.test(name);
const isNpz = (name: string): boolean => /\.npz$/i.test(name);
const withoutEnding = (name: string): string => basename(name).replace(/\.npy$/i, '');

const storedInFile = async (path: string): Promise<Stored> => ({
  name: withoutEnding(path),
  path,
  bytes: (await withFile(path, async (file) => file)).bytes,
  blocks: () => readBlocks(path),
});

const storedInArchive = async (path: string): Promise<readonly Stored[]> =>
  (await listZip(path)).map((entry) => ({
    name: withoutEnding(entry.name),
    path: `${path}: ${entry.name}`,
    bytes: entry.unpacked,
    blocks: () => readEntry(path, entry),
  }));

const findArrays = async ({ path, folder, files }: Found): Promise<readonly Stored[]> => {
  const archives = files.filter(isNpz);
  if (archives.length > 1)
    refuseFile(path, `expected one NPZ file, but got ${archives.join(' and ')}: name the one that you mean`);
  if (archives.length === 1) return storedInArchive(join(folder, archives[0]!));
  return Promise.all(files.filter(isNpy).map((name) => storedInFile(join(folder, name))));
};

type Role = 'images' | 'labels';
type Split = 'train' | 'test' | 'validation';

const roleNames: Readonly<Record<string, Role>> = {
  ...{ x: 'images', image: 'images', images: 'images', data: 'images', arr_0: 'images' },
  ...{ y: 'labels', label: 'labels', labels: 'labels', target: 'labels', targets: 'labels', arr_1: 'labels' },
};

/** `x_train`, `train_images`, `Y`, …: what an array holds, by its name. */
const meaningOf = (name: string): { readonly role: Role; readonly split: Split } | null => {
  const lower = name.toLowerCase();
  const [, word] = /(?:^|_)(train|test|val(?:id(?:ation)?)?)(?:_|$)/.exec(lower) ?? [];
  const rest =
    word === undefined
      ? lower
      : lower
          .split('_')
          .filter((each) => each !== word)
          .join('_');
  const role = Object.hasOwn(roleNames, rest) ? roleNames[rest]! : null;
  const split = word?.startsWith('val') ? 'validation' : word === 'test' ? 'test' : 'train';
  return role && { role, split };
};

const openHeader = async ({ path, bytes, blocks }: Stored): Promise<NpyArray> =>
  openNpyArray(path, await firstBytes(blocks(), maxHeaderBytes), bytes);

const readLabels = async (stored: Stored, count: number): Promise<readonly number[]> => {
  const header = await openHeader(stored);
  const { shape, type, isFloat, offset } = header;
  if (sizeOf(shape.slice(1)) !== 1)
    refuseFile(
      stored.path,
      `expected one label per image, [${count}], but got ${shapeText(shape)}: np.argmax(Y, axis=1) turns one-hot rows into labels`,
    );
  if (isFloat)
    refuseFile(stored.path, "expected labels that are whole numbers, but got floats: save Y.astype('int64')");
  if (shape[0] !== count)
    refuseFile(stored.path, `expected ${count} labels, one per image, but got ${shape[0]}`);
  const labels: number[] = [];
  const elements = wholeImages(
    stored.path,
    skipBytes(stored.blocks(), offset),
    npyElements[type]!.bytes,
    count,
  );
  for await (const block of elements) for (const label of toLabels(header, block)) labels.push(label);
  return labels;
};

const readPart = async (images: Stored, labels: Stored): Promise<Part> => {
  const header = await openHeader(images);
  const [count = 0, ...axes] = header.shape;
  if (count === 0 || sizeOf(axes) === 0)
    refuseFile(images.path, `expected images, but got none: its shape is ${shapeText(header.shape)}`);
  if (axes.length === 1)
    refuseFile(
      images.path,
      `expected images [n, height, width] or [n, height, width, channels], but got rows ${shapeText(header.shape)}: save X.reshape(n, height, width)`,
    );
  const { image, isChannelsFirst } = layoutOf(images.path, axes);
  const shape = image as unknown as Shape; // three axes: rows are refused above
  const perImage = sizeOf(axes);
  return {
    labels: await readLabels(labels, count),
    placeOf: (index) => `${labels.path}, label ${index}`,
    images: {
      kind: 'pixels',
      path: images.path,
      shape,
      blocks: async function* () {
        const bytes = perImage * npyElements[header.type]!.bytes;
        let first = 0;
        for await (const block of wholeImages(
          images.path,
          skipBytes(images.blocks(), header.offset),
          bytes,
          count,
        )) {
          const pixels = toPixels(images.path, header, block, first, perImage);
          first += pixels.length;
          yield isChannelsFirst ? channelsLast(pixels, shape) : pixels;
        }
      },
    },
  };
};

/** One array of each meaning. */
const pick = (path: string, arrays: readonly Stored[]) => {
  const picked: Partial<Record<`${Split}-${Role}`, Stored>> = {};
  for (const stored of arrays) {
    const meaning = meaningOf(stored.name);
    if (meaning === null) continue;
    const key = `${meaning.split}-${meaning.role}` as const;
    if (picked[key])
      throw new DatasetFault(
        `${path}: expected one array of ${meaning.split} ${meaning.role}, but got ${picked[key].name} and ${stored.name}`,
      );
    picked[key] = stored;
  }
  return picked;
};

const named = 'x_train, y_train, x_test and y_test, or images and labels';

export const arrays: Format = {
  title: 'arrays of numpy',
  looksLike: `an NPZ file, or a folder of NPY files, with arrays ${named}; or an NPY file of images, and --labels`,
  recognises: ({ files }) => files.some((name) => isNpy(name) || isNpz(name)),
  open: async (found, options) => {
    const stored = await findArrays(found);
    if (options.labels !== null) {
      if (stored.length !== 1 || found.isFolder || !isNpy(found.path))
        refuseFile(found.path, 'expected one NPY file of images beside --labels');
      const train = await readPart(stored[0]!, await storedInFile(options.labels));
      return { train, test: null, classes: null, notes: [] };
    }
    const picked = pick(found.path, stored);
    const part = (split: Split): Promise<Part> | null => {
      const [images, labels] = [picked[`${split}-images`], picked[`${split}-labels`]];
      if (images && labels) return readPart(images, labels);
      if (images || labels)
        return refuseFile(
          found.path,
          `expected ${split} images and ${split} labels, but got only ${(images ?? labels)!.name}`,
        );
      return null;
    };
    const train = await part('train');
    if (train === null)
      return refuseFile(
        found.path,
        `expected arrays named ${named}, but got ${stored.map(({ name }) => name).join(', ') || 'none'}${stored.length === 1 ? '; --labels names the file with the labels of one NPY file' : ''}`,
      );
    const [test, validation] = [
      await part('test'),
      picked['validation-images'] ? await part('validation') : null,
    ];
    const notes = !validation
      ? []
      : test
        ? ['The arrays of validation images were left out.']
        : ['There are no test images, so the validation images are the test images.'];
    return { train, test: test ?? validation, classes: null, notes };
  },
};
