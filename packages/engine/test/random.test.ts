import { describe, expect, it } from 'vitest';
import { createRandom, shuffled, uniformNoise, xoshiro128 } from '../src/random.ts';

describe('xoshiro128**', () => {
  it('gives the numbers of the reference implementation from the state 1, 2, 3, 4', () => {
    const bits = xoshiro128([1, 2, 3, 4]);
    expect(Array.from({ length: 10 }, bits)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });
});

describe('createRandom', () => {
  const firstBits = (...words: (string | number)[]) => createRandom(...words).bits();

  it('gives different lists of words different streams, and equal lists the same stream', () => {
    const names = [
      [0, 'a', 1],
      [0, 'a', '1'],
      [0, 'a', 2],
      [1, 'a', 1],
      [0, 'a1'],
      [0, 'a', 1, 0],
    ];
    expect(new Set(names.map((words) => firstBits(...words))).size).toBe(names.length);
    expect(firstBits(3, 'noise', 4)).toBe(firstBits(3, 'noise', 4));
  });

  it('draws uniform numbers that float32 holds exactly', () => {
    const random = createRandom('uniform');
    const drawn = Array.from({ length: 10_000 }, random.uniform);
    expect(drawn.every((value) => value >= 0 && value < 1 && Math.fround(value) === value)).toBe(true);
    const mean = drawn.reduce((a, b) => a + b) / drawn.length;
    expect(Math.abs(mean - 0.5)).toBeLessThan(4 * Math.sqrt(1 / 12 / drawn.length)); // four standard errors
  });

  it('draws normal numbers of mean 0 and variance 1', () => {
    const random = createRandom('normal');
    const drawn = Array.from({ length: 20_000 }, random.normal);
    const mean = drawn.reduce((a, b) => a + b) / drawn.length;
    const variance = drawn.reduce((a, b) => a + b * b, 0) / drawn.length - mean * mean;
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(drawn.length));
    expect(Math.abs(variance - 1)).toBeLessThan(4 * Math.sqrt(2 / drawn.length));
  });

  it('draws integers below a bound evenly', () => {
    const random = createRandom('below');
    const counts = new Array<number>(6).fill(0);
    for (let i = 0; i < 12_000; i++) counts[random.below(6)]!++;
    const chi = counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
    expect(chi).toBeLessThan(20.5); // 5 degrees of freedom, p = 0.001
  });

  it('draws noise in [−1, 1)', () => {
    const noise = uniformNoise(createRandom('noise'), 1000);
    expect(Math.min(...noise)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...noise)).toBeLessThan(1);
    expect(Math.min(...noise)).toBeLessThan(-0.95);
    expect(Math.max(...noise)).toBeGreaterThan(0.95);
  });
});

describe('shuffled', () => {
  it('has every number once, in another order for another epoch', () => {
    const order = shuffled(createRandom(0, 'order', 0), 100);
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect([...order]).not.toEqual([...shuffled(createRandom(0, 'order', 1), 100)]);
  });
});
