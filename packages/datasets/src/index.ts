/**
 * Data sets of users: reads what people have (IDX, arrays of numpy, CIFAR-10, folders of pictures, Parquet) and writes the canonical form.
 * Decoders load only in the reading process.
 */
export { DatasetFault, refuseFile } from './fault.ts';
export {
  layoutOf,
  maxHeaderBytes,
  type NpyArray,
  openNpyArray,
  shapeText,
  sizeOf,
} from './npy/header.ts';
export { defaultOptions, orders, type ReadOptions, resizeWays } from './options.ts';
export type { Progress, ReadDataset, ReadRequest } from './read-dataset.ts';
export {
  defaultReadingLimits,
  type ReadingLimits,
  type ReadingOptions,
  readInProcess,
} from './read-in-process.ts';
