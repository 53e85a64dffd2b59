/** Data sets of the fake server: the built-in ones, and two of users, with drawn images. */
import {
  type DatasetDetail,
  type DatasetImages,
  type DatasetImagesQuery,
  type DatasetName,
  datasetNames,
  datasets,
  isBuiltIn,
  type StoredDefinition,
  type SweepDefinition,
  storedDefinition,
  type UnfinishedDataset,
  usualBudgets,
} from '@funnel/contracts';
import { drawDigit, hashOf, toBase64, uniformOf } from './digits.ts';

const digestOf = (text: string): string =>
  [0, 1, 2, 3, 4, 5, 6, 7].map((i) => hashOf(`${i}/${text}`).toString(16).padStart(8, '0')).join('');

type Own = Pick<DatasetDetail, 'name' | 'shape' | 'classes' | 'train' | 'test' | 'owner' | 'createdAt'>;

const animals = ['cat', 'dog', 'horse', 'a bird with a rather long name of a class', 'frog'];

const own: readonly Own[] = [
  {
    ...{ name: 'street-signs', shape: [32, 32, 3], train: 39_209, test: 12_630 },
    classes: Array.from({ length: 43 }, (_, i) => `sign ${i}`),
    ...{ owner: 'mara', createdAt: '2026-11-20T14:03:00Z' },
  },
  {
    ...{ name: 'pets', shape: [30, 45, 1], train: 900, test: 120, classes: animals },
    ...{ owner: 'local', createdAt: '2026-11-22T08:30:00Z' },
  },
];

const summaryOf = ({
  name,
  classes,
  train,
  test,
}: Pick<DatasetDetail, 'name' | 'classes' | 'train' | 'test'>) => {
  const shares = classes.map((of) => 0.5 + uniformOf(`${name}/${of}`));
  const total = shares.reduce((sum, share) => sum + share, 0);
  const counts = (images: number) => shares.map((share) => Math.round((images * share) / total));
  return {
    trainCounts: counts(train),
    testCounts: counts(test),
    trainFirsts: classes.map((_, label) => label),
    ...{ mean: 0.1307, deviation: 0.3081 },
  };
};

const builtIn = (name: DatasetName): DatasetDetail => {
  const { title, content, shape, classes, train, test, budgets } = datasets[name];
  const isStored = name === 'mnist';
  const data = {
    name,
    title,
    train,
    test,
    budgets,
    shape: [...shape] as DatasetDetail['shape'],
    classes: [...classes],
  };
  return {
    ...data,
    ...{ digest: content, classCount: classes.length, isBuiltIn: true, isStored },
    workers: name === 'fashion-mnist' ? 0 : 3,
    bytes: isStored ? 55_020_123 : null,
    owner: isStored ? 'local' : null,
    createdAt: isStored ? '2026-11-01T09:00:00Z' : null,
    summary: isStored ? summaryOf(data) : null,
  };
};

const ofUser = (data: Own): DatasetDetail => ({
  ...data,
  ...{ title: data.name, digest: digestOf(data.name), classCount: data.classes.length },
  ...{ budgets: usualBudgets(data.shape), isBuiltIn: false, isStored: true, workers: 1 },
  bytes: (data.train + data.test) * data.shape[0] * data.shape[1] * data.shape[2],
  summary: summaryOf(data),
});

const all: readonly DatasetDetail[] = [...datasetNames.map(builtIn), ...own.map(ofUser)];

export const listFakeDatasets = () => all.map(({ classes, summary, ...entry }) => entry);

/** One that is on its way, and one that an older version has announced without a name. */
export const unfinishedFakes: readonly UnfinishedDataset[] = [
  {
    ...{ name: 'leaves', digest: digestOf('leaves'), status: 'receiving' },
    ...{ received: 41_943_040, bytes: 157_286_400, deletedAt: '2026-11-02T09:00:00Z' },
  },
  {
    ...{ name: null, digest: digestOf('nameless'), status: 'refused' },
    ...{ received: 8_000_000, bytes: 8_000_000, deletedAt: '2026-11-02T10:00:00Z' },
  },
];

export const findFakeDataset = (name: string): DatasetDetail | undefined =>
  all.find((dataset) => dataset.name === name);

/** The definition as the service would store it. Throws DATASET_UNKNOWN, as the service does. */
export const resolveFake = (definition: SweepDefinition): StoredDefinition => {
  const found = isBuiltIn(definition.dataset.name) ? undefined : findFakeDataset(definition.dataset.name);
  if (!found) return storedDefinition(definition);
  const { digest, shape, classes, train, test, budgets } = found;
  return storedDefinition(definition, { digest, shape, classes, train, test, budgets });
};

/** A digit in the middle of an image of this shape, tinted where there are colours. */
export const drawIn = (
  [height, width, channels]: DatasetDetail['shape'],
  label: number,
  variant: string,
): Float32Array => {
  const digit = drawDigit(label % 10, variant);
  const tint = [0, 1, 2].map((c) => 0.35 + 0.65 * uniformOf(`${variant}/${c}`));
  const image = new Float32Array(height * width * channels);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < channels; c++) {
        const [row, column] = [Math.floor((28 * y) / height), Math.floor((28 * x) / width)];
        image[(y * width + x) * channels + c] = digit[28 * row + column]! * (channels === 1 ? 1 : tint[c]!);
      }
  return image;
};

export const fakeImagesOf = (
  { name, shape, classCount, ...counts }: DatasetDetail,
  { split, from, count }: DatasetImagesQuery,
): DatasetImages => {
  const shown = Math.max(0, Math.min(count, counts[split] - from));
  const index = Array.from({ length: shown }, (_, i) => from + i);
  const label = index.map((i) => hashOf(`${name}/${split}/${i}`) % classCount);
  const images = index.map((i, at) => toBase64(drawIn(shape, label[at]!, `${name}/${split}/${i}`)));
  return { shape, index, label, images };
};
