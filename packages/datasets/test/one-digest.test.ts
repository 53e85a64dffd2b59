/** The same images have the same digest, whatever format they came in: the extract of MNIST in `fixtures/data`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { datasetChunkBytes, datasetLayout } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import type { ReadOptions } from '../src/options.ts';
import {
  idxFile,
  imageOf,
  npyFile,
  parquetFile,
  pngFile,
  type Rows,
  writeFiles,
  zipFile,
} from './support/make-files.ts';
import { newFolder, read } from './support/temporary.ts';

const extract = fileURLToPath(new URL('../../../fixtures/data/mnist', import.meta.url));
const gunzipped = (name: string): Buffer => gunzipSync(readFileSync(join(extract, name)));

const rowsOf = (split: string): Rows => ({
  shape: [28, 28, 1],
  labels: [...gunzipped(`${split}-labels-idx1-ubyte.gz`).subarray(8)],
  pixels: gunzipped(`${split}-images-idx3-ubyte.gz`).subarray(16),
});
const splits = { train: rowsOf('train'), test: rowsOf('t10k') };

/** The canonical form by the words of its declaration. */
const canonical = (): Buffer => {
  const { train, test } = splits;
  const header = `{"classes":["0","1","2","3","4","5","6","7","8","9"],"shape":[28,28,1],"test":${test.labels.length},"train":${train.labels.length}}\n`;
  const labels = [...train.labels, ...test.labels].flatMap((label) => [label, 0]);
  return Buffer.concat([Buffer.from(header), Buffer.from(labels), train.pixels, test.pixels]);
};
const expected = createHash('sha256').update(canonical()).digest('hex');

const eachSplit = (make: (split: 'train' | 'test', rows: Rows) => Record<string, Uint8Array>) => ({
  ...make('train', splits.train),
  ...make('test', splits.test),
});

const int64 = (labels: readonly number[]): Uint8Array =>
  new Uint8Array(BigInt64Array.from(labels, BigInt).buffer);
const count = ({ labels }: Rows): number => labels.length;
const pngs = (rows: Rows): Uint8Array[] => rows.labels.map((_, i) => pngFile(rows, i));

type Form = {
  /** Written to a new folder. */
  readonly files?: () => Readonly<Record<string, Uint8Array>>;
  /** Among the files. */
  readonly path?: string;
  readonly options?: Partial<ReadOptions>;
};

const forms: Readonly<Record<string, Form>> = {
  'IDX, gzipped': { path: extract },
  'IDX, plain': {
    files: () => ({
      'train-images.idx3-ubyte': gunzipped('train-images-idx3-ubyte.gz'),
      'train-labels.idx1-ubyte': gunzipped('train-labels-idx1-ubyte.gz'),
      't10k-images-idx3-ubyte': gunzipped('t10k-images-idx3-ubyte.gz'),
      't10k-labels-idx1-ubyte': gunzipped('t10k-labels-idx1-ubyte.gz'),
    }),
  },
  'IDX with an axis of channels': {
    files: () =>
      eachSplit((split, rows) => ({
        [`${split}-images-idx4-ubyte`]: idxFile([count(rows), 28, 28, 1], rows.pixels),
        [`${split}-labels-idx1-ubyte`]: idxFile([count(rows)], Uint8Array.from(rows.labels)),
      })),
  },
  'NPZ of bytes, stored': {
    files: () => ({
      'mnist.npz': zipFile(
        eachSplit((split, rows) => ({
          [`x_${split}.npy`]: npyFile([count(rows), 28, 28], rows.pixels),
          [`y_${split}.npy`]: npyFile([count(rows)], Uint8Array.from(rows.labels)),
        })),
      ),
    }),
    path: 'mnist.npz',
  },
  'NPZ of floats, compressed': {
    files: () => ({
      'mnist.npz': zipFile(
        eachSplit((split, rows) => ({
          [`${split}_images.npy`]: npyFile(
            [count(rows), 1, 28, 28],
            new Uint8Array(Float32Array.from(rows.pixels, (byte) => byte / 255).buffer),
            '<f4',
          ),
          [`${split}_labels.npy`]: npyFile([count(rows), 1], int64(rows.labels), '<i8'),
        })),
        { deflated: true },
      ),
    }),
    path: 'mnist.npz',
  },
  'NPY files': {
    files: () =>
      eachSplit((split, rows) => ({
        [`X_${split}.npy`]: npyFile([count(rows), 28, 28, 1], rows.pixels),
        [`Y_${split}.npy`]: npyFile([count(rows)], int64(rows.labels), '<i8'),
      })),
  },
  'a folder of PNG files': {
    files: () =>
      eachSplit((split, rows) =>
        Object.fromEntries(
          rows.labels.map((label, i) => [
            `${split}/${label}/${String(i).padStart(5, '0')}.png`,
            pngFile(rows, i),
          ]),
        ),
      ),
    options: { order: 'name' },
  },
  'Parquet, two shards': {
    files: () => ({
      'data/train-00000-of-00002.parquet': parquetFile(
        pngs(splits.train).slice(0, 700),
        splits.train.labels.slice(0, 700).map(BigInt),
        { names: [...'0123456789'] },
      ),
      'data/train-00001-of-00002.parquet': parquetFile(
        pngs(splits.train).slice(700),
        splits.train.labels.slice(700).map(BigInt),
        { names: [...'0123456789'], codec: 'UNCOMPRESSED' },
      ),
      'data/test-00000-of-00001.parquet': parquetFile(pngs(splits.test), splits.test.labels.map(BigInt)),
    }),
  },
};

describe('MNIST has one digest', () => {
  it.each(Object.entries(forms))('as %s', async (_, { files, path = '', options }) => {
    const found = files ? join(writeFiles(newFolder(), files()), path) : path;
    const { digest, content, chunks, bytes } = await read(found, options);
    expect(content).toEqual({ shape: [28, 28, 1], classes: [...'0123456789'], train: 1000, test: 1000 });
    expect(digest).toBe(expected);
    expect(bytes).toBe(datasetLayout(content).bytes);
    expect(chunks).toEqual([createHash('sha256').update(canonical()).digest('hex')]);
    expect(bytes).toBeLessThan(datasetChunkBytes);
  });
});

it('the summary has the counts, mean and deviation of the training images', async () => {
  const { summary } = await read(extract);
  const { labels, pixels } = splits.train;
  const mean = pixels.reduce((sum, byte) => sum + byte, 0) / pixels.length / 255;
  const variance = pixels.reduce((sum, byte) => sum + (byte / 255 - mean) ** 2, 0) / pixels.length;
  expect(summary.trainCounts).toEqual(
    [...'0123456789'].map((digit) => labels.filter((label) => label === Number(digit)).length),
  );
  expect(summary.mean).toBeCloseTo(mean, 10);
  expect(summary.deviation).toBeCloseTo(Math.sqrt(variance), 10);
  expect(imageOf(splits.train, 0)).toHaveLength(784);
});
