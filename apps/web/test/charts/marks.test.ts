import type { EvaluationSummary } from '@funnel/contracts';
import { expect, it } from 'vitest';
import { outcomeShares } from '../../src/charts/marks.tsx';

it('every image has one outcome, and two outcomes make up the robust accuracy', () => {
  // Of 20 images: 2 rejected clean, 2 wrong, 16 attacked; of these, 4 fooled, 10 rejected, 2 correct.
  const summary = {
    images: 20,
    successes: 4,
    cleanAccuracy: 16 / 20,
    rejectedClean: 2 / 20,
    rejectedAttacked: 10 / 16,
  } as EvaluationSummary; // the fields that the bar reads
  const shares = outcomeShares(summary);
  expect(shares.correct).toBeCloseTo(2 / 20, 12);
  expect(shares.rejectedAttacked).toBeCloseTo(10 / 20, 12);
  expect(shares.fooled).toBeCloseTo(4 / 20, 12);
  expect(shares.wrong).toBeCloseTo(2 / 20, 12);
  expect(shares.rejectedClean).toBeCloseTo(2 / 20, 12);
  expect(Object.values(shares).reduce((a, b) => a + b)).toBeCloseTo(1, 12);
});
