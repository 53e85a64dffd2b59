import { describe, expect, it } from 'vitest';
import { bandwidth, reach, type Sample, shareAxisOf, surfaceOf } from '../../src/statistics/contour.ts';

/** The value at the centre of the cell that has the point. */
const at = (samples: readonly Sample[], x: number, y: number, size = 101) => {
  const { values } = surfaceOf(samples, size, size);
  return values[Math.floor(y * size) * size + Math.floor(x * size)]!;
};

const sample = (x: number, y: number, value: number): Sample => ({ x, y, value });

describe('the surface through scattered samples', () => {
  it('is constant through equal values', () => {
    const { values } = surfaceOf([sample(0.4, 0.5, 7), sample(0.5, 0.45, 7), sample(0.55, 0.6, 7)], 9, 7);
    for (const value of values) expect(value === null || Math.abs(value - 7) < 1e-12).toBe(true);
    expect(values).toHaveLength(63);
  });

  it('is the value of a sample that is alone, and the mean of two at the same distance', () => {
    expect(at([sample(0.5, 0.5, 3), sample(0.9, 0.9, 100)], 0.5, 0.5)).toBeCloseTo(3, 3);
    expect(at([sample(0.45, 0.5, 2), sample(0.55, 0.5, 6)], 0.5, 0.5)).toBeCloseTo(4, 10);
  });

  it('weighs samples by a Gaussian of their distance', () => {
    const near = Math.exp(-(0.05 ** 2) / (2 * bandwidth ** 2));
    const expected = (1 * 0 + near * 10) / (1 + near);
    expect(at([sample(0.5, 0.5, 0), sample(0.55, 0.5, 10)], 0.5, 0.5)).toBeCloseTo(expected, 10);
  });

  it('says nothing where no sample is near', () => {
    const one = [sample(0.5, 0.5, 1)];
    expect(at(one, 0.5 + 0.9 * reach, 0.5)).toBe(1);
    expect(at(one, 0.5 + 1.1 * reach, 0.5)).toBeNull();
    expect(surfaceOf([], 2, 2).values).toEqual([null, null, null, null]);
  });
});

describe('an axis of shares', () => {
  it('has all values inside, and gives back what it was asked', () => {
    for (const scale of ['linear', 'log'] as const) {
      const axis = shareAxisOf([0.1, 3, 10], scale);
      expect([axis.shareOf(0.1), axis.shareOf(10)].every((share) => share > 0 && share < 1)).toBe(true);
      expect(axis.valueAt(axis.shareOf(3))).toBeCloseTo(3, 12);
      expect([axis.shareOf(axis.low), axis.shareOf(axis.high)]).toEqual([
        expect.closeTo(0, 12),
        expect.closeTo(1, 12),
      ]);
    }
  });

  it('has equal steps for equal factors on a log scale', () => {
    const { shareOf } = shareAxisOf([0.01, 100], 'log');
    expect(shareOf(1) - shareOf(0.1)).toBeCloseTo(shareOf(10) - shareOf(1), 12);
  });

  it('is linear where a value is not positive, and has one value in its middle', () => {
    expect(shareAxisOf([0, 10], 'log').scale).toBe('linear');
    expect(shareAxisOf([5], 'linear').shareOf(5)).toBeCloseTo(0.5, 12);
  });
});
