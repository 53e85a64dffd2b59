import { truncateSync } from 'node:fs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openCanonical, readCanonicalSplit } from '../../src/datasets/canonical-file.ts';
import {
  gatherImages,
  imageBytes,
  meanPixel,
  memorySplit,
  partsOf,
  range,
  runsOf,
  sliceSplit,
} from '../../src/datasets/split.ts';
import { cacheCanonical, makeCanonical, temporaryFolder } from './canonical.ts';

const made = makeCanonical([3, 5, 2], { train: 40, test: 7 });

/** The training images, read by rows from a file. */
const inFile = async () => {
  const path = cacheCanonical(temporaryFolder(), made);
  const split = await readCanonicalSplit(await openCanonical(path), 'train', 40, 0);
  onTestFinished(split.close);
  return { path, split };
};

const lists: [string, number[]][] = [
  ['one stretch', [3, 4, 5]],
  ['any order, some twice', [39, 0, 1, 2, 2, 17, 16]],
  ['all', [...range(0, 40)]],
  ['none', []],
];

describe('a split in a file and the same split in memory', () => {
  it.each(lists)('have the same images and labels: %s', async (_, indices) => {
    const { split } = await inFile();
    const expected = indices.flatMap((index) => [...made.train.read([index])]);
    expect([...split.read(indices)]).toEqual(expected);
    expect([...made.train.read(indices)]).toEqual(expected);
    expect(gatherImages(split, indices)).toEqual(gatherImages(made.train, indices));
    expect(split.labels).toEqual(made.train.labels);
    expect([split.count, split.shape]).toEqual([40, [3, 5, 2]]);
  });

  it('have the same mean and the same slices', async () => {
    const { split } = await inFile();
    const images = made.train.read(range(0, 40));
    const mean = images.reduce((a, b) => a + b, 0) / (255 * images.length);
    expect(await meanPixel(split)).toBe(mean);
    expect(await meanPixel(made.train)).toBe(mean);
    const [a, b] = [sliceSplit(split, 10, 15), sliceSplit(made.train, 10, 15)];
    expect([a.count, ...a.labels]).toEqual([5, ...made.train.labels.subarray(10, 15)]);
    for (const slice of [a, b]) expect([...slice.read([4, 0])]).toEqual([...made.train.read([14, 10])]);
  });

  it('a batch that was read ahead needs the file no more; two are kept, also of a slice', async () => {
    const { path, split } = await inFile();
    await split.prefetch([7, 3]);
    await sliceSplit(split, 10).prefetch([1, 9]);
    truncateSync(path, 100);
    for (const indices of [
      [7, 3],
      [11, 19],
    ])
      expect([...split.read(indices)]).toEqual([...made.train.read(indices)]);
    expect(() => split.read([3, 7])).toThrow(expect.objectContaining({ code: 'DATASET_CORRUPT' }) as Error);
    await split.prefetch([30, 31]); // fails; the kept batches stay, and `read` says what is wrong
    expect([...split.read([7, 3])]).toEqual([...made.train.read([7, 3])]);
    expect(() => split.read([30, 31])).toThrow(`of ${path}, but the file ends before`);
  });

  it('after two batches that nobody read, no more are read ahead', async () => {
    const { path, split } = await inFile();
    await split.prefetch([0]);
    await split.prefetch([1]);
    await split.prefetch([2]);
    truncateSync(path, 100);
    expect(() => split.read([2])).toThrow('the file ends before');
    expect([...split.read([1])]).toEqual([...made.train.read([1])]);
  });
});

describe('gatherImages', () => {
  it('gives the images at some indices, in [0, 1]', async () => {
    const split = memorySplit([1, 2, 1], Uint8Array.from([0, 51, 102, 153, 204, 255]), [0, 0, 0]);
    expect([...gatherImages(split, [2, 0])]).toEqual(
      [204, 255, 0, 51].map((byte) => Math.fround(byte / 255)),
    );
    expect(await meanPixel(split)).toBeCloseTo(0.5);
  });
});

describe('passes over a split', () => {
  it('have at most as many images as asked for, and at most 4 MiB', () => {
    const sizes = (shape: [number, number, number], count: number, most: number) =>
      [...partsOf(memorySplit(shape, new Uint8Array(), new Uint8Array(count)), most)].map(
        ({ length }) => length,
      );
    expect(sizes([28, 28, 1], 1200, 500)).toEqual([500, 500, 200]);
    expect(sizes([64, 64, 3], 700, 500)).toEqual([341, 341, 18]);
    expect(sizes([512, 512, 4], 5, 500)).toEqual([4, 1]);
    expect(imageBytes([512, 512, 4])).toBe(2 ** 20);
  });

  it('read consecutive images at once', () => {
    expect(runsOf([5, 6, 7, 2, 9, 10])).toEqual([
      { at: 0, index: 5, count: 3 },
      { at: 3, index: 2, count: 1 },
      { at: 4, index: 9, count: 2 },
    ]);
  });
});
