import { describe, expect, it } from 'vitest';
import { classesOf, classOf, isMistake, noClass } from '../src/index.ts';

const [inf, nan] = [Number.POSITIVE_INFINITY, Number.NaN];

describe('classOf', () => {
  it.each([
    ['the largest', [0.5, 2, 1], 1],
    ['the lowest index of equals', [-1, 3, 3], 1],
    ['the only infinite one', [5, 1e38, inf], 2],
    ['the largest beside −∞', [-inf, -7, -inf], 1],
    ['none where one in the middle is NaN', [9, nan, 1], noClass],
    ['none where the first is NaN', [nan, 1, 2], noClass],
    ['none where the last is NaN, +∞ or not', [inf, 1, nan], noClass],
    ['none where two are +∞', [inf, 1, inf], noClass],
    ['none where all are −∞', [-inf, -inf], noClass],
  ] as const)('gives %s', (_, logits, expected) => {
    expect(classOf(logits)).toBe(expected);
    expect(classOf(Float32Array.from(logits))).toBe(expected);
  });
});

it('classesOf reads the logits at the start of every row', () => {
  const rows = Float32Array.of(1, 2, nan, 3, 0, 7, nan, 9, 1);
  expect([...classesOf(rows, 2, 3)]).toEqual([1, 0, noClass]);
  expect([...classesOf(rows.subarray(0, 6), 3)]).toEqual([noClass, 2]);
});

it('only a class that differs from the label is a mistake', () => {
  expect([isMistake(2, 1), isMistake(1, 1), isMistake(noClass, 1), isMistake(noClass, noClass)]).toEqual([
    true,
    false,
    false,
    false,
  ]);
});
