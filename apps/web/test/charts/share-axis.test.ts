/** The ends of an axis of shares. */
import { describe, expect, it } from 'vitest';
import { endsOf, shareEnds } from '../../src/charts/share-axis.ts';
import { formatMeasured, formatPercent } from '../../src/format.ts';

describe('an axis of shares', () => {
  it.each([
    [0.923, 0.923, 0.873, 0.973],
    [1, 1, 0.95, 1],
    [0.02, 0.02, 0, 0.07],
    [0.95, 0.998, null, 1],
    [0.01, 0.5, 0, null],
    [0.4, 0.6, null, null],
  ])('of values from %d to %d ends at %s and %s', (min, max, low, high) => {
    const ends = [shareEnds.min({ min, max }), shareEnds.max({ min, max })];
    expect(ends.map((end) => (end === null ? null : Number(end.toFixed(3))))).toEqual([low, high]);
  });

  it('leaves an axis of distances as it is', () => {
    expect(endsOf(formatMeasured)).toEqual({});
    expect(endsOf(formatPercent)).toBe(shareEnds);
  });
});
