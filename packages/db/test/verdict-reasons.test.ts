import type { TrialVerdict } from '@funnel/contracts';
import { expect, test } from 'vitest';
import { reasonsOfRow } from '../src/reads/verdict-reasons.ts';

test('the reasons of a row begin with those of its verdict, whichever seed has them', () => {
  const seeds = [
    { trial_id: 's-0', seed: 20 },
    { trial_id: 's-1', seed: 21 },
  ];
  const reasons = new Map<string, ReadonlyMap<string, TrialVerdict>>([
    [
      's-0',
      new Map<string, TrialVerdict>([
        ['fgsm: weak.', 'suspect'],
        ['few images', 'too-few'],
        ['pgd-linf: masked', 'masked'],
      ]),
    ],
    [
      's-1',
      new Map<string, TrialVerdict>([
        ['guesses', 'untrained'],
        ['pgd-linf: masked', 'masked'],
      ]),
    ],
  ]);
  expect(reasonsOfRow(seeds, reasons)).toEqual([
    'guesses (1 of 2 seeds: seed 21)',
    'pgd-linf: masked',
    'few images (1 of 2 seeds: seed 20)',
    'fgsm: weak (1 of 2 seeds: seed 20).',
  ]);
});
