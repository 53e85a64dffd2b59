/** Images of the user as PNG files: a folder that has a folder per class. */
import { readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { refuseFile } from '@funnel/datasets';
import type { ImageSource } from './images.ts';
import { checkSize } from './npy-images.ts';
import { readPng } from './png.ts';

type LabelledFile = { readonly path: string; readonly label: number };

/** The names in a folder in the order of their characters, without hidden ones. */
const namesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .sort();

const pngFiles = (folder: string): string[] => {
  const names = namesIn(folder);
  const other = names.find((name) => /\.(jpe?g|gif|bmp|webp|tiff?)$/i.test(name));
  if (other !== undefined) return refuseFile(join(folder, other), 'expected PNG files only: convert it');
  return names.filter((name) => /\.png$/i.test(name)).map((name) => join(folder, name));
};

/**
 * The folders in this folder, with their labels. Names that are all numbers are the labels. Other names are numbered in their order, as in
 * Keras and torchvision.
 */
const classFolders = (folder: string): readonly { readonly path: string; readonly label: number }[] => {
  const paths = namesIn(folder)
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isDirectory());
  const areNumbers = paths.every((path) => /^\d{1,6}$/.test(basename(path)));
  return paths.map((path, i) => ({ path, label: areNumbers ? Number(basename(path)) : i }));
};

/** One file of each class in turn, so that the first hundred have all classes. */
const inTurn = (classes: readonly (readonly LabelledFile[])[]): readonly LabelledFile[] => {
  const longest = classes.reduce((most, files) => Math.max(most, files.length), 0);
  return Array.from({ length: longest }, (_, i) => classes.flatMap((files) => files[i] ?? [])).flat();
};

/** `[n, height, width, 3]`, and whether all pixels are grey. Throws DatasetFault if an image has another size than the first. */
const readAll = async (paths: readonly string[]) => {
  const first = await readPng(paths[0]!);
  const { width, height } = first;
  checkSize(paths[0]!, paths.length, [height, width, 3]);
  const values = new Float32Array(paths.length * first.rgb.length);
  for (const [i, path] of paths.entries()) {
    const picture = i === 0 ? first : await readPng(path);
    if (picture.width !== width || picture.height !== height)
      refuseFile(
        path,
        `expected ${width} × ${height} pixels as in ${paths[0]}, but got ${picture.width} × ${picture.height}`,
      );
    values.set(picture.rgb, i * first.rgb.length);
  }
  const isGrey = values.every((value, i) => value === values[i - (i % 3)]);
  return { values, width, height, isGrey };
};

/** Finds and reads the chosen images. Throws DatasetFault if there are none, or if one cannot be read. */
export const pngImages = async (
  folder: string,
  choose: (count: number) => readonly number[],
): Promise<ImageSource> => {
  const classes = classFolders(folder);
  const files = inTurn(
    classes.map(({ path: inside, label }) => pngFiles(inside).map((path) => ({ path, label }))),
  );
  if (files.length === 0)
    refuseFile(folder, 'expected a folder per class with PNG files in it, such as 0/a.png, 1/b.png');
  const indices = choose(files.length);
  const chosen = indices.map((index) => files[index]!);
  const { values, width, height, isGrey } = await readAll(chosen.map(({ path }) => path));
  const grey = [height, width, 1];
  const colour = [height, width, 3];
  return {
    description: {
      images: folder,
      classes: Object.fromEntries(classes.map(({ path, label }) => [basename(path), label])),
    },
    count: files.length,
    indices,
    shapes: isGrey ? [grey, colour] : [colour],
    read: async ([, , channels]) => ({
      images: channels === 1 ? values.filter((_, i) => i % 3 === 0) : values,
      labels: chosen.map(({ label }) => label),
    }),
    fileOf: (index) => files[index]!.path,
  };
};
