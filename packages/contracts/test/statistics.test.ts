import { describe, expect, it } from 'vitest';
import {
  mcNemar,
  meanAndError,
  medianRanks,
  overlap,
  seedsDiffer,
  widenBySeeds,
  wilsonInterval,
} from '../src/index.ts';

/** P(X ≤ k) for X ~ Bin(n, ½), in whole numbers. */
const exactBelow = (k: number, n: number): number => {
  let term = 1n;
  let sum = 0n;
  for (let i = 0; i <= k; i++) {
    sum += term;
    term = (term * BigInt(n - i)) / BigInt(i + 1);
  }
  return Number((sum * 10n ** 15n) / 2n ** BigInt(n)) / 1e15;
};

describe('McNemar’s exact test', () => {
  it('gives the known values', () => {
    expect(mcNemar(0, 0)).toBe(1);
    expect(mcNemar(1, 0)).toBe(1); // 2 · ½
    expect(mcNemar(0, 5)).toBeCloseTo(2 / 32, 14); // no side of five tosses
    expect(mcNemar(0, 6)).toBeCloseTo(2 / 64, 14);
    expect(mcNemar(1, 7)).toBeCloseTo((2 * (1 + 8)) / 256, 14);
    expect(mcNemar(2, 8)).toBeCloseTo(0.109375, 14); // binom.test(2, 10) of R
    expect(mcNemar(10, 10)).toBe(1);
    // The table of Agresti (1990, p. 350): 150 against 86 of 1600 who changed their mind.
    expect(mcNemar(150, 86)).toBeCloseTo(3.716e-5, 7);
  });

  it('does not depend on the order, and equals the sum in whole numbers, for many images too', () => {
    for (const [b, c] of [
      [3, 17],
      [40, 61],
      [480, 560],
      [900, 1100],
    ] as const) {
      expect(mcNemar(b, c)).toBe(mcNemar(c, b));
      expect(mcNemar(b, c)).toBeCloseTo(2 * exactBelow(b, b + c), 10);
    }
    expect(mcNemar(4000, 6000)).toBeGreaterThanOrEqual(0);
    expect(mcNemar(4000, 6000)).toBeLessThan(1e-80);
  });
});

describe('the Wilson interval', () => {
  it('has the roots of (p − k/n)² = z² p (1 − p) / n as its ends', () => {
    const z2 = 1.959963984540054 ** 2;
    for (const [k, n] of [
      [4, 40],
      [38, 100],
      [199, 200],
    ] as const)
      for (const end of wilsonInterval(k, n))
        expect((end - k / n) ** 2).toBeCloseTo((z2 * end * (1 - end)) / n, 12);
  });

  it('stays within [0, 1]', () => {
    expect(wilsonInterval(0, 20)[0]).toBe(0);
    expect(wilsonInterval(20, 20)[1]).toBe(1);
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });
});

describe('the interval of a median', () => {
  it('has the ranks of the tables', () => {
    // The largest rank r with 2 P(X < r) ≤ 5 %: Conover (1999), sign test.
    expect([5, 6, 8, 9, 10, 15, 20, 25, 50, 100].map(medianRanks)).toEqual([
      null,
      [1, 6],
      [1, 8],
      [2, 8],
      [2, 9],
      [4, 12],
      [6, 15],
      [8, 18],
      [18, 33],
      [40, 61],
    ]);
  });

  it('is the largest rank that covers 95 %, for every number of values', () => {
    for (let n = 6; n <= 400; n++) {
      const [low, high] = medianRanks(n)!;
      expect(low + high).toBe(n + 1);
      expect(exactBelow(low - 1, n)).toBeLessThanOrEqual(0.025);
      expect(exactBelow(low, n)).toBeGreaterThan(0.025);
    }
  });
});

it('intervals that touch overlap', () => {
  expect(overlap([0, 0.5], [0.5, 1])).toBe(true);
  expect(overlap([0, 0.5], [0.51, 1])).toBe(false);
  expect(overlap([0.2, 0.3], [0, 1])).toBe(true);
});

describe('several seeds', () => {
  it('have a mean with its standard error', () => {
    expect(meanAndError([0.5])).toEqual({ mean: 0.5, error: 0 });
    expect(meanAndError([2, 4, 4, 4, 5, 5, 7, 9])).toEqual({
      mean: 5,
      error: expect.closeTo(Math.sqrt(32 / 7 / 8), 14),
    });
  });

  it('widen an interval that counts images, and never narrow it', () => {
    const half = 1.959963984540054 * 0.24; // |0.146 − 0.626| / 2 is the error of two seeds
    expect(widenBySeeds([0.294, 0.485], [0.146, 0.626])).toEqual([
      expect.closeTo(0.386 - half, 12),
      expect.closeTo(0.386 + half, 12),
    ]);
    expect(widenBySeeds([0.294, 0.485], [0.38, 0.39])).toEqual([0.294, 0.485]);
    expect(widenBySeeds([0.294, 0.485], [0.385])).toEqual([0.294, 0.485]);
  });

  it('differ if their means do by 1.96 standard errors of the difference', () => {
    expect(seedsDiffer([0.1, 0.2], [0.4, 0.5])).toBe(true); // 0.3 against 1.96 · 0.0707
    expect(seedsDiffer([0.1, 0.5], [0.4, 0.5])).toBe(false); // 0.15 against 1.96 · 0.206
    expect(seedsDiffer([0.3], [0.4])).toBe(true); // one seed says nothing about others
  });
});
