/** How files become a data set. `defaultOptions` has the defaults of the command line. */

export const resizeWays = ['crop', 'fit'] as const;
export type ResizeWay = (typeof resizeWays)[number];

export const orders = ['shuffled', 'name'] as const;
export type Order = (typeof orders)[number];

export type ReadOptions = {
  /** [height, width] to which every image is scaled. Null: all must have the same size. */
  readonly size: readonly [number, number] | null;
  /** `crop` scales an image until it covers the size, and cuts off the rest. `fit` scales it until it fits, with black bars. */
  readonly resize: ResizeWay;
  /** 1: grey, 3: colour, null: as the first image. */
  readonly channels: 1 | 3 | null;
  /** The names of the classes in their order. Null: those that the files have. */
  readonly classes: readonly string[] | null;
  /** The order of the images of folders. All other formats keep theirs. */
  readonly order: Order;
  /** Of the order `shuffled`, and of the choice of test images. */
  readonly seed: number;
  /** The share of test images where the files do not say which ones they are, in (0, 1). */
  readonly testShare: number;
  /** The file with the labels of an NPY file of images. */
  readonly labels: string | null;
  /** Columns of Parquet files. Null: found by their names and types. */
  readonly labelColumn: string | null;
  readonly imageColumn: string | null;
};

export const defaultOptions: ReadOptions = {
  size: null,
  resize: 'crop',
  channels: null,
  classes: null,
  order: 'shuffled',
  seed: 0,
  testShare: 0.2,
  labels: null,
  labelColumn: null,
  imageColumn: null,
};
