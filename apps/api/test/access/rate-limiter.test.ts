import { expect, test } from 'vitest';
import { createRateLimiter } from '../../src/access/rate-limiter.ts';

test('a client may spend a minute at once, then one call per interval', () => {
  let now = 0;
  const { take } = createRateLimiter(60, () => now);
  expect(Array.from({ length: 60 }, () => take('a'))).toEqual(Array(60).fill(0));
  expect(take('a')).toBe(1);
  expect(take('b')).toBe(0);
  now += 1000;
  expect([take('a'), take('a')]).toEqual([0, 1]);
  now += 3_600_000;
  expect(Array.from({ length: 61 }, () => take('a')).filter((wait) => wait === 0)).toHaveLength(60);
});

test('refused calls cost nothing: the wait does not grow', () => {
  let now = 0;
  const { take } = createRateLimiter(2, () => now);
  take('a');
  take('a');
  expect([take('a'), take('a'), take('a')]).toEqual([30, 30, 30]);
  now += 30_000;
  expect(take('a')).toBe(0);
});

test('a flood of clients does not make those with empty buckets forgotten', () => {
  let now = 0;
  const { take } = createRateLimiter(1, () => now);
  take('a');
  now += 1;
  for (let i = 0; i < 20_000; i++) take(`client ${i}`);
  expect(take('a')).toBe(60);
});
