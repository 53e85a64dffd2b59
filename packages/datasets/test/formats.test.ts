/** What each format gives: pixels, labels, classes, order and splits, against values that the test knows. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { datasetChunkBytes } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import {
  cifarBatch,
  idxFile,
  imageOf,
  makeRows,
  npyFile,
  parquetFile,
  pngFile,
  type Rows,
  writeFiles,
} from './support/make-files.ts';
import { contentOf, newFolder, read } from './support/temporary.ts';

const imagesOf = (rows: Rows) => rows.labels.map((_, i) => [...imageOf(rows, i)]);

describe('CIFAR-10 batches', () => {
  const train = makeRows(20, [32, 32, 3], 10);
  const test = makeRows(7, [32, 32, 3], 3);
  const half = (from: number): Rows => ({
    shape: train.shape,
    labels: train.labels.slice(from, from + 10),
    pixels: train.pixels.subarray(from * 3072, (from + 10) * 3072),
  });

  it('give images with their channels last, in the order of the batches, and the official names', async () => {
    const folder = writeFiles(newFolder(), {
      'data_batch_10.bin': cifarBatch(half(10)),
      'data_batch_2.bin': cifarBatch(half(0)),
      'test_batch.bin': cifarBatch(test),
      'readme.html': Buffer.from('<html>'),
    });
    const found = await read(folder);
    expect(found.content).toMatchObject({ shape: [32, 32, 3], train: 20, test: 7 });
    expect(found.content.classes.slice(0, 3)).toEqual(['airplane', 'automobile', 'bird']);
    expect(contentOf(found)).toEqual({
      train: { labels: train.labels, images: imagesOf(train) },
      test: { labels: test.labels, images: imagesOf(test) },
    });
  });

  it('have the same digest as the same images in an NPY file and in Parquet', async () => {
    const names = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');
    const batches = writeFiles(newFolder(), {
      'data_batch_1.bin': cifarBatch(train),
      'test_batch.bin': cifarBatch(test),
    });
    const files = (split: string, rows: Rows) => ({
      [`${split}-0.parquet`]: parquetFile(
        rows.labels.map((_, i) => pngFile(rows, i)),
        rows.labels.map(BigInt),
        { names },
      ),
    });
    const parquet = writeFiles(newFolder(), { ...files('train', train), ...files('test', test) });
    const arrays = writeFiles(newFolder(), {
      'x_train.npy': npyFile([20, 32, 32, 3], train.pixels),
      'y_train.npy': npyFile([20], Uint8Array.from(train.labels)),
      'x_test.npy': npyFile([7, 32, 32, 3], test.pixels),
      'y_test.npy': npyFile([7], Uint8Array.from(test.labels)),
    });
    const { digest } = await read(batches);
    expect((await read(parquet)).digest).toBe(digest);
    expect((await read(arrays, { classes: names })).digest).toBe(digest);
  });
});

describe('labels', () => {
  const rows = makeRows(6, [2, 2, 1], 3);
  const withLabels = (labels: readonly number[]) =>
    writeFiles(newFolder(), {
      'x_train.npy': npyFile([6, 2, 2], rows.pixels),
      'y_train.npy': npyFile([6], new Uint8Array(Int16Array.from(labels).buffer), '<i2'),
      'x_test.npy': npyFile([6, 2, 2], rows.pixels),
      'y_test.npy': npyFile([6], new Uint8Array(Int16Array.from(labels).buffer), '<i2'),
    });

  it('that are numbers name the classes, in their order', async () => {
    const found = await read(withLabels([10, 2, 900, 2, 10, 900]));
    expect(found.content.classes).toEqual(['2', '10', '900']);
    expect(contentOf(found).train.labels).toEqual([1, 0, 2, 0, 1, 2]);
  });

  it('are indices of the classes that the user names, also of one without images', async () => {
    const found = await read(withLabels([0, 2, 2, 0, 0, 0]), { classes: ['cat', 'dog', 'e\u0301mu'] });
    expect(found.content.classes).toEqual(['cat', 'dog', 'ému']); // Unicode's form NFC
    expect(found.notes).toEqual(['No training images: dog.', 'No test images: dog.']);
  });

  it('that are texts in Parquet are the names of the classes', async () => {
    const folder = writeFiles(newFolder(), {
      'a.parquet': parquetFile(
        rows.labels.map((_, i) => pngFile(rows, i)),
        ['b', 'a', 'b', 'a', 'b', 'a'],
      ),
    });
    const { content, summary } = await read(join(folder, 'a.parquet'));
    expect(content.classes).toEqual(['a', 'b']);
    expect(summary.trainCounts).toEqual([2, 2]); // a third of each class is for tests: 20 % of 3, rounded
  });
});

describe('a split by share', () => {
  const rows = makeRows(100, [1, 1, 1], 4);
  const folder = writeFiles(newFolder(), {
    'x.npy': npyFile([100, 1, 1], rows.pixels),
    'y.npy': npyFile([100], Uint8Array.from(rows.labels)),
  });

  it('takes the share of each class, keeps the order, and loses no image', async () => {
    const found = await read(folder, { testShare: 0.2 });
    expect(found.summary).toMatchObject({ trainCounts: [20, 20, 20, 20], testCounts: [5, 5, 5, 5] });
    expect(found.notes).toEqual([
      'There are no test images, so 20 % of each class, chosen with the seed 0, are the test images (--test-share, --seed).',
    ]);
    const { train, test } = contentOf(found);
    const [all, kept] = [imagesOf(rows).flat(), train.images.flat()];
    // pixel k is 7 k mod 256, a different value for each of the first 256 images
    expect([...kept, ...test.images.flat()].sort()).toEqual([...all].sort());
    const indices = kept.map((pixel) => all.indexOf(pixel));
    expect(indices).toEqual(indices.toSorted((a, b) => a - b));
  });

  it('depends on the seed alone', async () => {
    const digests = await Promise.all([0, 0, 1].map(async (seed) => (await read(folder, { seed })).digest));
    expect(digests[0]).toBe(digests[1]);
    expect(digests[0]).not.toBe(digests[2]);
  });
});

describe('a folder of pictures', () => {
  const rows = makeRows(60, [3, 3, 1], 3);
  const named = (i: number): string =>
    `${['b', 'a', 'train'][rows.labels[i]!]}/${String(60 - i).padStart(3, '0')}.png`;
  const files = Object.fromEntries(rows.labels.map((_, i) => [named(i), pngFile(rows, i)]));
  const order = async (
    options: object,
    more: Readonly<Record<string, Uint8Array>> = {},
  ): Promise<readonly string[]> => {
    const folder = writeFiles(newFolder(), { ...files, ...more });
    const { train } = contentOf(await read(folder, { testShare: 0.01, ...options }));
    return train.images.map((image) => image.join());
  };

  it('has its classes by name, even one that is called train', async () => {
    const { content, summary } = await read(writeFiles(newFolder(), files));
    expect(content.classes).toEqual(['a', 'b', 'train']);
    expect(summary.trainCounts).toEqual([16, 16, 16]);
  });

  it('is shuffled by the seed, and another file changes nothing among the rest', async () => {
    const shuffled = await order({});
    expect(await order({})).toEqual(shuffled);
    expect(await order({ seed: 1 })).not.toEqual(shuffled);
    const black = pngFile({ shape: [3, 3, 1], labels: [0], pixels: new Uint8Array(9) }, 0);
    const more = (await order({}, { 'a/more.png': black })).filter((image) => image !== '0,0,0,0,0,0,0,0,0');
    // Each order lacks three images of its own, which are for tests.
    const both = new Set(more.filter((image) => shuffled.includes(image)));
    expect(both.size).toBeGreaterThan(50);
    expect(more.filter((image) => both.has(image))).toEqual(shuffled.filter((image) => both.has(image)));
  });

  it('with --order name has the order of the files across all classes', async () => {
    const sorted = rows.labels.map((_, i) => imageOf(rows, 59 - i).join()); // the last has the first name
    const kept = await order({ order: 'name' });
    expect(kept).toEqual(sorted.filter((image) => kept.includes(image)));
    expect(kept).toHaveLength(57);
  });

  it('with train and val, but without test, has the validation images as test images, and says it', async () => {
    const folder = writeFiles(
      newFolder(),
      Object.fromEntries(
        Object.entries(files).flatMap(([name, png]) => [
          [`train/${name}`, png],
          [`val/${name}`, png],
        ]),
      ),
    );
    const { content, notes } = await read(folder);
    expect(content).toMatchObject({ train: 60, test: 60 });
    expect(notes).toEqual(['There are no test images, so the validation images are the test images.']);
  });
});

it('one IDX file, without the one beside it, is refused with the folder to give', async () => {
  const rows = makeRows(6, [6, 6, 1]);
  const folder = writeFiles(newFolder(), {
    'train-images-idx3-ubyte': idxFile([6, 6, 6], rows.pixels),
    'train-labels-idx1-ubyte': idxFile([6], Uint8Array.from(rows.labels)),
  });
  for (const name of ['train-images-idx3-ubyte', 'train-labels-idx1-ubyte'])
    await expect(read(join(folder, name))).rejects.toThrow(
      `${join(folder, name)}: expected the folder of images and labels, but got one of its files: give ${folder}`,
    );
});

it('chunks of 4 MiB have their own digests', async () => {
  const rows = makeRows(6, [512, 512, 4]);
  const folder = writeFiles(newFolder(), {
    'train-images-idx4-ubyte': idxFile([6, 512, 512, 4], rows.pixels),
    'train-labels-idx1-ubyte': idxFile([6], Uint8Array.from(rows.labels)),
  });
  const { file, chunks } = await read(folder);
  const bytes = readFileSync(file);
  expect(bytes.length).toBeGreaterThan(datasetChunkBytes);
  expect(chunks).toEqual(
    [0, datasetChunkBytes].map((from) =>
      createHash('sha256')
        .update(bytes.subarray(from, from + datasetChunkBytes))
        .digest('hex'),
    ),
  );
});
