/** Where each data set comes from. One that `contracts/datasets.ts` declares and that is missing here does not compile. */
import type { DatasetName } from '@funnel/contracts';
import { glyphs } from './glyphs/glyphs.ts';
import { readIdxSplit } from './idx-split.ts';
import type { Split, SplitName } from './split.ts';

export type Source =
  | {
      /** The first `count` images of a split, made each time. */
      readonly generate: (split: SplitName, count: number) => Split;
    }
  | {
      /** A whole split from the declared files in a folder, verified. */
      readonly read: (name: DatasetName, folder: string, split: SplitName) => Promise<Split>;
      /** Folders on the web that hold the files. */
      readonly mirrors: readonly string[];
    };

export const sources: Readonly<Record<DatasetName, Source>> = {
  mnist: {
    read: readIdxSplit,
    mirrors: [
      'https://ossci-datasets.s3.amazonaws.com/mnist/',
      'https://storage.googleapis.com/cvdf-datasets/mnist/',
    ],
  },
  'fashion-mnist': {
    read: readIdxSplit,
    mirrors: [
      'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
      'https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/',
    ],
  },
  glyphs: { generate: glyphs },
};
