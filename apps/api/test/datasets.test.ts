/** Data sets over HTTP: uploads, sweeps on them, and the memory that uploads take. */
import type { Socket } from 'node:net';
import { createClient, uploadDataset } from '@funnel/client';
import { datasetChunkBytes, datasets, type SweepInput } from '@funnel/contracts';
import { registerWorker } from '@funnel/db';
import { type MakeDataset, makeDataset } from '@funnel/db/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { build, oneTrial, type TestApp } from './build.ts';

let api: TestApp;
let url: string;
beforeAll(async () => {
  api = await build();
  url = await api.app.listen({ port: 0 });
});
afterAll(() => api.close());
beforeEach(() => api.db.pool.query('DELETE FROM dataset_names'));

const client = () => createClient({ url });
const bring = async (input: MakeDataset = {}) => {
  const made = makeDataset(input);
  const read = async (from: number, to: number) => made.bytes.subarray(from, to);
  await uploadDataset(client(), { ...made.upload, read });
  return made;
};
/** Three chunks. */
const threeChunks = { shape: [64, 64, 1] as [number, number, number], train: 2000, test: 600 };

const chunkPath = (digest: string, number: number) => `/v1/datasets/${digest}/chunks/${number}`;
const put = (
  path: string,
  body: Uint8Array<ArrayBuffer>,
  type = 'application/octet-stream',
  init: RequestInit = {},
) => fetch(url + path, { method: 'PUT', body, headers: { 'content-type': type }, ...init });

test('the client brings a data set in, goes on after an interruption, and reads it back', async () => {
  const made = makeDataset(threeChunks);
  const { digest } = made.upload;
  const seen: number[] = [];
  const read = async (from: number, to: number) => {
    seen.push(from / datasetChunkBytes);
    if (seen.length === 2) throw new Error('the disk is gone');
    return made.bytes.subarray(from, to);
  };
  const progress: unknown[] = [];
  await expect(uploadDataset(client(), { ...made.upload, read })).rejects.toThrow('the disk is gone');
  const done = await uploadDataset(client(), { ...made.upload, read, onProgress: (at) => progress.push(at) });
  expect(done).toEqual({ digest, status: 'complete', missing: [] });
  expect(seen).toEqual([0, 1, 1, 2]);
  const { length: bytes } = made.bytes;
  expect(progress).toEqual([
    { sent: bytes - datasetChunkBytes, bytes },
    { sent: bytes, bytes },
  ]);
  const parts = await Promise.all(
    [0, 1, 2].map((number) => client().getDatasetChunk({ params: { digest, number } })),
  );
  expect(Buffer.compare(Buffer.concat(parts), made.bytes)).toBe(0);
  const { images } = await client().getDatasetImages({ params: { name: 'pets' }, query: { count: 2 } });
  expect(images).toHaveLength(2);
  expect((await client().listDatasets()).items.at(-1)).toMatchObject({ name: 'pets', isStored: true });
  await client().removeDataset({ params: { name: 'pets' } });
  await expect(client().getDataset({ params: { name: 'pets' } })).rejects.toMatchObject({ status: 404 });
});

describe('a chunk', () => {
  test('is refused as another type, and when it is too large', async () => {
    const path = chunkPath('ab'.repeat(32), 0);
    expect((await put(path, new Uint8Array(2), 'application/json')).status).toBe(415);
    expect((await put(path, new Uint8Array(2), 'text/plain')).status).toBe(415);
    expect((await put(path, new Uint8Array(datasetChunkBytes + 1))).status).toBe(413);
    expect((await put(path, new Uint8Array(2))).status).toBe(404);
    expect((await put('/v1/datasets/pets/chunks/0', new Uint8Array(2))).status).toBe(400);
  });

  test('without a length is read up to the limit', async () => {
    const made = makeDataset({ salt: 1 });
    await client().addDataset({ body: made.upload });
    const send = (bytes: Uint8Array<ArrayBuffer>) =>
      fetch(url + chunkPath(made.upload.digest, 0), {
        method: 'PUT',
        headers: { 'content-type': 'application/octet-stream' },
        body: new Blob([bytes]).stream(),
        duplex: 'half',
      } as RequestInit);
    expect((await send(new Uint8Array(datasetChunkBytes + 1))).status).toBe(413);
    expect(await (await send(made.bytes)).json()).toEqual({ missing: 0 });
  });

  test('no other route takes bytes', async () => {
    const response = await fetch(`${url}/v1/sweeps`, {
      method: 'POST',
      headers: { 'content-type': 'application/octet-stream' },
      body: new Uint8Array(3),
    });
    expect(response.status).toBe(415);
  });
});

/** While it is held, no chunk of the data set can be stored. */
const blockChunks = async (digest: string) => {
  const blocker = await api.db.pool.connect();
  await blocker.query('BEGIN');
  await blocker.query('SELECT FROM dataset_chunks WHERE digest = $1 FOR UPDATE', [digest]);
  let isHeld = true;
  const release = async (): Promise<void> => {
    if (!isHeld) return;
    isHeld = false;
    await blocker.query('ROLLBACK');
    blocker.release();
  };
  onTestFinished(release);
  return release;
};

/** Chunks that wait for a blocked data set. */
const waitingChunks = async (): Promise<number> => {
  const { rows } = await api.db.pool.query(
    `SELECT count(*)::int AS waiting FROM pg_stat_activity
     WHERE wait_event_type = 'Lock' AND query LIKE '%dataset_chunks%' AND datname = current_database()`,
  );
  return rows[0].waiting;
};
const longWait = { timeout: 60_000 };

test('of many uploads at a time, three bodies at most are in memory; the others wait in their sockets', async () => {
  const made = makeDataset({ ...threeChunks, salt: 2 });
  const { digest } = made.upload;
  await client().addDataset({ body: made.upload });
  const release = await blockChunks(digest);
  const answers = Array.from({ length: 12 }, (_, i) => put(chunkPath(digest, i % 3), made.chunk(i % 3)));
  let most = 0;
  const look = setInterval(() => {
    most = Math.max(most, api.app.heldBodyBytes());
  }, 1);
  onTestFinished(() => clearInterval(look));
  await expect.poll(waitingChunks, longWait).toBe(2); // one caller may not take the last place
  await release();
  for (const answer of await Promise.all(answers)) expect(answer.status).toBe(200);
  expect(most).toBe(2 * datasetChunkBytes);
  await expect.poll(() => api.app.heldBodyBytes()).toBe(0);
});

test('a client that goes away makes no room for itself while its chunk is being stored', async () => {
  const made = makeDataset({ ...threeChunks, salt: 8 });
  const { digest } = made.upload;
  await client().addDataset({ body: made.upload });
  const release = await blockChunks(digest);
  const sockets: Socket[] = [];
  const keep = (socket: Socket) => void sockets.push(socket);
  api.app.server.on('connection', keep);
  onTestFinished(() => void api.app.server.off('connection', keep));
  const leaving = new AbortController();
  const left = [0, 1].map((number) => {
    const asked = put(chunkPath(digest, number), made.chunk(number), undefined, { signal: leaving.signal });
    return expect(asked).rejects.toThrow();
  });
  await expect.poll(waitingChunks, longWait).toBe(2);
  leaving.abort();
  await Promise.all(left);
  await expect.poll(() => sockets.every((socket) => socket.destroyed)).toBe(true);
  expect(api.app.heldBodyBytes()).toBe(2 * datasetChunkBytes);
  const next = put(chunkPath(digest, 2), made.chunk(2));
  await release();
  expect((await next).status).toBe(200);
  await expect.poll(() => api.app.heldBodyBytes()).toBe(0);
});

describe('a sweep', () => {
  const sweepOn = (dataset: SweepInput['dataset']): SweepInput => ({
    ...oneTrial,
    dataset,
    attacks: ['fgsm'],
  });
  const plan = (dataset: SweepInput['dataset']) => client().planSweep({ body: sweepOn(dataset) });
  const submit = (dataset: SweepInput['dataset']) => client().createSweep({ body: sweepOn(dataset) });

  test('on a data set that nobody has is refused, and the answer says how to add it', async () => {
    await bring({ salt: 3 });
    for (const act of [plan, submit])
      await expect(act({ name: 'petz' })).rejects.toMatchObject({
        problem: {
          code: 'DATASET_UNKNOWN',
          status: 422,
          detail: expect.stringContaining(
            'did you mean "pets"?). Add it with: npx funnel data add petz PATH',
          ),
          issues: [
            {
              path: 'dataset.name',
              expected: expect.stringMatching(
                /^one of (?=.*\bmnist\b)(?=.*\bpets\b).* \(did you mean "pets"\?\)$/,
              ),
            },
          ],
          hint: expect.stringContaining('`npx funnel data add petz PATH`'),
        },
      });
  });

  test('carries its data set: a name that gets other content later changes nothing', async () => {
    const made = await bring({ salt: 4 });
    const { id, definition } = await submit({ name: 'pets', train: 5 });
    expect(definition.dataset).toEqual({
      ...{ name: 'pets', train: 5, test: 6, attack: 6 },
      content: { ...made.upload.content, digest: made.upload.digest, budgets: { linf: 8 / 255, l2: 0.5 } },
    });
    const { items } = await client().listTrials({ params: { id } });
    const trial = await client().getTrial({ params: { id: items[0]!.id } });
    expect(trial).toMatchObject({
      dataset: 'pets',
      data: { shape: [4, 6, 3], classes: ['cat', 'dog', 'bird'] },
    });
    await client().removeDataset({ params: { name: 'pets' } });
    await bring({ salt: 5 });
    expect((await client().getSweep({ params: { id } })).definition).toEqual(definition);
    // The definition as it was answered names the old content.
    expect((await submit(definition.dataset)).definition.dataset).toEqual(definition.dataset);
    expect((await submit({ name: 'pets', train: 5 })).definition.dataset.content?.digest).not.toBe(
      made.upload.digest,
    );
  });

  test('takes all images unless it says fewer, and is refused by path if it says more', async () => {
    await bring({ salt: 6 });
    expect((await submit({ name: 'pets' })).definition.dataset).toMatchObject({
      train: 9,
      test: 6,
      attack: 6,
    });
    await expect(plan({ name: 'pets', train: 10 })).rejects.toMatchObject({
      problem: { code: 'INVALID_REQUEST', issues: [{ path: 'dataset.train', received: '10' }] },
    });
  });

  test('is warned when its first images lack a class', async () => {
    await bring({ salt: 7, labelOf: (i) => [2, 2, 0, 2, 2, 2, 1, 0, 0][i]! });
    const warningsOf = async (train: number) => (await plan({ name: 'pets', train })).warnings;
    expect(await warningsOf(2)).toEqual([
      'The first 2 training images of pets have no image of 2 of its 3 classes: cat, dog. Train on more images, or add the data set again in another order.',
    ]);
    expect(await warningsOf(6)).toEqual([expect.stringContaining('no image of 1 of its 3 classes: dog.')]);
    expect(await warningsOf(7)).toBeUndefined();
  });

  test('is refused on a built-in data set that nobody has, while there are workers to ask', async () => {
    const register = (id: string, digests: readonly string[]) =>
      registerWorker(api.db, {
        ...{ id, host: 'here', pid: 1, version: '0', backend: 'wasm', device: 'cpu', slots: 1 },
        abilities: {
          ...{ engineVersion: 'engine-1', trainerBytes: 2 ** 30 },
          datasets: digests.map((digest) => ({ digest, images: 60_000, stamp: '' })),
        },
      });
    expect((await plan({ name: 'mnist' })).warnings).toBeUndefined(); // there is no worker to ask
    await register('without', [datasets.glyphs.digest]);
    for (const act of [plan, submit])
      await expect(act({ name: 'mnist' })).rejects.toMatchObject({
        problem: {
          code: 'DATASET_UNKNOWN',
          detail:
            'Expected a data set that the service or a live worker has, but none has MNIST. Download it on the machine of a worker (`npx funnel data get mnist`), or bring it from a folder (`npx funnel data add mnist PATH`)',
          issues: [{ path: 'dataset.name', received: 'mnist' }],
          hint: 'Download it on the machine of a worker: `npx funnel data get mnist`. Or take `name: glyphs`, which is generated and needs no download.',
        },
      });
    expect((await plan({ name: 'glyphs' })).warnings).toBeUndefined();
    await register('with', [datasets.mnist.digest]);
    expect((await plan({ name: 'mnist' })).warnings).toBeUndefined();
  });
});
