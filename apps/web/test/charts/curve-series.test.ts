import { attackSpec, type EvaluationRecords, type RunRecords } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { curveSeries, curvesOf } from '../../src/charts/curve-series.ts';

/** Two images: one is fooled at L∞ 0.1, one never. */
const records: EvaluationRecords = {
  index: [0, 1],
  label: [0, 0],
  correct: [true, true],
  predicted: [1, 0],
  success: [true, false],
  l2: [1, null],
  linf: [0.1, null],
  l0: [null, null],
  steps: [1, 1],
  queries: [1, 1],
};
const met = (input: Parameters<typeof attackSpec>[0]): RunRecords => ({ ...attackSpec(input), records });
const fixed = met({ attack: 'pgd-linf', epsilon: 0.1 });
const searching = met('fmn-linf');

const seriesOf = (runs: readonly RunRecords[]) =>
  curveSeries({ name: 'Trial 1', colour: 0, ...curvesOf(runs, 'linf', 0.2) }, 0, 'red');

it('a line that joins attacks at a fixed ε has bars at its values and no band between them', () => {
  const series = seriesOf([fixed]);
  expect(series.map(({ id }) => id)).toEqual(['curve0', 'interval0']);
  expect(series.some((each) => 'areaStyle' in each)).toBe(false);
  const [curve, interval] = series;
  expect(curve!.data.map((value) => value.slice(0, 2))).toEqual([
    [0, 1],
    [0.1, 0.5],
  ]);
  // Wilson: 2 of 2 gives [0.342, 1], 1 of 2 gives [0.095, 0.905].
  expect(interval!.data).toEqual([
    [0, expect.closeTo(0.342, 3)],
    [0, expect.closeTo(1, 9)],
    [0, null],
    [0.1, expect.closeTo(0.095, 3)],
    [0.1, expect.closeTo(0.905, 3)],
    [0.1, null],
  ]);
});

it('a curve of a search has a band, and bars only at the points of the other attacks', () => {
  expect(seriesOf([searching]).map(({ id }) => id)).toEqual(['low0', 'high0', 'curve0']);
  const both = seriesOf([fixed, searching]);
  expect(both.map(({ id }) => id)).toEqual(['low0', 'high0', 'curve0', 'interval0', 'point0']);
  expect(both[3]!.data.map(([epsilon]) => epsilon)).toEqual([0.1, 0.1, 0.1]);
});
