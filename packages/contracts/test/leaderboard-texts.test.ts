import { expect, it } from 'vitest';
import { lacksLetters, pooledText } from '../src/index.ts';

it('rows without a letter are not compared, but not where a row has no value, or comes late', () => {
  const row = (letters?: string, interval: [number, number] | null = [0, 1]) => ({ letters, interval });
  expect(lacksLetters([row('a'), row('b'), row()])).toBe(true);
  expect(lacksLetters([row('a'), row('b'), row(undefined, null)])).toBe(false);
  expect(lacksLetters([row(), row()])).toBe(false);
  expect(lacksLetters([...Array.from({ length: 50 }, () => row('a')), row()])).toBe(false);
});

it('counts of several seeds say that they add up', () => {
  const row = (images: number, ...seeds: number[]) => ({
    seeds,
    counts: { images, correct: images, fooled: 14 },
  });
  expect(pooledText([row(180, 1, 2), row(180, 1, 2)])).toBe('Counts are of 90 images × 2 seeds.');
  expect(pooledText([row(180, 1, 2), row(60, 1, 2)])).toBe('Counts add up the images of all seeds of a row.');
  expect(pooledText([row(180, 1, 2), row(90, 1)])).toBe('Counts add up the images of all seeds of a row.');
  expect(pooledText([row(90, 1), row(60, 2)])).toBeNull();
});
