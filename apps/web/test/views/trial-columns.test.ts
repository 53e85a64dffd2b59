import { cleanAccuracyInterval, type Trial } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import type { Result } from '../../src/statistics/objective.ts';
import { createObjective } from '../../src/statistics/objective.ts';
import { columnsOf, parseFilter, sortResults } from '../../src/views/sweep/trial-columns.tsx';

const result = (
  number: number,
  more: {
    gamma?: number;
    recipe?: Trial['recipe'];
    status?: Trial['status'];
    value?: number | null;
    lossScale?: string;
  },
): Result => ({
  trial: {
    id: `t${number}`,
    sweepId: 's',
    number,
    recipe: more.recipe ?? 'funn',
    dataset: 'glyphs',
    seed: 0,
    hyperparameters: {
      ...(more.gamma === undefined ? {} : { gamma: more.gamma }),
      ...(more.lossScale ? { lossScale: more.lossScale } : {}),
    },
    status: more.status ?? 'completed',
    cleanAccuracy: null,
    verdict: null,
    evaluations: [],
    worstCase: null,
    createdAt: '2026-01-01T00:00:00Z',
    finishedAt: null,
  },
  value: more.value ?? null,
  interval: null,
  clean: null,
  masked: false,
});

const rows = [
  result(1, { gamma: 1, value: 0.4, lossScale: 'mse' }),
  result(2, { gamma: 5, value: 0.6, lossScale: 'norm' }),
  result(17, { gamma: 10, status: 'failed' }),
  result(4, { recipe: 'classic', value: 0.2 }),
];
const withInfinity = [...rows, result(5, { recipe: 'classic', value: Number.POSITIVE_INFINITY })];
const hyperparameters = ['gamma', 'lossScale'];
const kept = (text: string) => {
  const { keep } = parseFilter(text, hyperparameters);
  return keep === null ? null : rows.filter(keep).map(({ trial }) => trial.number);
};

describe('the filter of the trials table', () => {
  it.each([
    ['', [1, 2, 17, 4]],
    ['gamma>=5', [2, 17]],
    ['GAMMA<5', [1]],
    ['gamma:5', [2]],
    ['gamma!=5', [1, 17, 4]],
    ['status:completed value>30%', [1, 2]],
    ['value<=0.4', [1, 4]],
    ['recipe=classic', [4]],
    ['lossScale:mse', [1]],
    ['17', [17]],
    ['clas', [4]],
    ['fail', [17]],
    ['gamma>1 value>0.5', [2]],
  ])('%s keeps %j', (text, expected) => {
    expect(kept(text)).toEqual(expected);
  });

  it.each([
    ['value:∞', [5]],
    ['value=Infinity', [5]],
    ['value<∞', [1, 2, 4]],
    ['value>0.5', [2, 5]],
    ['value!=∞', [1, 2, 17, 4]],
  ])('%s keeps %j if a value is infinite', (text, expected) => {
    const { keep } = parseFilter(text, hyperparameters);
    expect(withInfinity.filter(keep!).map(({ trial }) => trial.number)).toEqual(expected);
  });

  it('names an unknown column and the known ones', () => {
    expect(parseFilter('gama>1', hyperparameters).fault).toMatch(/no column gama.*gamma/);
  });
});

it('the clean accuracy has the Wilson interval of the test images', () => {
  // 38 of 100: [0.2910, 0.4780]
  expect(cleanAccuracyInterval(0.38, 100)).toEqual([expect.closeTo(0.291, 3), expect.closeTo(0.478, 3)]);
  expect(cleanAccuracyInterval(null, 100)).toBeNull();
  expect(cleanAccuracyInterval(0.38, undefined)).toBeNull();
});

it('a trial that says nothing stands after the measured ones in both directions, before those without a value', () => {
  const all = [...rows, { ...result(6, { value: 0.9 }), masked: true }];
  const column = columnsOf(all, [], createObjective('', 'robustAccuracy'), false, 100).find(
    ({ key }) => key === 'value',
  )!;
  const order = (descending: boolean) =>
    sortResults(all, column, descending).map(({ trial }) => trial.number);
  expect(order(true)).toEqual([2, 1, 4, 6, 17]);
  expect(order(false)).toEqual([4, 1, 2, 6, 17]);
});
