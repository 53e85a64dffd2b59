/** What the reader of a format finds, and the interface of all readers. Nothing has been decoded yet, except for labels. */
import type { Listing } from './files.ts';
import type { ReadOptions } from './options.ts';

/** [height, width, channels]. */
export type Shape = readonly [number, number, number];

/** A label as the file has it: a whole number, or the name of a class. */
export type Label = number | string;

/** A PNG or JPEG file, or such a file within another one. `path` names it in errors. */
export type Picture = { readonly path: string; readonly bytes: Uint8Array };

/** The images of a split, in order. Each call of the function reads them anew. */
export type Images =
  | {
      readonly kind: 'pixels';
      /** The file with the images, for errors. */
      readonly path: string;
      readonly shape: Shape;
      /** Bytes [n, …shape], 255 stands for 1, in blocks of whole images. */
      readonly blocks: () => AsyncIterable<Uint8Array>;
    }
  | { readonly kind: 'pictures'; readonly pictures: () => AsyncIterable<Picture> };

export type Part = {
  readonly labels: readonly Label[];
  readonly images: Images;
  /** Names the file and the place of the label of an image, for errors. */
  readonly placeOf: (index: number) => string;
};

export type Source = {
  readonly train: Part;
  /** Null if the files do not say which images are for tests. */
  readonly test: Part | null;
  /** The names of the classes 0, 1, …, if the files name them and the labels are numbers. */
  readonly classes: readonly string[] | null;
  /** What the user should know: what was ignored, or taken for something. */
  readonly notes: readonly string[];
};

/** The path of the user: a folder and the names in it. A file is a folder that has only this file. */
export type Found = Listing & {
  /** As the user wrote it. */
  readonly path: string;
  readonly folder: string;
  readonly isFolder: boolean;
};

export type Format = {
  readonly title: string;
  /** Names and folders by which the format is recognised, for the error about a path that has none of them. */
  readonly looksLike: string;
  readonly recognises: (found: Found) => boolean;
  /** Checks names, headers and sizes, and reads the labels. Throws DatasetFault. */
  readonly open: (found: Found, options: ReadOptions) => Promise<Source>;
};
