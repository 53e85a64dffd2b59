import { describe, expect, it } from 'vitest';
import { wilsonInterval } from '../src/statistics.ts';

describe('the Wilson interval', () => {
  it('has the ends at which the observed share is 1.96 standard errors away', () => {
    for (const [k, n] of [
      [1, 10],
      [5, 10],
      [966, 1000],
      [3, 7],
    ] as const)
      for (const end of wilsonInterval(k, n)) {
        const error = Math.sqrt((end * (1 - end)) / n);
        expect(Math.abs(k / n - end) / error).toBeCloseTo(1.959963984540054, 9);
      }
  });

  it('agrees with published values for 0 and all of 10', () => {
    expect(wilsonInterval(0, 10)[1]).toBeCloseTo(0.2775, 4);
    expect(wilsonInterval(10, 10)[0]).toBeCloseTo(0.7225, 4);
    expect(wilsonInterval(0, 10)[0]).toBe(0);
  });

  it('knows nothing from no images', () => {
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });
});
