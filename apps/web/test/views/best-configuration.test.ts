import type { SweepOverview } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import {
  describeBest,
  evidenceOfBest,
  saysNothing,
  titleOfBest,
} from '../../src/views/sweeps/best-configuration.ts';

type Best = NonNullable<SweepOverview['best']>;

/** What answers of older versions have. */
const old: Best = {
  trial: 3,
  metric: 'robustAccuracy',
  attack: 'pgd-linf',
  value: 0.47,
  verdict: 'ok',
};
const counted: Best = { ...old, settings: { epsilon: 0.3 }, seeds: 2, images: 400 };
const share: Best = { ...counted, interval: [0.4215, 0.519] };

describe('the best configuration of a sweep', () => {
  it('names the attack with its ε, the interval and the seeds', () => {
    expect(titleOfBest(share)).toBe('robust accuracy · PGD L∞ ε 0.3');
    expect(evidenceOfBest(share)).toBe('42.1–51.9%, mean of 2 seeds');
    expect(describeBest(share)).toBe(
      'robust accuracy · PGD L∞ ε 0.3; mean of 2 seeds; 200 images each; 95 % interval 42.1–51.9%; the first is trial 3; configurations that are masked, untrained or measured on too few images rank below, whatever their value',
    );
  });

  it('names the balls of a worst case, and no ball for a distance', () => {
    const worst: Best = { ...share, attack: null, within: { linf: 0.3, l2: 2 } };
    expect(titleOfBest(worst)).toBe('robust accuracy · L∞ 0.3 or L2 2');
    expect(titleOfBest({ ...worst, metric: 'medianL2' })).toBe('median L2');
  });

  it('has the images of a distance, which has no interval', () => {
    const distance: Best = { ...counted, metric: 'medianL2', attack: 'deepfool-l2', settings: { steps: 50 } };
    expect(titleOfBest(distance)).toBe('median L2 · DeepFool L2');
    expect(evidenceOfBest(distance)).toBe('over 2 seeds, 200 images each');
    expect(evidenceOfBest({ ...distance, seeds: 1, images: 60 })).toBe('trial 3, 60 images');
  });

  it('is marked where the leaderboard would rank it below all others', () => {
    const guess: Best = { ...share, verdict: 'untrained' };
    expect([share, { ...share, verdict: 'suspect' as const }, guess].map(saysNothing)).toEqual([
      false,
      false,
      true,
    ]);
    expect(describeBest(guess)).toBe(
      describeBest(share).replace(
        /configurations that .*$/,
        'every configuration so far is masked, untrained or measured on too few images',
      ),
    );
  });

  it('says what an answer of an older version has', () => {
    expect(titleOfBest(old)).toBe('robust accuracy · PGD L∞');
    expect(evidenceOfBest(old)).toBe('trial 3');
  });
});
