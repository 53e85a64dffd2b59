/** The text about one trial: the accuracy per class. */
import type { TrialDetail } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { describeTrial } from '../src/output/trial.ts';

const trialOf = (classes: readonly string[], perClass: TrialDetail['perClass']): TrialDetail => ({
  ...{ id: 's-00000', sweepId: 's', number: 0, recipe: 'classic', dataset: 'pets', seed: 0 },
  ...{ hyperparameters: {}, status: 'completed', cleanAccuracy: 0.9, verdict: null, worstCase: null },
  ...{ createdAt: '2026-11-01T10:00:00Z', finishedAt: null, evaluations: [], stages: [], warnings: [] },
  data: { shape: [8, 8, 3], classes: [...classes], budgets: { linf: 0.03, l2: 0.5 } },
  perClass,
});

const lines = (trial: TrialDetail): string[] => describeTrial(trial).split('\n');

describe('the accuracy per class', () => {
  it('is a table in the order of the data set, with a dash for a class without images', () => {
    const trial = trialOf(['dog', 'a bird', 'cat'], { images: [40, 0, 3], correct: [39, 0, 1] });
    expect(lines(trial).slice(-4)).toEqual([
      'class   test images  clean accuracy',
      'dog              40          97.5 %',
      'a bird            0               –',
      'cat               3          33.3 %',
    ]);
  });

  it('names the classes with the lowest accuracy if there are many', () => {
    const classes = Array.from({ length: 1000 }, (_, label) => `class ${label}`);
    const correct = classes.map((_, label) => 1000 - ((label * 7) % 1000));
    const images = classes.map((_, label) => (label === 0 ? 0 : 1000));
    const shown = lines(trialOf(classes, { images, correct }));
    const rows = shown.filter((line) => line.startsWith('class '));
    expect(rows).toHaveLength(21);
    // 7 · 857 = 5999, so class 857 has 1 of 1000 images right; class 714 has 2, and so on.
    expect(rows[1]).toMatch(/^class 857 +1000 +0\.1 %$/);
    expect(rows[2]).toMatch(/^class 714 +1000 +0\.2 %$/);
    expect(shown.at(-1)).toBe(
      'the 20 classes of 1000 with the lowest accuracy; `npx funnel export classes` has all',
    );
  });

  it('is left out for a classifier of an older version', () => {
    expect(describeTrial(trialOf(['cat', 'dog'], null))).not.toContain('test images');
  });
});
