/** Data sets come in chunk by chunk, and are checked as a whole. */
import { createHash } from 'node:crypto';
import { defaultLimits } from '@funnel/contracts';
import { describe, expect, test } from 'vitest';
import { readChunk } from '../src/datasets/dataset-chunks.ts';
import {
  addDataset,
  checkDataset,
  datasetNamesOf,
  findDataset,
  getDataset,
  getDatasetChunk,
  getDatasetImages,
  listUnfinished,
  putDatasetChunk,
  reconcile,
  removeDataset,
  storeDataset,
} from '../src/index.ts';
import { type MadeDataset, makeDataset } from '../src/testing/index.ts';
import { options } from './support/attempts.ts';
import { add, bring, owner, shareDatasets, threeChunks } from './support/datasets.ts';
import { db } from './support/shared-db.ts';
import { query } from './support/tables.ts';

shareDatasets();

describe('an upload', () => {
  test('asks for the missing chunks, goes on where it stopped, and is complete after the check', async () => {
    const made = makeDataset(threeChunks);
    const { digest } = made.upload;
    const put = (number: number) => putDatasetChunk(db, { digest, number, bytes: made.chunk(number) });
    expect(await add(made)).toEqual({ digest, status: 'receiving', missing: [0, 1, 2] });
    expect(await put(1)).toEqual({ missing: 2 });
    expect(await put(1)).toEqual({ missing: 2 });
    expect(await add(made)).toEqual({ digest, status: 'receiving', missing: [0, 2] });
    await checkDataset(db, digest);
    expect(await findDataset(db, digest)).toBeNull();
    await put(0);
    expect(await put(2)).toEqual({ missing: 0 });
    expect(await add(made)).toEqual({ digest, status: 'checking', missing: [] });
    await expect(getDatasetChunk(db, { digest, number: 0 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await checkDataset(db, digest);
    expect(await add(made)).toEqual({ digest, status: 'complete', missing: [] });
    for (const number of [0, 1, 2])
      expect(Buffer.compare(await getDatasetChunk(db, { digest, number }), made.chunk(number))).toBe(0);
  });

  test('sums up what it holds: counts, first images, mean and deviation', async () => {
    const { bytes, upload } = await bring({
      train: 9,
      test: 6,
      labelOf: (i, split) => (split === 'train' ? (i < 4 ? 2 : 0) : 1),
    });
    const pixels = [...bytes.subarray(bytes.length - 15 * 72, bytes.length - 6 * 72)].map(
      (byte) => byte / 255,
    );
    const mean = pixels.reduce((a, b) => a + b) / pixels.length;
    const variance = pixels.reduce((sum, x) => sum + (x - mean) ** 2, 0) / pixels.length;
    const { summary } = (await findDataset(db, upload.digest))!;
    expect(summary).toMatchObject({
      trainCounts: [5, 0, 4],
      testCounts: [0, 6, 0],
      trainFirsts: [4, null, 0],
    });
    expect(summary.mean).toBeCloseTo(mean, 12);
    expect(summary.deviation).toBeCloseTo(Math.sqrt(variance), 12);
  });

  test('gives back the images that somebody asks for, also across chunks', async () => {
    const { bytes } = await bring(threeChunks);
    const { index, label, images, shape } = await getDatasetImages(db, 'pets', {
      split: 'train',
      from: 1015,
      count: 20,
    });
    expect(shape).toEqual([64, 64, 1]);
    expect(index).toEqual(Array.from({ length: 20 }, (_, i) => 1015 + i));
    expect(label).toEqual(index.map((i) => i % 3));
    for (const [at, i] of index.entries())
      expect([...Buffer.from(images[at]!, 'base64')]).toEqual(
        Array.from({ length: 4096 }, (_, p) => (i + p) % 256),
      );
    expect(bytes.length).toBeGreaterThan(2 * 4 * 2 ** 20);
    const end = await getDatasetImages(db, 'pets', { split: 'test', from: 598, count: 20 });
    expect(end.index).toEqual([598, 599]);
    expect((await getDatasetImages(db, 'pets', { split: 'test', from: 600, count: 20 })).images).toEqual([]);
  });

  test('refuses bytes that were not announced', async () => {
    const made = makeDataset();
    const { digest } = made.upload;
    await expect(putDatasetChunk(db, { digest, number: 0, bytes: made.bytes })).rejects.toMatchObject({
      code: 'NOT_FOUND',
    });
    await add(made);
    const changed = Uint8Array.from(made.bytes, (byte, i) => (i === 200 ? byte ^ 1 : byte));
    for (const [bytes, message] of [
      [
        made.bytes.subarray(1),
        `Expected ${made.bytes.length} bytes in chunk 0, but got ${made.bytes.length - 1}`,
      ],
      [
        changed,
        `Expected bytes with the sha-256 ${made.upload.chunks[0]} in chunk 0, but theirs is ${createHash('sha256').update(changed).digest('hex')}`,
      ],
    ] as const)
      await expect(putDatasetChunk(db, { digest, number: 0, bytes })).rejects.toMatchObject({
        code: 'DATASET_CORRUPT',
        message,
      });
    expect(await add(made)).toMatchObject({ missing: [0] });
  });

  /** Brings all chunks of a data set that a check will refuse. */
  const refusedBy = async (announced: MadeDataset) => {
    const { digest } = announced.upload;
    await add(announced);
    await putDatasetChunk(db, { digest, number: 0, bytes: announced.bytes });
    await checkDataset(db, digest);
    expect(await findDataset(db, digest)).toBeNull();
    return add(announced);
  };

  test('whose chunks together have another digest is refused by the check, and begins anew', async () => {
    const made = makeDataset();
    const announced = { ...made, upload: { ...made.upload, digest: 'ab'.repeat(32) } };
    await expect(refusedBy(announced)).rejects.toMatchObject({
      code: 'DATASET_CORRUPT',
      message: expect.stringContaining(`have ${made.upload.digest}`),
    });
    expect(await add(announced)).toMatchObject({ status: 'receiving', missing: [0] });
  });

  test('with a label of no class, or another header, is refused by the check', async () => {
    await expect(refusedBy(makeDataset({ labelOf: (i) => (i === 4 ? 259 : 0) }))).rejects.toMatchObject({
      code: 'DATASET_CORRUPT',
      message: 'Expected labels below 3, but image 4 of a split has 259',
    });
    const made = makeDataset();
    const content = { ...made.upload.content, classes: ['cow', 'dog', 'bird'] };
    await expect(refusedBy({ ...made, upload: { ...made.upload, content } })).rejects.toMatchObject({
      code: 'DATASET_CORRUPT',
      message: expect.stringContaining('header'),
    });
  });

  test('whose training images have one class is refused', async () => {
    const made = makeDataset({ labelOf: (i, split) => (split === 'train' ? 1 : i % 3) });
    await expect(refusedBy(made)).rejects.toMatchObject({
      code: 'DATASET_CORRUPT',
      message: 'Expected training images of at least two classes, but got only dog',
    });
  });

  test('is limited in bytes, in bytes of one token, and in its number of chunks, before anything is stored', async () => {
    const made = makeDataset();
    const bytes = made.bytes.length;
    await expect(
      add(made, { limits: { ...defaultLimits, datasetBytes: bytes - 1, ownDatasetBytes: bytes } }),
    ).rejects.toMatchObject({
      code: 'DATASET_TOO_LARGE',
    });
    await expect(
      add({ ...made, upload: { ...made.upload, chunks: [...made.upload.chunks, ...made.upload.chunks] } }),
    ).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    expect(await query(db, 'SELECT FROM datasets')).toHaveLength(0);
    const limits = { ...defaultLimits, datasetBytes: bytes, ownDatasetBytes: 2 * bytes - 1 };
    await add(made, { limits });
    await add(made, { limits });
    const second = makeDataset({ salt: 1, name: 'pets-2' });
    await expect(add(second, { limits })).rejects.toMatchObject({ code: 'TOO_MANY_DATASETS' });
    expect(await addDataset(db, second.upload, { owner: 'bob', limits })).toMatchObject({
      status: 'receiving',
    });
  });

  test('is limited in the names that one token gives, so that nobody takes all of them', async () => {
    const limits = { ...defaultLimits, ownDatasetNames: 2 };
    const { upload } = await bring({ name: 'a' });
    const name = (given: string, by: string) =>
      addDataset(db, { ...upload, name: given }, { owner: by, limits });
    expect(await name('b', owner)).toMatchObject({ status: 'complete' });
    await expect(name('c', owner)).rejects.toMatchObject({
      code: 'TOO_MANY_DATASETS',
      message: expect.stringContaining('FUNNEL_MAX_DATASETS_PER_TOKEN'),
    });
    expect(await name('b', owner)).toMatchObject({ status: 'complete' }); // has its name already
    expect(await name('c', 'bob')).toMatchObject({ status: 'complete' });
    expect(await datasetNamesOf(db, owner)).toBe(2);
    const { content } = upload;
    const arrays = makeDataset({ salt: 9 });
    const parts = async function* () {
      yield arrays.bytes;
    };
    await expect(storeDataset(db, { name: 'd', content, owner, limits }, parts())).rejects.toMatchObject({
      code: 'TOO_MANY_DATASETS',
    });
    await removeDataset(db, 'a', { owner });
    expect(await name('d', owner)).toMatchObject({ status: 'complete' });
  });

  test('with another content than the one that was announced first takes its place', async () => {
    const made = makeDataset(threeChunks);
    const { digest, content } = made.upload;
    const lie = { ...made.upload, name: 'lie', content: { ...content, classes: ['cow', 'dog', 'bird'] } };
    await addDataset(db, lie, { owner: 'bob' });
    expect(await add(made)).toMatchObject({ status: 'receiving' });
    expect(await listUnfinished(db, 'bob')).toEqual([]);
    for (const number of [0, 1, 2]) await putDatasetChunk(db, { digest, number, bytes: made.chunk(number) });
    await checkDataset(db, digest);
    expect(await add(made)).toMatchObject({ status: 'complete' });
  });

  test('of a complete data set must announce its content', async () => {
    const made = await bring();
    const { content } = made.upload;
    const lie = {
      ...made.upload,
      name: 'lie',
      content: { ...content, train: content.train + 1, test: content.test - 1 },
    };
    await expect(add({ ...made, upload: lie })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
      details: { issues: [{ path: 'content' }] },
    });
    await expect(getDataset(db, 'lie')).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { hint: 'See `npx funnel data ls`.' },
    });
    const { shape, classes, train, test: tests } = content;
    const other = { ...made.upload, name: 'same', content: { test: tests, train, classes, shape } }; // the order of the keys is free
    expect(await add({ ...made, upload: other })).toMatchObject({ status: 'complete' });
  });

  test('that is not finished is listed for its client, and removed by its name or digest', async () => {
    const made = makeDataset(threeChunks);
    const { digest } = made.upload;
    await add(made);
    await putDatasetChunk(db, { digest, number: 2, bytes: made.chunk(2) });
    const [one, ...others] = await listUnfinished(db, owner);
    expect(others).toEqual([]);
    expect(one).toMatchObject({ ...{ digest, name: 'pets', status: 'receiving' }, bytes: made.bytes.length });
    expect(one!.received).toBe(made.chunk(2).length);
    const [{ asked_at }] = (await query<{ asked_at: Date }>(db, 'SELECT asked_at FROM datasets')) as [
      { asked_at: Date },
    ];
    expect(Date.parse(one!.deletedAt)).toBe(asked_at.getTime() + 86_400_000);
    expect(await listUnfinished(db, 'bob')).toEqual([]);
    await expect(removeDataset(db, 'pets', { owner: 'bob' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await removeDataset(db, 'pets', { owner });
    expect(await query(db, 'SELECT FROM datasets')).toEqual([]);
    await add(made);
    await query(db, 'UPDATE datasets SET name = NULL'); // as an older version announced it
    expect(await listUnfinished(db, owner)).toMatchObject([{ name: null, received: 0 }]);
    await removeDataset(db, digest, { owner });
    expect(await query(db, 'SELECT FROM datasets')).toEqual([]);
  });

  test('is refused beside as many unfinished ones as a client may have, which the hint names', async () => {
    const limits = { ...defaultLimits, ownUploads: 2 };
    const [a, b, c] = ['a', 'b', 'c'].map((name, salt) => makeDataset({ name, salt })) as [
      MadeDataset,
      MadeDataset,
      MadeDataset,
    ];
    await add(a, { limits });
    await add(b, { limits });
    await add(b, { limits }); // asks again
    await expect(add(c, { limits })).rejects.toMatchObject({
      code: 'TOO_MANY_DATASETS',
      details: { hint: expect.stringContaining('There are: a, b.') },
    });
    const { name, content } = c.upload;
    const store = async () => storeDataset(db, { name, content, owner, limits }, (async function* () {})());
    await expect(store()).rejects.toMatchObject({ code: 'TOO_MANY_DATASETS' });
    const { digest } = a.upload;
    await putDatasetChunk(db, { digest, number: 0, bytes: a.chunk(0) });
    await checkDataset(db, digest);
    expect(await add(a, { limits })).toMatchObject({ status: 'complete' });
    expect(await add(c, { limits })).toMatchObject({ status: 'receiving' });
  });

  test('that nobody finished is deleted after a day', async () => {
    const made = makeDataset(threeChunks);
    await add(made);
    await putDatasetChunk(db, { digest: made.upload.digest, number: 0, bytes: made.chunk(0) });
    const repairNow = async () => {
      await query(db, 'DELETE FROM duties');
      await reconcile(db, options);
    };
    await query(db, `UPDATE datasets SET asked_at = now() - interval '23 hours'`);
    await repairNow();
    expect(await query(db, 'SELECT FROM dataset_chunks')).toHaveLength(3);
    await query(db, `UPDATE datasets SET asked_at = now() - interval '25 hours'`);
    await repairNow();
    expect(await query(db, 'SELECT FROM dataset_chunks')).toHaveLength(0);
  });

  test('two checks at a time do no harm, and a lost one is taken over', async () => {
    const made = makeDataset(threeChunks);
    const { digest } = made.upload;
    await add(made);
    for (const number of [0, 1, 2]) await putDatasetChunk(db, { digest, number, bytes: made.chunk(number) });
    await checkDataset(db, digest, AbortSignal.abort());
    expect(await findDataset(db, digest)).toBeNull();
    await Promise.all([checkDataset(db, digest), checkDataset(db, digest)]);
    expect(await findDataset(db, digest)).toMatchObject({ digest });
  });
});

describe('bytes are read', () => {
  test('in pieces of at most 64 KiB, so that a check needs little memory', async () => {
    const { upload, chunk } = await bring(threeChunks);
    const pieces: Buffer[] = [];
    await readChunk(db, { digest: upload.digest, number: 1 }, (piece) => pieces.push(Buffer.from(piece)));
    expect(Math.max(...pieces.map(({ length }) => length))).toBe(64 * 1024);
    expect(Buffer.compare(Buffer.concat(pieces), chunk(1))).toBe(0);
  });

  test('and a reader that fails gets its own error, on a connection that can be used again', async () => {
    const { upload } = await bring();
    const fail = () => {
      throw new Error('The disk is full');
    };
    await expect(readChunk(db, { digest: upload.digest, number: 0 }, fail)).rejects.toThrow(
      'The disk is full',
    );
    await expect(
      readChunk(db, { digest: "'; DROP TABLE datasets; --", number: 0 }, () => {}),
    ).rejects.toThrow();
    expect(await getDatasetChunk(db, { digest: upload.digest, number: 0 })).toHaveLength(
      makeDataset().bytes.length,
    );
  });
});
