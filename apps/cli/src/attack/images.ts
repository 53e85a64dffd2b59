/** The images that `funnel attack` and `funnel examine` take: from a data set, from NPY files, or from a folder of PNG files. */
import { statSync } from 'node:fs';
import { type Budgets, type DatasetName, datasets } from '@funnel/contracts';
import type { DataFolders } from '@funnel/engine';
import { Exit, exitCodes } from '../exit.ts';
import { readIndices } from './arguments.ts';
import { type NamedDataset, readStoredImages } from './named-dataset.ts';
import { npyImages } from './npy-images.ts';
import { pngImages } from './png-images.ts';

export type ImageOptions = {
  readonly dataset?: string;
  readonly split: 'train' | 'test';
  /** A file or a folder of the user. */
  readonly images?: string;
  readonly labels?: string;
  readonly indices?: string;
};

export type Images = {
  /** `[n, ...shape]` in [0, 1], row by row. */
  readonly images: Float32Array;
  readonly labels: readonly number[];
};

/** Images that were found and whose sizes were checked, but that may not be in memory yet. */
export type ImageSource = {
  /** Part of the result of the command. */
  readonly description: Readonly<Record<string, unknown>>;
  /** The usual budgets of its data set. Absent for images of the user. */
  readonly budgets?: Budgets;
  /** The number of all images, of which `indices` names some. */
  readonly count: number;
  readonly indices: readonly number[];
  /** The shape of one image, or the shapes that the images can take, the likeliest first. */
  readonly shapes: readonly (readonly number[])[];
  /** Reads the images at `indices` in one of `shapes`. Throws DatasetFault if the images cannot be read so. */
  readonly read: (shape: readonly number[]) => Promise<Images>;
  /** Names the file of an image, if each has its own. */
  readonly fileOf?: (index: number) => string;
};

const usage = (message: string): Exit => new Exit(exitCodes.usage, message);

const defaultImages = 100;

/** The chosen indices; without a choice the first 100. Throws Exit for an index that no image has. */
const chooseIndices = (text: string | undefined, count: number, what: string): readonly number[] => {
  if (text === undefined) return Array.from({ length: Math.min(count, defaultImages) }, (_, i) => i);
  const indices = readIndices(text);
  const beyond = indices.find((index) => index >= count);
  if (beyond !== undefined) throw usage(`Expected indices below ${count}, ${what}, but got ${beyond}`);
  return indices;
};

const datasetImages = (
  name: DatasetName,
  { split, indices: text }: ImageOptions,
  folders: DataFolders,
): ImageSource => {
  const count = datasets[name][split];
  const indices = chooseIndices(text, count, `the ${split} images of ${name}`);
  return {
    description: { dataset: name, split },
    budgets: datasets[name].budgets,
    count,
    indices,
    shapes: [datasets[name].shape],
    read: async () => {
      const { gatherImages, loadDataset } = await import('@funnel/engine');
      const needed = indices.reduce((most, index) => Math.max(most, index), 0) + 1;
      const dataset = await loadDataset(
        { name, train: split === 'train' ? needed : 1, test: split === 'test' ? needed : 1, attack: 1 },
        folders,
      );
      const images = await dataset[split]();
      return {
        images: gatherImages(images, indices),
        labels: indices.map((index) => images.labels[index]!),
      };
    },
  };
};

const storedImages = (
  { name, budgets }: NamedDataset,
  stored: NonNullable<NamedDataset['stored']>,
  { split, indices: text }: ImageOptions,
): ImageSource => {
  const { digest, shape, [split]: count } = stored.detail;
  const indices = chooseIndices(text, count, `the ${split} images of ${name}`);
  return {
    description: { dataset: name, digest, split },
    budgets,
    count,
    indices,
    shapes: [shape],
    read: () => readStoredImages(stored, split, indices),
  };
};

export type Places = {
  readonly folders: DataFolders;
  /** The data set that the options name. */
  readonly named?: NamedDataset | undefined;
};

/** Finds the images that the options name. Throws Exit for options that do not fit together, and DatasetFault for files that are no images. */
export const openImages = async (options: ImageOptions, { folders, named }: Places): Promise<ImageSource> => {
  const { dataset, images, labels, indices } = options;
  if (dataset !== undefined && images !== undefined)
    throw usage('Expected images from one place, but got --dataset and --images: leave one of them out');
  if (images === undefined) {
    if (labels !== undefined) throw usage('Expected --images X.npy beside --labels');
    if (named === undefined)
      throw usage(
        'Expected images: --dataset NAME, --images X.npy --labels Y.npy, or --images FOLDER with a folder of PNG files per class',
      );
    if (named.stored) return storedImages(named, named.stored, options);
    return datasetImages(named.name as DatasetName, options, folders); // built in, because the service was not asked
  }
  const choose = (count: number) => chooseIndices(indices, count, `the images of ${images}`);
  if (statSync(images, { throwIfNoEntry: false })?.isDirectory()) {
    if (labels !== undefined)
      throw usage(`Expected --images ${images} without --labels: the folders in it name the classes`);
    return pngImages(images, choose);
  }
  if (labels === undefined) throw usage(`Expected --labels Y.npy beside --images ${images}`);
  return npyImages(images, labels, choose);
};
