import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { datasets } from '@funnel/contracts';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { dataFolders, findDataset, loadDataset, verifyDataset } from '../../src/datasets/load-dataset.ts';
import { meanPixel } from '../../src/datasets/split.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'funnel-data-'));
});
afterEach(() => rm(dir, { recursive: true }));

/** Writes, for each file of MNIST, a file of zeros of the same length. */
const forge = async (change: Partial<Record<string, Uint8Array>> = {}): Promise<void> => {
  await mkdir(join(dir, 'mnist'));
  for (const file of datasets.mnist.files)
    await writeFile(
      join(dir, 'mnist', file.name),
      change[file.name] ?? gzipSync(Buffer.alloc(file.bytes), { level: 1 }),
    );
};

const realData = { dir: process.env.FUNNEL_DATA ?? null };
const spec = { name: 'mnist', train: 5, test: 5, attack: 5 } as const;

describe('loadDataset', () => {
  it('looks in FUNNEL_DATA, then in the folder data of FUNNEL_HOME', () => {
    expect(dataFolders({ dir: '/a/b', home: '/c' })).toEqual(['/a/b', '/c/data']);
    expect(dataFolders({})).toEqual([join(process.cwd(), '.funnel/data')]);
  });

  it('refuses a file with other content, and says its path and the digest that it should have', async () => {
    await forge();
    expect(findDataset('mnist', { dir })).toBe(join(dir, 'mnist'));
    const loaded = await loadDataset(spec, { dir });
    const path = join(dir, 'mnist', 't10k-images-idx3-ubyte.gz');
    await expect(loaded.test()).rejects.toMatchObject({
      code: 'DATASET_CORRUPT',
      message: expect.stringContaining(
        `Expected ${path} to have the sha-256 ${datasets.mnist.files[2]?.sha256}`,
      ) as string,
    });
  });

  it('refuses a truncated file, and a file of another kind', async () => {
    const name = 't10k-images-idx3-ubyte.gz';
    await forge({
      [name]: gzipSync(Buffer.alloc(7_840_016)).subarray(0, 2000),
      'train-images-idx3-ubyte.gz': Buffer.from('<html>'),
    });
    const loaded = await loadDataset(spec, { dir });
    await expect(loaded.test()).rejects.toMatchObject({
      code: 'DATASET_CORRUPT',
      message: expect.stringContaining(name) as string,
    });
    await expect(loaded.train()).rejects.toMatchObject({
      code: 'DATASET_CORRUPT',
      message: expect.stringContaining('train-images') as string,
    });
    await expect(verifyDataset('mnist', { dir })).rejects.toMatchObject({ code: 'DATASET_CORRUPT' });
  });

  it('skips a folder that lacks a file', async () => {
    await forge();
    await rm(join(dir, 'mnist', 't10k-labels-idx1-ubyte.gz'));
    expect(findDataset('mnist', { dir, home: dir })).toBeNull();
  });

  it('generates the requested number of glyphs without a folder', async () => {
    const loaded = await loadDataset({ name: 'glyphs', train: 12, test: 3, attack: 1 });
    expect((await loaded.train()).count).toBe(12);
    expect((await loaded.test()).labels.length).toBe(3);
    expect(await loaded.train()).toBe(await loaded.train());
  });

  it('takes the first thousand images of MNIST from the extract, and says that there are no more', async () => {
    const extract = { dir: fileURLToPath(new URL('../../../../fixtures/data', import.meta.url)) };
    const loaded = await loadDataset({ name: 'mnist', train: 1000, test: 10, attack: 1 }, extract);
    const [train, test] = [await loaded.train(), await loaded.test()];
    expect([train.count, test.count]).toEqual([1000, 10]);
    expect([...train.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
    expect([...test.labels]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    const larger = await loadDataset({ name: 'mnist', train: 1001, test: 10, attack: 1 }, extract);
    await expect(larger.train()).rejects.toMatchObject({
      code: 'DATASET_MISSING',
      message: expect.stringMatching(/Expected 1001 train images of mnist, but .* the first 1000$/) as string,
    });
    await expect(verifyDataset('mnist', extract)).rejects.toMatchObject({ code: 'DATASET_MISSING' });
  });

  it.skipIf(findDataset('mnist', realData) === null)('reads the whole MNIST from FUNNEL_DATA', async () => {
    const loaded = await loadDataset({ name: 'mnist', train: 60_000, test: 10, attack: 1 }, realData);
    const [train, test] = [await loaded.train(), await loaded.test()];
    expect([...train.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
    expect([...test.labels]).toEqual([7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    expect(await meanPixel(train)).toBeCloseTo(0.1307, 4); // the mean by which the literature normalises
  });
});
