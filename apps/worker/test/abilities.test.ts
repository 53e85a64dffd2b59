/** Workers of unequal ability: a stage goes to a worker that can run it, and a lack costs no attempt. */
import { cpSync, mkdtempSync, rmSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { datasets, engineVersion, type SweepInput } from '@funnel/contracts';
import { type Db, getSweep, listWorkers } from '@funnel/db';
import { availableDatasets } from '@funnel/engine';
import { describe, expect, it, onTestFinished } from 'vitest';
import { lackOf, trainerBytesOf } from '../src/abilities.ts';
import { one, openTestDatabase, results, smallSweep, submit, sweepEnded, until, worker } from './fixtures.ts';

const failed = async (db: Db) => {
  const { rows } = await db.pool.query(
    `SELECT worker_id, outcome, error_code FROM attempts WHERE outcome NOT IN ('completed') ORDER BY started_at`,
  );
  return rows as { worker_id: string; outcome: string; error_code: string | null }[];
};
const workerOf = async (db: Db, id: string) => (await listWorkers(db)).find((found) => found.id === id)!;

const reference = async () => {
  const db = await openTestDatabase();
  const sweepId = await submit(db);
  await worker(db);
  await sweepEnded(db, sweepId);
  return results(db);
};

describe('workers of unequal ability', () => {
  it('a worker without the data hands its stages back, and another one runs them, with the same results', async () => {
    const db = await openTestDatabase();
    const sweepId = await submit(db);
    await worker(db, { id: 'without', simulation: { faults: [{ fault: 'data' }] } });
    await until(async () =>
      expect((await getSweep(db, sweepId)).waitsFor).toEqual([
        'waits for another worker: The simulated trainer was told to have no data',
      ]),
    );
    await worker(db, { id: 'with' });
    await sweepEnded(db, sweepId);
    for (const attempt of await failed(db))
      expect(attempt).toEqual({
        worker_id: 'without',
        outcome: 'handed-back',
        error_code: 'DATASET_MISSING',
      });
    expect(await one(db, 'SELECT sum(failures)::int AS failures FROM stages')).toEqual({ failures: 0 });
    const { refusals, setAside } = await workerOf(db, 'without');
    expect(refusals.map(({ kind, lack }) => [kind, lack])).toContainEqual(['initialise', 'data']);
    expect(setAside).toBeNull();
    expect(await results(db)).toEqual(await reference());
  });

  it('a stage waits for a worker with its data set', async () => {
    const db = await openTestDatabase();
    const sweepId = await submit(db, {
      ...smallSweep,
      dataset: { name: 'mnist', train: 128, test: 20, attack: 10 },
    });
    await worker(db, { id: 'without', abilities: { datasets: [] } });
    await until(async () =>
      expect((await getSweep(db, sweepId)).waitsFor).toEqual(['waits for a worker with mnist']),
    );
    const mnist = { digest: datasets.mnist.digest, images: 1000, stamp: '' };
    await worker(db, { id: 'with', abilities: { datasets: [mnist] } });
    await sweepEnded(db, sweepId);
    expect(await failed(db)).toEqual([]);
    expect(await workerOf(db, 'with')).toMatchObject({ datasets: [{ name: 'mnist', images: 1000 }] });
  });

  it('a network that runs out of memory everywhere is tried once by each kind of worker, and fails', async () => {
    const db = await openTestDatabase();
    const large: SweepInput = {
      ...smallSweep,
      recipes: 'classic',
      space: { filters: '64-512', batchSize: 4096, classifierEpochs: 1 },
      attacks: ['fgsm'],
      seeds: 3,
    };
    const sweepId = await submit(db, large);
    const simulation = { faults: [{ fault: 'wasm', kind: 'initialise' }] } as const;
    const half = { trainerBytes: 2 ** 31 };
    await worker(db, { id: 'half', slots: 1, simulation, abilities: half });
    await worker(db, { id: 'other half', slots: 1, simulation, abilities: half });
    await until(async () => expect((await getSweep(db, sweepId)).status).toBe('failed'));
    const attempts = await failed(db);
    // Both may have begun before the first one was out of memory. Nobody tries the third.
    expect(attempts.length).toBeLessThanOrEqual(2);
    for (const { outcome, error_code } of attempts)
      expect([outcome, error_code]).toEqual(['handed-back', 'TRAINER_OUT_OF_MEMORY']);
    const { rows } = await db.pool.query(
      "SELECT failures, error_code, error_message FROM stages WHERE kind = 'initialise'",
    );
    expect(rows).toHaveLength(3);
    for (const row of rows)
      expect(row).toEqual({
        failures: 0,
        error_code: 'TRAINER_OUT_OF_MEMORY',
        error_message: expect.stringMatching(
          /No live worker has more memory, so the stage is not tried again\.$/,
        ),
      });
  });

  it('a worker that fails at everything spends one attempt of a stage at most, and is set aside', async () => {
    const db = await openTestDatabase();
    await worker(db, { id: 'good' });
    await worker(db, { id: 'broken', simulation: { faults: [{ fault: 'throw' }] } });
    // The good worker may run a whole sweep before the broken one has claimed three stages of it.
    for (let seed = 0; (await workerOf(db, 'broken')).setAside === null; seed += 4)
      await sweepEnded(db, await submit(db, { ...smallSweep, seeds: [seed, seed + 1, seed + 2, seed + 3] }));
    const { rows } = await db.pool.query(
      `SELECT stage_id FROM attempts WHERE outcome = 'failed' GROUP BY stage_id HAVING count(*) > 1`,
    );
    expect(rows).toEqual([]);
    const { setAside } = await workerOf(db, 'broken');
    expect(setAside!.failures).toBeGreaterThanOrEqual(3);
    expect(Date.parse(setAside!.probeAt) - Date.parse(setAside!.since)).toBe(300_000);
  });
});

describe('what a worker has', () => {
  it('the data sets of its machine, whole or an extract, with a stamp that changes with the files', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'funnel-abilities-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const generated = (['glyphs', 'glyphs-colour'] as const).map((name) => ({
      digest: datasets[name].digest,
      images: 60_000,
      stamp: '',
    }));
    expect(await availableDatasets({ dir, home: dir })).toEqual(generated);
    cpSync(fileURLToPath(new URL('../../../fixtures/data/mnist', import.meta.url)), path.join(dir, 'mnist'), {
      recursive: true,
    });
    const [mnist, ...rest] = await availableDatasets({ dir, home: dir });
    expect(rest).toEqual(generated);
    expect(mnist).toMatchObject({ digest: datasets.mnist.digest, images: 1000 });
    const file = path.join(dir, 'mnist', datasets.mnist.files[0]!.name);
    utimesSync(file, new Date(0), new Date(0));
    const [changed] = await availableDatasets({ dir, home: dir });
    expect(changed).toMatchObject({ digest: mnist!.digest, images: 1000 });
    expect(changed!.stamp).not.toBe(mnist!.stamp);
    rmSync(file);
    expect(await availableDatasets({ dir, home: dir })).toEqual(generated);
  });

  it('a share of the memory for each trainer, at most 4 GiB on wasm', () => {
    expect(trainerBytesOf('wasm', 4, 8 * 2 ** 30)).toBe(2 * 2 ** 30);
    expect(trainerBytesOf('wasm', 1, 8 * 2 ** 30)).toBe(4 * 2 ** 30);
    expect(trainerBytesOf('tensorflow', 1, 8 * 2 ** 30)).toBe(8 * 2 ** 30);
  });

  it.each([
    ['DATASET_MISSING', '', 0, 'data'],
    ['ENOSPC', '', 0, 'disk'],
    ['INTERNAL', "Kernel 'Einsum' not registered for backend 'webgpu'", 0, 'backend'],
    ['TRAINER_OUT_OF_MEMORY', '', 1, 'memory'],
    ['TRAINER_OUT_OF_MEMORY', '', 0, null],
    ['INTERNAL', 'a loss is not a number', 1, null],
  ])('%s %s with %i bytes: lacks %s', (code, message, bytes, lack) => {
    expect(lackOf({ code, message }, bytes)).toBe(lack);
  });
});

it('a real worker without MNIST takes no stage, and takes all when MNIST comes', async () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'funnel-abilities-'));
  onTestFinished(() => rmSync(dir, { recursive: true }));
  const db = await openTestDatabase();
  const tiny: SweepInput = {
    name: 'tiny',
    recipes: 'classic',
    dataset: { name: 'mnist', train: 64, test: 32, attack: 4 },
    space: { filters: '4', latent: 4, initialiseEpochs: 1, optimiseEpochs: 1, classifierEpochs: 1 },
    attacks: [{ attack: 'fgsm', search: false, epsilon: 0.1 }],
  };
  const sweepId = await submit(db, tiny, engineVersion);
  await worker(db, { slots: 1, backend: 'wasm', simulation: undefined, folders: { dir, home: dir } });
  await until(async () =>
    expect((await getSweep(db, sweepId)).waitsFor).toEqual(['waits for a worker with mnist']),
  );
  cpSync(fileURLToPath(new URL('../../../fixtures/data/mnist', import.meta.url)), path.join(dir, 'mnist'), {
    recursive: true,
  });
  await until(async () => expect((await getSweep(db, sweepId)).trials.waiting).toBeUndefined());
  await until(async () => expect((await getSweep(db, sweepId)).status).toMatch(/^completed|^failed/));
  for (const { outcome } of await failed(db)) expect(outcome).toBe('collapsed'); // so little training may collapse
}, 300_000);
