/** Every recipe trains on images of any shape, and gives the same bits whether they are in memory or are read by rows from a file. */
import { type Recipe, type RecipeName, recipes } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { loadClassifier } from '../../src/classifier.ts';
import { openCanonical, readCanonicalSplit } from '../../src/datasets/canonical-file.ts';
import type { LoadedDataset } from '../../src/datasets/split.ts';
import { cacheCanonical, type Made, makeCanonical, temporaryFolder } from '../datasets/canonical.ts';
import { onto, type Ran, run, specOf } from '../stages.ts';

const names = Object.keys(recipes) as RecipeName[];
const counts = { train: 20, test: 12 };
const hyperparameters = { trainingSteps: 2, warmupEpochs: 1 };

const specDataset = ({ digest, content: { shape, classes } }: Made) => ({
  ...{ name: 'pets', ...counts, attack: 1 },
  content: { digest, shape, classCount: classes.length, budgets: { linf: 0.03, l2: 0.5 } },
});

/** The images in memory (`maxBytes` large), or read by rows (0). */
const loaded = async (made: Made, maxBytes: number): Promise<LoadedDataset> => {
  const file = await openCanonical(cacheCanonical(temporaryFolder(), made));
  const splits = {
    train: await readCanonicalSplit(file, 'train', counts.train, maxBytes),
    test: await readCanonicalSplit(file, 'test', counts.test, maxBytes),
  };
  onTestFinished(() => {
    for (const split of Object.values(splits)) split.close();
  });
  return { spec: specDataset(made), train: async () => splits.train, test: async () => splits.test };
};

/** The stages of a recipe, each started from the result of the one before. */
const lineOf = async (name: RecipeName, dataset: LoadedDataset): Promise<readonly Ran[]> => {
  const stages: Recipe['stages'] = recipes[name].stages;
  const line: Ran[] = [];
  for (const { kind } of stages) {
    const parent = line.at(-1);
    const spec = specOf(name, kind, 2, hyperparameters, { dataset: dataset.spec });
    line.push(await run(spec, parent ? onto(parent) : null, { dataset }));
  }
  return line;
};

beforeAll(async () => {
  await openBackend('wasm');
});

const shapes: [number, number, number][] = [
  [32, 32, 3],
  [30, 45, 1],
  [9, 64, 4],
];

describe.each(names)('%s', (name) => {
  it.each(shapes)('trains on %i×%i×%i', async (...shape) => {
    const made = makeCanonical(shape, counts);
    const line = await lineOf(name, await loaded(made, 2 ** 30));
    for (const { outcome } of line) expect(outcome).toEqual({ status: 'completed' });
    const classifier = loadClassifier(line.at(-1)!.last);
    const images = tf.zeros([2, ...shape]);
    expect(classifier.logits(images).shape).toEqual([2, 3]);
    images.dispose();
    classifier.dispose();
    const fromFile = await lineOf(name, await loaded(made, 0));
    expect(fromFile.map(({ hashes }) => hashes)).toEqual(line.map(({ hashes }) => hashes));
    expect(fromFile.map(({ metrics }) => metrics)).toEqual(line.map(({ metrics }) => metrics));
  });
});

it('images of 64×64×3 and of one pixel train', async () => {
  for (const shape of [
    [64, 64, 3],
    [1, 1, 1],
  ] as const) {
    const line = await lineOf('funn', await loaded(makeCanonical([...shape], counts), 0));
    expect(line[0]!.outcome.status).toMatch(/completed|collapsed/); // one pixel may be too little for an auto-encoder
    expect(line[0]!.checkpoints).toHaveLength(2);
  }
});
