import { belowText, type SweepOverview } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import {
  describeBest,
  evidenceOfBest,
  intervalOfBest,
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
    expect(evidenceOfBest(share)).toBe('42.1–51.9%, mean of 2 seeds, 200 images each');
    expect(describeBest(share)).toBe(
      'robust accuracy · PGD L∞ ε 0.3; mean of 2 seeds, 200 images each; 95 % interval 42.1–51.9%; the first is trial 3; configurations of which a seed is masked, untrained or measured on too few images rank below, whatever their value',
    );
  });

  it('names the balls of a worst case, and no ball for a distance', () => {
    const worst: Best = { ...share, attack: null, within: { linf: 0.3, l2: 2 } };
    expect(titleOfBest(worst)).toBe('robust accuracy · L∞ 0.3 or L2 2');
    expect(titleOfBest({ ...worst, metric: 'medianL2' })).toBe('median L2');
  });

  it('has the interval and the images of a distance', () => {
    const distance: Best = { ...counted, metric: 'medianL2', attack: 'deepfool-l2', settings: { steps: 50 } };
    expect(titleOfBest(distance)).toBe('median L2 · DeepFool L2');
    expect(evidenceOfBest(distance)).toBe('over 2 seeds, 200 images each');
    expect(evidenceOfBest({ ...distance, seeds: 1, images: 60 })).toBe('trial 3, 60 images');
    const sure: Best = { ...distance, interval: [1.07, 'Infinity'] };
    expect(intervalOfBest(sure)).toBe('1.07–∞');
    expect(evidenceOfBest(sure)).toBe('1.07–∞, over 2 seeds, 200 images each');
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
        /configurations of which .*$/,
        'every configuration so far is masked, untrained or measured on too few images',
      ),
    );
  });

  it('says how many configurations rank below it', () => {
    const below = { configurations: 4, ranked: 6, verdicts: { 'too-few': 1, masked: 3 } } as const;
    expect(belowText(below)).toBe('4 of 6 configurations rank below: masked 3, too few 1');
    expect(belowText(below, { isBrief: true })).toBe('4 of 6 rank below: masked 3, too few 1');
    const one = { configurations: 1, ranked: 2, verdicts: { untrained: 1 } };
    expect(belowText(one)).toBe('1 of 2 configurations ranks below: untrained 1');
    expect(belowText({ ...below, ranked: 100, hasMore: true })).toBe(
      '4 of more than 100 configurations rank below: masked 3, too few 1',
    );
    const many = {
      configurations: 100,
      ranked: 100,
      verdicts: { masked: 60, untrained: 40 },
      hasMore: true,
    } as const;
    expect(belowText(many, { isBrief: true })).toBe('more than 100 rank below: untrained, masked');
    expect(belowText({ ...one, ranked: 1 })).toBe(
      'the only configuration says nothing about robustness: untrained 1',
    );
    expect(belowText({ ...one, configurations: 2, verdicts: { untrained: 2 } }, { isBrief: true })).toBe(
      'all 2 say nothing: untrained 2',
    );
    expect(describeBest({ ...share, below })).toContain('; 4 of 6 configurations rank below: masked 3,');
  });

  it('says what an answer of an older version has', () => {
    expect(titleOfBest(old)).toBe('robust accuracy · PGD L∞');
    expect(evidenceOfBest(old)).toBe('trial 3');
  });
});
