import type { LeaderboardRow } from '@funnel/contracts';
import { expect, it } from 'vitest';
import {
  countsText,
  linesBelowValue,
  reasonText,
  robustText,
} from '../../src/views/leaderboard/leaderboard-row.tsx';

const row: LeaderboardRow = {
  ...{ rank: 1, trialId: 't', sweepId: 's', recipe: 'plain', dataset: 'glyphs', seeds: [0, 1] },
  ...{ hyperparameters: {}, attack: 'deepfool-l2', settings: { steps: 50 }, metric: 'medianL2' },
  ...{ value: 1.5, halfWidth: null, interval: [1.4, 1.6], cleanAccuracy: 0.9, cleanInterval: null },
  ...{ counts: { images: 100, correct: 78, fooled: 78 }, verdict: 'ok', reasons: [] },
};

it('a run whose attack looks for the smallest change says how many images are robust, and at which ε', () => {
  const robust = {
    ...row,
    robustAtEpsilon: { norm: 'l2', epsilon: 1.5, robust: 38, accuracy: 0.38 },
  } as const;
  expect(countsText(robust)).toBe('fooled 78 of 78 at any size');
  expect(robustText(robust)).toBe('robust 38 of 100 at L2 1.5, 29.1–47.8%');
  expect(robustText(row)).toBeNull();
  expect([row, robust, { ...robust, infiniteSeeds: 1 }].map(linesBelowValue)).toEqual([1, 2, 3]);
});

it('shows its first reason, and counts the others', () => {
  expect(reasonText(row)).toBe('');
  expect(reasonText({ ...row, reasons: ['fgsm: weak.'] })).toBe('fgsm: weak.');
  expect(reasonText({ ...row, reasons: ['fgsm: weak.', 'bim: weak.', 'few'] })).toBe(
    'fgsm: weak. (and 2 more)',
  );
});
