import { describe, expect, it } from 'vitest';
import { describeBest, evidenceOfBest, titleOfBest } from '../../src/views/sweeps/best-configuration.ts';

const share = {
  ...{ trial: 3, metric: 'robustAccuracy', attack: 'pgd-linf', value: 0.47, verdict: 'ok' },
  ...{ settings: { epsilon: 0.3 }, seeds: 2, images: 400, interval: [0.4215, 0.519] as [number, number] },
} as const;

describe('the best configuration of a sweep', () => {
  it('names the attack with its ε, the interval and the seeds', () => {
    expect(titleOfBest(share)).toBe('robust accuracy · PGD L∞ ε 0.3');
    expect(evidenceOfBest(share)).toBe('42.1–51.9%, mean of 2 seeds');
    expect(describeBest(share)).toBe(
      'robust accuracy · PGD L∞ ε 0.3; mean of 2 seeds; 200 images each; 95 % interval 42.1–51.9%; the first is trial 3',
    );
  });

  it('names the balls of a worst case, and no ball for a distance', () => {
    const worst = { ...share, attack: null, settings: undefined, within: { linf: 0.3, l2: 2 } };
    expect(titleOfBest(worst)).toBe('robust accuracy · L∞ 0.3 or L2 2');
    expect(titleOfBest({ ...worst, metric: 'medianL2' })).toBe('median L2');
  });

  it('has the images of a distance, which has no interval', () => {
    const distance = {
      ...{ ...share, metric: 'medianL2', attack: 'deepfool-l2', value: 1.2 },
      ...{ settings: { steps: 50 }, interval: undefined },
    } as const;
    expect(titleOfBest(distance)).toBe('median L2 · DeepFool L2');
    expect(evidenceOfBest(distance)).toBe('over 2 seeds, 200 images each');
    expect(evidenceOfBest({ ...distance, seeds: 1, images: 60 })).toBe('trial 3, 60 images');
  });

  it('says what an answer of an older version has', () => {
    const { trial, metric, attack, value, verdict } = share;
    const old = { trial, metric, attack, value, verdict };
    expect(titleOfBest(old)).toBe('robust accuracy · PGD L∞');
    expect(evidenceOfBest(old)).toBe('trial 3');
  });
});
