/**
 * The data sets. A digest names the *content* of a data set (for IDX files: their bytes after gunzip). Identities therefore do not depend
 * on the compression of the files, and the planner needs no data.
 */
import { z } from 'zod';

export type DatasetFile = {
  /** The original name, with `.gz`. */
  readonly name: string;
  /** sha-256 of the file after gunzip. */
  readonly sha256: string;
  /** Bytes after gunzip. */
  readonly bytes: number;
};

/** The first `count` images of each split, in files with the same names as the files of the whole data set. */
export type DatasetExtract = { readonly count: number; readonly files: readonly DatasetFile[] };

/** The radii that published results usually give for attacks at a fixed ε on a data set. */
export type Budgets = { readonly linf: number; readonly l2: number };

export type Dataset = {
  readonly title: string;
  readonly classes: readonly string[];
  /** [height, width, channels]; pixels in [0, 1]. */
  readonly shape: readonly [number, number, number];
  readonly train: number;
  readonly test: number;
  readonly budgets: Budgets;
  /** True for white strokes on black, scaled and centred as in MNIST: a visitor of *Try it* can draw such an image. */
  readonly isDrawn: boolean;
  /** The digest of the content: the SHA-256 of all files, joined, or for a generated data set a name that changes with its content. */
  readonly digest: string;
  /** The SHA-256 of its canonical form (`dataset-content.ts`): a data set of a user with this content is this one. */
  readonly content: string;
  readonly files: readonly DatasetFile[];
  /**
   * A part that a folder may hold instead of the whole files, for tests: `fixtures/data`. It suffices for sweeps that use no more images.
   */
  readonly extract: DatasetExtract | null;
};

const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

/** The SHA-256 of each file after gunzip. */
type Digests = readonly [trainImages: string, trainLabels: string, testImages: string, testLabels: string];

/** The four files in MNIST's layout, for splits of `train` and `test` images. */
const idxFiles = (train: number, test: number, sha256: Digests): readonly DatasetFile[] =>
  [
    { name: 'train-images-idx3-ubyte.gz', bytes: 16 + 784 * train },
    { name: 'train-labels-idx1-ubyte.gz', bytes: 8 + train },
    { name: 't10k-images-idx3-ubyte.gz', bytes: 16 + 784 * test },
    { name: 't10k-labels-idx1-ubyte.gz', bytes: 8 + test },
  ].map((file, i) => ({ ...file, sha256: sha256[i]! }));

const idx = (
  title: string,
  classes: readonly string[],
  kind: Pick<Dataset, 'budgets' | 'isDrawn'>,
  content: string,
  sha256: Digests,
  extract: DatasetExtract | null = null,
): Dataset => ({
  title,
  classes,
  shape: [28, 28, 1],
  train: 60_000,
  test: 10_000,
  ...kind,
  digest: sha256.join('+'),
  content,
  files: idxFiles(60_000, 10_000, sha256),
  extract,
});

const mnistExtract: DatasetExtract = {
  count: 1000,
  files: idxFiles(1000, 1000, [
    '386bb018796babeaca208787b77c1b9db39532c4098951ea35f4694e744eb4b7',
    '895f65588e45d05babf0b5fa7aee2a0d782d8143b40b5764e596df91bc9dddeb',
    'de7c252b04f05e1f8309634180ccdf286dc6dbac8c579b74e76e02ae0331ca52',
    '832c0d20f0dc42e575488c75a83a970787d4c8d4d05831b2ef03701b4a478a90',
  ]),
};

/** From Madry et al. 2018 and AutoAttack's table. */
const mnistBudgets: Budgets = { linf: 0.3, l2: 2 };
const drawings = { budgets: mnistBudgets, isDrawn: true } as const;

export const datasets = {
  mnist: idx(
    'MNIST',
    digits,
    drawings,
    '9dd85e16846202da1e1f6b25f0b415f6c2014fdd89c772ecf829d81d21d1e7de',
    [
      'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
      '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
      '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
      'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
    ],
    mnistExtract,
  ),
  'fashion-mnist': idx(
    'Fashion-MNIST',
    [
      'T-shirt/top',
      'Trouser',
      'Pullover',
      'Dress',
      'Coat',
      'Sandal',
      'Shirt',
      'Sneaker',
      'Bag',
      'Ankle boot',
    ],
    { budgets: { linf: 0.1, l2: 1.5 }, isDrawn: false },
    '6c6c45da7d20554104d6a652cfb538040ad019d8cbcf99e73d40610e4a43e37e',
    [
      'c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888',
      'bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9',
      '5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b',
      '0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34',
    ],
  ),
  glyphs: {
    title: 'Glyphs (generated)',
    classes: digits,
    shape: [28, 28, 1],
    train: 60_000,
    test: 10_000,
    ...drawings,
    digest: 'glyphs-1',
    content: '716ac4400e2c87eeb5e9f96fa1047d8fa52d18da2d1f3bd8da466d82e0d3a5e1',
    files: [],
    extract: null,
  },
  'glyphs-colour': {
    title: 'Coloured glyphs (generated)',
    classes: digits,
    shape: [32, 32, 3],
    train: 60_000,
    test: 10_000,
    budgets: { linf: 8 / 255, l2: 0.5 },
    isDrawn: false,
    digest: 'glyphs-colour-1',
    content: '3eb8c5140f92bc7fbba8ce227276382f711df63061f6a444804f428f3b4f1801',
    files: [],
    extract: null,
  },
} as const satisfies Record<string, Dataset>;

export type DatasetName = keyof typeof datasets;
export const datasetNames = Object.keys(datasets) as DatasetName[];
export const DatasetName = z.enum(datasetNames as [DatasetName, ...DatasetName[]]);

/** The budgets of a data set; of MNIST when the caller names none. */
export const budgetsOf = (name: DatasetName = 'mnist'): Budgets => datasets[name].budgets;
