import { fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { datasetChunkBytes } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import {
  cachedFile,
  cacheFolder,
  fetchDataset,
  touchCached,
  trimCache,
} from '../../src/datasets/dataset-cache.ts';
import { loadDataset } from '../../src/datasets/load-dataset.ts';
import { cacheCanonical, type Made, makeCanonical, temporaryFolder } from './canonical.ts';

/** Three chunks. */
const made = makeCanonical([64, 64, 3], { train: 700, test: 60 });
const maxBytes = 2 ** 40;
const hour = 3600;

/** A service that has one data set. `fetched`: the chunks that were asked for. */
const service = (
  { bytes }: Made,
  change: (chunk: Uint8Array, number: number) => Uint8Array = (chunk) => chunk,
) => {
  const fetched: number[] = [];
  const fetchChunk = async (_: string, number: number): Promise<Uint8Array> => {
    fetched.push(number);
    return change(bytes.subarray(number * datasetChunkBytes, (number + 1) * datasetChunkBytes), number);
  };
  return { fetched, fetchChunk };
};

const specOf = ({ digest, content: { shape, classes, train, test } }: Made) => ({
  ...{ name: 'pets', train, test, attack: 1 },
  content: { digest, shape, classCount: classes.length, budgets: { linf: 0.03, l2: 0.5 } },
});

describe('fetchDataset', () => {
  it('fetches every chunk once, and the file then has the images', async () => {
    const home = temporaryFolder();
    const folder = cacheFolder({ home });
    const { fetched, fetchChunk } = service(made);
    const options = { folder, digest: made.digest, fetchChunk, maxBytes };
    const path = await fetchDataset(options);
    expect(path).toBe(cachedFile(folder, made.digest));
    expect(readFileSync(path).equals(made.bytes)).toBe(true);
    await fetchDataset(options);
    expect(fetched).toEqual([0, 1, 2]);
    expect(readdirSync(folder)).toEqual([`${made.digest}.bin`]);
    const train = await (await loadDataset(specOf(made), { home })).train();
    expect([...train.read([699, 1])]).toEqual([...made.train.read([699, 1])]);
  });

  it('one fetches, the others wait', async () => {
    const folder = temporaryFolder();
    const { fetched, fetchChunk } = service(made);
    const options = { folder, digest: made.digest, fetchChunk, maxBytes };
    const paths = await Promise.all([1, 2, 3].map(() => fetchDataset(options)));
    expect(new Set(paths).size).toBe(1);
    expect(fetched).toEqual([0, 1, 2]);
  });

  it.each([
    [
      'another byte',
      (chunk: Uint8Array, number: number) =>
        number === 1 ? chunk.map((byte, i) => (i === 9 ? byte + 1 : byte)) : chunk,
      /to have the sha-256 [0-9a-f]{64}, but got [0-9a-f]{64}/,
    ],
    [
      'a short chunk',
      (chunk: Uint8Array) => chunk.subarray(0, 4_000_000),
      /4194304 bytes in chunk 0, but got 4000000/,
    ],
    ['no header', (chunk: Uint8Array) => chunk.subarray(1), /a header that says shape/],
  ])('refuses %s, and leaves nothing behind', async (_, change, message) => {
    const folder = temporaryFolder();
    const { fetchChunk } = service(made, change);
    await expect(fetchDataset({ folder, digest: made.digest, fetchChunk, maxBytes })).rejects.toMatchObject({
      code: 'DATASET_CORRUPT',
      message: expect.stringMatching(message) as string,
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('stops between two chunks, leaves nothing behind, and begins anew later', async () => {
    const folder = temporaryFolder();
    const { fetched, fetchChunk } = service(made);
    const options = { folder, digest: made.digest, fetchChunk, maxBytes };
    const onStep = () => {
      if (fetched.length === 2) throw new Error('stop');
    };
    await expect(fetchDataset({ ...options, onStep })).rejects.toThrow('stop');
    expect(readdirSync(folder)).toEqual([]);
    await fetchDataset(options);
    expect(fetched).toEqual([0, 1, 0, 1, 2]);
  });

  it.runIf(existsSync('/proc/self'))('ends in a folder that nobody can make', async () => {
    const { fetched, fetchChunk } = service(made);
    const folder = cacheFolder({ home: '/proc/none' });
    await expect(fetchDataset({ folder, digest: made.digest, fetchChunk, maxBytes })).rejects.toMatchObject({
      code: 'ENOENT',
    });
    expect(fetched).toEqual([]);
  });

  it('fetches a damaged file again', async () => {
    const home = temporaryFolder();
    const path = cacheCanonical(home, made);
    const damaged = Uint8Array.from(made.bytes);
    damaged[5_000_000]! ^= 1;
    writeFileSync(path, damaged);
    const { fetched, fetchChunk } = service(made);
    await fetchDataset({ folder: cacheFolder({ home }), digest: made.digest, fetchChunk, maxBytes });
    expect(fetched).toEqual([0, 1, 2]);
    expect(readFileSync(path).equals(made.bytes)).toBe(true);
  });

  it('a process that is killed in the middle leaves no file under the name, and the next one fetches all', async () => {
    const [folder, source] = [temporaryFolder(), join(temporaryFolder(), 'bytes')];
    writeFileSync(source, made.bytes);
    const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const child = fork(
      fileURLToPath(new URL('./fetch-process.ts', import.meta.url)),
      [folder, made.digest, source],
      { execArgv: ['--import', tsx] },
    );
    await once(child, 'message');
    const path = cachedFile(folder, made.digest);
    const parts = readdirSync(folder).filter((name) => name.endsWith('.part'));
    expect([existsSync(path), existsSync(`${path}.lock`), parts.length]).toEqual([false, true, 1]);
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
    for (const part of parts) utimesSync(join(folder, part), hour, hour); // as if the process had ended long ago
    const { fetched, fetchChunk } = service(made);
    await fetchDataset({ folder, digest: made.digest, fetchChunk, maxBytes });
    expect(fetched).toEqual([0, 1, 2]);
    expect(readdirSync(folder)).toEqual([`${made.digest}.bin`]);
    expect(readFileSync(path).equals(made.bytes)).toBe(true);
  }, 60_000);
});

describe('the cache', () => {
  const digestOf = (number: number): string => number.toString(16).padStart(64, '0');
  /** Five files of 100 bytes. The first one was used first. */
  const filled = (): string => {
    const folder = temporaryFolder();
    for (let i = 0; i < 5; i++) {
      const path = cachedFile(folder, digestOf(i));
      writeFileSync(path, Buffer.alloc(100));
      utimesSync(path, hour + i, hour);
    }
    return folder;
  };
  const left = (folder: string): number[] =>
    readdirSync(folder).map((name) => Number.parseInt(name.slice(0, 64), 16));

  it('loses the least recently used data sets above its limit', async () => {
    const folder = filled();
    await touchCached(cachedFile(folder, digestOf(0)));
    await trimCache(folder, 399);
    expect(left(folder)).toEqual([0, 3, 4]);
    await trimCache(folder, 300);
    expect(left(folder)).toEqual([0, 3, 4]);
    await trimCache(folder, 0);
    expect(left(folder)).toEqual([]);
  });

  it('makes room before it takes a data set, and keeps one that is larger than the limit', async () => {
    const folder = filled();
    mkdirSync(join(folder, 'other'));
    const { fetchChunk } = service(made);
    const size = made.bytes.length;
    await fetchDataset({ folder, digest: made.digest, fetchChunk, maxBytes: size + 250 });
    expect(readdirSync(folder).sort()).toEqual(
      [`${digestOf(3)}.bin`, `${digestOf(4)}.bin`, `${made.digest}.bin`, 'other'].sort(),
    );
    const larger = makeCanonical([64, 64, 3], { train: 700, test: 61 }, 1);
    await fetchDataset({
      folder,
      digest: larger.digest,
      fetchChunk: service(larger).fetchChunk,
      maxBytes: 1000,
    });
    expect(readdirSync(folder).sort()).toEqual([`${larger.digest}.bin`, 'other'].sort());
  });
});
