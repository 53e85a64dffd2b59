/** A folder of PNG and JPEG pictures with a folder for each class, as for Keras and torchvision. */
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import { refuseFile } from '../fault.ts';
import { listFolder, readWhole } from '../files.ts';
import { maxPictureBytes } from '../images/decode.ts';
import type { ReadOptions } from '../options.ts';
import type { Format, Found, Part } from '../source.ts';
import { findSplits } from '../splits.ts';

/** A file: the path from the folder of the split, with `/`. */
type File = { readonly name: string; readonly label: string };

const isPicture = (name: string): boolean => /\.(png|jpe?g)$/i.test(name);

const filesIn = async (folder: string, classes: readonly string[]): Promise<readonly File[]> => {
  const found: File[] = [];
  for (const label of classes) {
    const { files, folders } = await listFolder(join(folder, label));
    if (folders.length > 0)
      refuseFile(
        join(folder, label, folders[0]!),
        `expected pictures in the folder of the class ${label}, but got a folder`,
      );
    const other = files.find((name) => !isPicture(name));
    if (other !== undefined)
      refuseFile(
        join(folder, label, other),
        'expected only .png, .jpg and .jpeg files in the folder of a class: convert it, or move it away',
      );
    if (files.length === 0)
      refuseFile(join(folder, label), 'expected pictures in the folder of a class, but got none');
    for (const name of files) found.push({ name: `${label}/${name}`, label });
  }
  return found;
};

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * A random order that depends on the seed and on each path alone: by the SHA-256 of both. So another file changes nothing among the rest, and
 * every system gives the same order.
 */
const shuffle = (files: readonly File[], seed: number): readonly File[] => {
  const keyOf = ({ name }: File): string =>
    createHash('sha256')
      .update(`${seed}\n${name.normalize('NFC')}`)
      .digest('hex');
  return files
    .map((file) => ({ file, key: keyOf(file) }))
    .sort((a, b) => compare(a.key, b.key))
    .map(({ file }) => file);
};

/** By the names of the files across all classes; equal names by their classes. */
const sortByName = (files: readonly File[]): readonly File[] =>
  files.toSorted((a, b) => {
    const [first, second] = [a.name.normalize('NFC'), b.name.normalize('NFC')];
    return compare(basename(first), basename(second)) || compare(first, second);
  });

const readPart = async (folder: string, { order, seed }: ReadOptions): Promise<Part> => {
  const { folders } = await listFolder(folder);
  const found = await filesIn(folder, folders);
  const files = order === 'name' ? sortByName(found) : shuffle(found, seed);
  return {
    labels: files.map(({ label }) => label),
    placeOf: (index) => join(folder, files[index]!.name),
    images: {
      kind: 'pictures',
      pictures: async function* () {
        for (const { name } of files) {
          const path = join(folder, name);
          yield { path, bytes: await readWhole(path, maxPictureBytes) };
        }
      },
    },
  };
};

const hasClasses = ({ isFolder, folders }: Found): boolean => isFolder && folders.length > 0;

export const folder: Format = {
  title: 'a folder of pictures',
  looksLike:
    'a folder with a folder of PNG or JPEG files for each class, or with folders train and test that have these',
  recognises: hasClasses,
  open: async (found, options) => {
    const { train, test, notes } = findSplits(found.folders);
    const ignored =
      found.files.length === 0 ? [] : [`${found.files.length} files beside the folders were ignored.`];
    // A class may be called train; its folder has pictures.
    if (train.length === 0 || (await listFolder(join(found.folder, train[0]!))).folders.length === 0)
      return { train: await readPart(found.folder, options), test: null, classes: null, notes: ignored };
    const stray = found.folders.filter((name) => !train.includes(name) && !test.includes(name));
    return {
      train: await readPart(join(found.folder, train[0]!), options),
      test: test.length === 0 ? null : await readPart(join(found.folder, test[0]!), options),
      classes: null,
      notes: [...notes, ...ignored, ...stray.map((name) => `The folder ${name} was ignored.`)],
    };
  },
};
