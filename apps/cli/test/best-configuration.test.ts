/** What `funnel ls` and `funnel show SWEEP` say of the best configuration of a sweep. */
import type { Sweep, SweepOverview } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { bestCell, bestLines } from '../src/output/best-configuration.ts';

type Best = NonNullable<SweepOverview['best']>;

const sweepWith = (best: Best | null) =>
  ({
    overview: { recipes: ['funn'], dataset: 'glyphs', submittedBy: null, best },
  }) as Partial<Sweep> as Sweep;

const share: Best = {
  ...{ trial: 3, metric: 'robustAccuracy', attack: 'pgd-linf', settings: { epsilon: 0.3 } },
  ...{ value: 0.038, seeds: 2, images: 400, interval: [0.0235, 0.0614], verdict: 'ok' },
};
const below = { configurations: 4, ranked: 6, verdicts: { masked: 3, 'too-few': 1 } } as const;

it('a share has its interval, its attack and its images', () => {
  expect(bestCell(sweepWith(share))).toBe('robust accuracy 3.8 % (2.4–6.1) under pgd-linf ε 0.3');
  expect(bestCell(sweepWith({ ...share, verdict: 'suspect' }))).toBe(
    'robust accuracy 3.8 % (2.4–6.1) under pgd-linf ε 0.3; suspect',
  );
  expect(bestLines(sweepWith(share))).toEqual([
    'best      robust accuracy 3.8 % (2.4–6.1) under pgd-linf ε 0.3: mean of 2 seeds, 200 images each',
  ]);
});

it('configurations that rank below are counted, with their verdicts', () => {
  const sweep = sweepWith({ ...share, below });
  expect(bestCell(sweep)).toBe(
    'robust accuracy 3.8 % (2.4–6.1) under pgd-linf ε 0.3; 4 of 6 rank below: masked 3, too few 1',
  );
  expect(bestLines(sweep)[1]).toBe('          4 of 6 configurations rank below: masked 3, too few 1');
});

it('a median has its interval, and a worst case its balls', () => {
  const median: Best = {
    ...{ ...share, metric: 'medianL2', attack: 'deepfool-l2', settings: { steps: 50 } },
    ...{ value: 1.233, interval: [1.07, 'Infinity'], seeds: 1, images: 60, verdict: 'suspect' },
  };
  expect(bestLines(sweepWith(median))).toEqual([
    'best      median L2 1.233 (1.07–∞) under deepfool-l2: trial 3, 60 images; suspect',
  ]);
  const worst: Best = { ...share, attack: null, settings: undefined, within: { linf: 0.3, l2: 2 } };
  expect(bestLines(sweepWith(worst))).toEqual([
    'best      robust accuracy 3.8 % (2.4–6.1) in the worst case, within L∞ 0.3 or L2 2: mean of 2 seeds, 200 images each',
  ]);
});

it('a list says why a sweep has no best configuration', () => {
  const sweep = sweepWith(null);
  expect(bestCell({ ...sweep, finishedAt: null })).toBe('');
  expect(bestCell({ ...sweep, finishedAt: '2026-11-30T20:00:00.000Z' })).toBe('none');
  const cellFor = (noBest: SweepOverview['noBest']) =>
    bestCell({ ...sweep, finishedAt: null, overview: { ...sweep.overview!, noBest } });
  expect(cellFor('several-objectives')).toBe('several objectives');
  expect(cellFor('turned-objective')).toBe('objective against the usual direction');
});

it('a sweep without a value has no line', () => {
  expect(bestLines(sweepWith(null))).toEqual([]);
});
