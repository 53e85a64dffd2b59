import { expect, it } from 'vitest';
import { countByClass, countClean } from '../src/index.ts';

it('counts the images of each class, and those that are correct', () => {
  const counts = countClean(Uint16Array.of(2, 0, 2, 2, 0, 3), Float32Array.of(1, 0, 1, 1, 1, 0), 5);
  expect(counts).toEqual({ images: [2, 0, 3, 1, 0], correct: [1, 0, 3, 0, 0] });
  expect(countClean([], [], 2)).toEqual({ images: [0, 0], correct: [0, 0] });
});

it('counts the images of each class, those that are correct when clean, and those that stay correct', () => {
  const records = {
    label: [2, 0, 2, 2, 0, 3],
    correct: [true, false, true, true, true, true],
    success: [false, false, true, false, false, true],
  };
  expect(countByClass(records, 5)).toEqual({
    images: [2, 0, 3, 1, 0],
    correct: [1, 0, 3, 1, 0],
    robust: [1, 0, 2, 0, 0],
  });
  expect(countByClass({ label: [], correct: [], success: [] }, 2)).toEqual({
    images: [0, 0],
    correct: [0, 0],
    robust: [0, 0],
  });
});
