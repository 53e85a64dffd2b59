import { describe, expect, it } from 'vitest';
import {
  budgetsOfChoice,
  DatasetChoice,
  DatasetSlug,
  dataOf,
  datasets,
  type SweepContent,
  stageDataset,
  sweepDataset,
  usualBudgets,
} from '../src/index.ts';

const content: SweepContent = {
  digest: 'ab'.repeat(32),
  shape: [32, 48, 3],
  classes: ['cat', 'dog', 'bird'],
  train: 700,
  test: 300,
  budgets: { linf: 0.02, l2: 0.4 },
};

const refusalOf = (act: () => unknown): Record<string, unknown> => {
  try {
    act();
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('Expected an error, but got none');
};

describe('a choice of images', () => {
  it('is filled in at once for a built-in data set', () => {
    const filled = { name: 'glyphs', train: 60_000, test: 10_000, attack: 1000 };
    expect(DatasetChoice.parse({ name: 'glyphs' })).toEqual(filled);
    expect(DatasetChoice.parse({ name: 'glyphs', test: 64 })).toEqual({ ...filled, test: 64, attack: 64 });
    expect(DatasetChoice.parse(DatasetChoice.parse({ name: 'glyphs' }))).toEqual(filled);
  });

  it('keeps what the user wrote while the data set is not known', () => {
    expect(DatasetChoice.parse({ name: 'pets', train: 5 })).toEqual({ name: 'pets', train: 5 });
  });

  it('names the number that is larger than a built-in data set', () => {
    const issues = (choice: object) =>
      DatasetChoice.safeParse(choice).error?.issues.map(({ path, message }) => [path.join('.'), message]);
    expect(issues({ name: 'mnist', train: 60_001, test: 20, attack: 21 })).toEqual([
      ['train', 'Expected at most 60000 (the training images of mnist), but got 60001'],
      ['attack', 'Expected at most 20 (as many as test images), but got 21'],
    ]);
  });

  it('refuses content for a built-in data set, so that nobody can give mnist another shape', () => {
    expect(DatasetChoice.safeParse({ name: 'mnist', content }).success).toBe(false);
  });
});

describe('the images of a sweep', () => {
  it('take the counts of the content', () => {
    expect(sweepDataset({ name: 'pets' }, content)).toEqual({
      name: 'pets',
      train: 700,
      test: 300,
      attack: 300,
      content,
    });
    expect(sweepDataset({ name: 'pets', train: 10, attack: 7 }, content)).toMatchObject({
      train: 10,
      test: 300,
      attack: 7,
    });
  });

  it('are refused by path where the data set has fewer', () => {
    expect(refusalOf(() => sweepDataset({ name: 'pets', train: 701, attack: 301 }, content))).toMatchObject({
      code: 'INVALID_REQUEST',
      message: 'In the body, dataset.train: expected at most 700 (the training images of pets), but got 701',
      details: { issues: [{ path: 'dataset.train' }, { path: 'dataset.attack' }] },
    });
  });

  it('are refused while nobody has added the data set', () => {
    expect(refusalOf(() => sweepDataset({ name: 'pets' }))).toMatchObject({ code: 'DATASET_UNKNOWN' });
  });

  it('go to stages with the number of classes instead of their names', () => {
    const stage = stageDataset(sweepDataset({ name: 'pets' }, content));
    expect(stage.content).toEqual({
      digest: content.digest,
      shape: [32, 48, 3],
      classCount: 3,
      budgets: content.budgets,
    });
    expect(dataOf(stage)).toBe(stage.content);
  });

  it('of a built-in data set carry nothing but its name and the numbers', () => {
    const stage = stageDataset(sweepDataset({ name: 'mnist' }));
    expect(stage).toEqual({ name: 'mnist', train: 60_000, test: 10_000, attack: 1000 });
    expect(dataOf(stage)).toEqual({
      digest: datasets.mnist.digest,
      shape: [28, 28, 1],
      classCount: 10,
      budgets: { linf: 0.3, l2: 2 },
    });
  });
});

it('a name is short, in lower case, and no path', () => {
  for (const name of ['pets', 'cifar-10', '0', 'a.b_c', 'a'.repeat(63)])
    expect(DatasetSlug.safeParse(name).success, name).toBe(true);
  for (const name of ['', 'Pets', '.', '..', '-a', 'a/b', 'a b', 'ä', 'a'.repeat(64), 'ab'.repeat(32)])
    expect(DatasetSlug.safeParse(name).success, name).toBe(false);
});

it('the usual ε are those of the data set, else those of published results for such images', () => {
  expect(budgetsOfChoice({ name: 'fashion-mnist' })).toEqual({ linf: 0.1, l2: 1.5 });
  expect(budgetsOfChoice({ name: 'pets', content })).toBe(content.budgets);
  expect(usualBudgets([32, 32, 3])).toEqual({ linf: 8 / 255, l2: 0.5 });
  expect(usualBudgets([224, 224, 3])).toEqual({ linf: 4 / 255, l2: 3 });
  expect(usualBudgets([30, 45, 1])).toEqual({ linf: 0.1, l2: 1.5 });
});
