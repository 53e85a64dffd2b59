/** MagNet and the detector: the recorded metrics agree with the loaded classifier. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { loadClassifier } from '../../src/classifier.ts';
import { loadDataset } from '../../src/datasets/load-dataset.ts';
import { gatherImages } from '../../src/datasets/split.ts';
import { onto, type Ran, run, specOf } from '../stages.ts';

beforeAll(async () => void (await openBackend('wasm')));

const trained = async (
  name: 'magnet' | 'detector',
  hyperparameters: Parameters<typeof specOf>[3],
): Promise<Ran> => {
  const all = { classifierRate: 0.01, trainingSteps: 2, ...hyperparameters };
  const initialise = await run(specOf(name, 'initialise', 6, all));
  return run(specOf(name, 'classify', 6, all), onto(initialise));
};

/** The share of test images that are rejected, the share that pass and are classified correctly, and the number of these in each class. */
const judged = async (ran: Ran) => {
  const split = await (await loadDataset(specOf('magnet', 'classify', 1).dataset)).test();
  const classifier = loadClassifier(ran.last);
  const { rejected, predicted } = tf.tidy(() => {
    const rows = Array.from({ length: split.count }, (_, row) => row);
    const images = tf.tensor(gatherImages(split, rows), [split.count, ...split.shape]);
    return {
      rejected: [...classifier.defence!.suspicion(images).dataSync()].map((value) => Number(value >= 0)),
      predicted: [...tf.argMax(classifier.logits(images), 1).dataSync()],
    };
  });
  classifier.dispose();
  const share = (marks: readonly number[]) => marks.reduce((a, b) => a + b, 0) / marks.length;
  const right = predicted.map((label, i) => Number(label === split.labels[i] && rejected[i] === 0));
  const perClass = new Array<number>(10).fill(0);
  for (const [i, label] of split.labels.entries()) perClass[label]! += right[i]!;
  return { rejectedShare: share(rejected), cleanAccuracy: share(right), perClass };
};

describe.each([
  ['magnet', { dropRate: 0.5 }],
  ['magnet', { dropRate: 0 }],
  ['detector', { falsePositiveRate: 0.5 }],
  ['detector', { falsePositiveRate: 0.5, detectorAdversary: 'dynamic' }],
] as const)('%s with %o', (name, hyperparameters) => {
  it('recorded the metrics that its loaded classifier gives', async () => {
    const ran = await trained(name, hyperparameters);
    const metrics = ran.metrics.at(-1)!;
    const { rejectedShare, cleanAccuracy, perClass } = await judged(ran);
    expect(metrics.rejectedShare).toBeCloseTo(rejectedShare, 6);
    expect(metrics.cleanAccuracy).toBeCloseTo(cleanAccuracy, 6);
    expect(ran.perClass.at(-1)!.correct).toEqual(perClass);
  });
});

it('a dynamic adversary trains another detector of the same classifier', async () => {
  const [still, moving] = [
    await trained('detector', {}),
    await trained('detector', { detectorAdversary: 'dynamic' }),
  ];
  const blob = (ran: Ran, name: string) => ran.last.manifest.networks[name]!.blob;
  expect(blob(moving, 'classifier')).toBe(blob(still, 'classifier'));
  expect(blob(moving, 'detector')).not.toBe(blob(still, 'detector'));
});
