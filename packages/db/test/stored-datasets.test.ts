/** Data sets whose bytes arrive in their order: the digest is known only at the end. */
import { defaultLimits } from '@funnel/contracts';
import { describe, expect, test } from 'vitest';
import { addDataset, findDataset, getDatasetChunk, removeDataset, storeDataset } from '../src/index.ts';
import { makeDataset } from '../src/testing/index.ts';
import { bring, owner, shareDatasets, threeChunks } from './support/datasets.ts';
import { db } from './support/shared-db.ts';
import { query } from './support/tables.ts';

shareDatasets();

describe('a data set whose digest nobody knows before its end', () => {
  const { upload, bytes } = makeDataset(threeChunks);
  const { name, content } = upload;
  async function* parts(from: number, to: number, size: number) {
    for (let at = from; at < to; at += size) yield bytes.subarray(at, Math.min(to, at + size));
  }
  const store = (given: AsyncIterable<Uint8Array>, more: object = {}) =>
    storeDataset(db, { name, content, owner, ...more }, given);
  const count = async (table: string) => (await query(db, `SELECT FROM ${table}`)).length;

  test('is the same as one that was announced, in parts of any length', async () => {
    for (const size of [999_983, 4 * 2 ** 20, bytes.length]) {
      expect(await store(parts(0, bytes.length, size))).toBe(upload.digest);
      const stored = await query<{ sha256: string }>(db, 'SELECT sha256 FROM dataset_chunks ORDER BY number');
      expect(stored.map(({ sha256 }) => sha256)).toEqual(upload.chunks);
      expect(await findDataset(db, name)).toMatchObject({
        digest: upload.digest,
        identity: upload.digest,
        owner,
      });
    }
    expect(
      Buffer.compare(
        await getDatasetChunk(db, { digest: upload.digest, number: 2 }),
        bytes.subarray(2 ** 23),
      ),
    ).toBe(0);
    const announced = await query(db, 'SELECT content, bytes, summary FROM datasets');
    await query(db, 'DELETE FROM dataset_names; DELETE FROM datasets');
    await bring(threeChunks);
    expect(await query(db, 'SELECT content, bytes, summary FROM datasets')).toEqual(announced);
  });

  test('takes the place of an unfinished upload', async () => {
    await addDataset(db, upload, { owner: 'bob' });
    await store(parts(0, bytes.length, 2 ** 20));
    expect(await count('datasets')).toBe(1);
    expect(await addDataset(db, upload, { owner: 'bob' })).toMatchObject({ status: 'complete' });
  });

  test.each([
    ['a part that fails', () => store(failing()), 'The connection is gone'],
    ['too few bytes', () => store(parts(0, bytes.length - 1, 2 ** 20)), `but got ${bytes.length - 1}`],
    [
      'another header',
      () => store(parts(0, bytes.length, 2 ** 20), { content: { ...content, classes: ['a', 'b'] } }),
      'Expected',
    ],
    ['a name of another', () => store(parts(0, bytes.length, 2 ** 20), { name: 'mnist' }), 'built in'],
    [
      'too many bytes',
      () => store(parts(0, bytes.length, 2 ** 20), { limits: { ...defaultLimits, datasetBytes: 1e6 } }),
      'at most 977 KiB',
    ],
    [
      'a share that is used up',
      () => store(parts(0, bytes.length, 2 ** 20), { limits: { ...defaultLimits, ownDatasetBytes: 1e6 } }),
      'at most 977 KiB of data sets from one token',
    ],
  ])('leaves nothing behind: %s', async (_, act, message) => {
    await expect(act()).rejects.toThrow(message);
    for (const table of ['datasets', 'dataset_chunks', 'dataset_names']) expect(await count(table)).toBe(0);
  });
  async function* failing() {
    yield* parts(0, 5 * 2 ** 20, 2 ** 20);
    throw new Error('The connection is gone');
  }

  test('that somebody removes before its end is refused', async () => {
    const { upload, bytes } = makeDataset({ salt: 4 });
    const parts = async function* () {
      yield bytes.subarray(0, 10);
      await removeDataset(db, 'pets', { owner });
      yield bytes.subarray(10);
    };
    const store = storeDataset(db, { name: 'pets', content: upload.content, owner }, parts());
    await expect(store).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await query(db, 'SELECT FROM datasets')).toEqual([]);
  });
});
