import { expect, test } from 'vitest';
import { halfWidth, studentT975 } from '../src/index.ts';

test('the quantile beyond the table agrees with published values', () => {
  const published: Record<number, number> = {
    1: 12.7062,
    10: 2.22814,
    30: 2.04227,
    40: 2.02108,
    60: 2.0003,
    120: 1.97993,
    1000: 1.96234,
  };
  for (const [df, value] of Object.entries(published)) expect(studentT975(Number(df))).toBeCloseTo(value, 4);
});

test('three values of deviation 2 have an interval of 2 · 4.302653 / √3 on each side, and one value has none', () => {
  expect(halfWidth(3, 2)).toBeCloseTo((2 * 4.302653) / Math.sqrt(3), 6);
  expect(halfWidth(1, null)).toBeNull();
});
