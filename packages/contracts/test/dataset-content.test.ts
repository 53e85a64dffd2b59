import { expect, test } from 'vitest';
import { DatasetContent, datasetChunks, datasetLayout } from '../src/index.ts';

const content = { shape: [2, 3, 1] as [number, number, number], classes: ['a', 'ü'], train: 4, test: 1 };

test('the layout of a small data set, byte by byte', () => {
  const { header, ...layout } = datasetLayout(content);
  expect(header).toBe('{"classes":["a","ü"],"shape":[2,3,1],"test":1,"train":4}\n');
  // 57 characters, one of them of two bytes
  expect(layout).toEqual({
    labels: { train: 58, test: 66 },
    pixels: { train: 68, test: 92 },
    imageBytes: 6,
    bytes: 98,
  });
});

test('the last chunk may be smaller', () => {
  expect([1, 4 * 2 ** 20, 4 * 2 ** 20 + 1].map(datasetChunks)).toEqual([1, 1, 2]);
});

test.each([
  ['one class', { classes: ['a'] }],
  ['a name twice', { classes: ['a', 'a'] }],
  ['a line break in a name', { classes: ['a', 'b\n'] }],
  ['an empty split', { test: 0 }],
  ['images that are too high', { shape: [513, 3, 1] }],
  ['five channels', { shape: [2, 3, 5] }],
])('refuses %s', (_, change) => {
  expect(DatasetContent.safeParse({ ...content, ...change }).success).toBe(false);
});

test('accepts the content of the layout', () => {
  expect(DatasetContent.parse(content)).toEqual(content);
});
