/**
 * The data sets by name. A digest names the *content* of a data set (for IDX files: their bytes after gunzip), so that identities
 * do not depend on who compressed it, and the planner needs no data at hand.
 */
import { z } from 'zod';

export type DatasetFile = {
  /** The four original gzipped names. */
  readonly name: string;
  /** sha-256 of the file after gunzip. */
  readonly sha256: string;
  /** Bytes after gunzip. */
  readonly bytes: number;
};

/** Radii of attacks at a fixed ε that are usual for a data set, so that numbers can be laid beside published ones. */
export type Budgets = { readonly linf: number; readonly l2: number };

export type Dataset = {
  readonly title: string;
  readonly classes: readonly string[];
  /** [height, width, channels]; pixels in [0, 1]. */
  readonly shape: readonly [number, number, number];
  readonly train: number;
  readonly test: number;
  readonly budgets: Budgets;
  /** Raise with a generator's output, or the sha-256s of the files joined. */
  readonly digest: string;
  readonly files: readonly DatasetFile[];
};

const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'] as const;

/** `[train images, train labels, test images, test labels]` by their sha-256 after gunzip. */
const idx = (
  title: string,
  classes: readonly string[],
  budgets: Budgets,
  sha256: readonly [string, string, string, string],
): Dataset => {
  const names = [
    'train-images-idx3-ubyte.gz',
    'train-labels-idx1-ubyte.gz',
    't10k-images-idx3-ubyte.gz',
    't10k-labels-idx1-ubyte.gz',
  ];
  const bytes = [47_040_016, 60_008, 7_840_016, 10_008];
  return {
    title,
    classes,
    shape: [28, 28, 1],
    train: 60_000,
    test: 10_000,
    budgets,
    digest: sha256.join('+'),
    files: names.map((name, i) => ({ name, sha256: sha256[i]!, bytes: bytes[i]! })),
  };
};

/** Madry et al. 2018 and AutoAttack's table. */
const mnistBudgets: Budgets = { linf: 0.3, l2: 2 };

export const datasets = {
  mnist: idx('MNIST', digits, mnistBudgets, [
    'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
    '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
    '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
    'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  ]),
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
    { linf: 0.1, l2: 1.5 },
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
    budgets: mnistBudgets,
    digest: 'glyphs-1',
    files: [],
  },
} as const satisfies Record<string, Dataset>;

export type DatasetName = keyof typeof datasets;
export const datasetNames = Object.keys(datasets) as DatasetName[];
export const DatasetName = z.enum(datasetNames as [DatasetName, ...DatasetName[]]);

/** Of the data set, or of MNIST where none is named. */
export const budgetsOf = (name: DatasetName = 'mnist'): Budgets => datasets[name].budgets;

const largest = (part: 'train' | 'test'): number =>
  Math.max(...datasetNames.map((name) => datasets[name][part]));

/** Which images a sweep uses: always the first ones, so that subsets nest. */
export const DatasetSpec = z
  .strictObject({
    name: DatasetName,
    train: z
      .int()
      .min(1)
      .max(largest('train'))
      .default(largest('train'))
      .meta({ title: 'Training images', description: 'The first this many training images.' }),
    test: z
      .int()
      .min(1)
      .max(largest('test'))
      .default(largest('test'))
      .meta({ title: 'Test images', description: 'Clean accuracy is measured on the first this many.' }),
    attack: z.int().min(1).max(largest('test')).default(1000).meta({
      title: 'Attacked images',
      description:
        'Attacks run on the correctly classified among the first this many test images (§4.2: 1,000).',
    }),
  })
  .refine((d) => d.attack <= d.test, {
    path: ['attack'],
    error: 'Expected at most as many attacked images as test images',
  });
export type DatasetSpec = z.infer<typeof DatasetSpec>;
