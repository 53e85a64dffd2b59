/** Workers that fetch the images of a sweep from the service. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import {
  datasets,
  engineVersion,
  type StoredDefinition,
  SweepDefinition,
  type SweepInput,
  storedDefinition,
  usualBudgets,
} from '@funnel/contracts';
import { type Db, getDataset, getSweep, listWorkers, storeDataset, submitSweep } from '@funnel/db';
import { makeDataset } from '@funnel/db/testing';
import { findDataset } from '@funnel/engine';
import { buildPlan, outlineSweep } from '@funnel/planner';
import { expect, it, onTestFinished } from 'vitest';
import { openTestDatabase, until, worker } from './fixtures.ts';

/** Images of an odd size in three classes. */
const made = makeDataset({ name: 'pets', shape: [6, 9, 2], train: 64, test: 20 });

const tiny: SweepInput = {
  name: 'tiny',
  recipes: 'classic',
  dataset: { name: 'pets', attack: 4 },
  space: { filters: '4', latent: 4, initialiseEpochs: 1, optimiseEpochs: 1, classifierEpochs: 1 },
  attacks: [{ attack: 'fgsm', search: false, epsilon: 0.1 }],
};

const submit = async (db: Db, definition: StoredDefinition): Promise<string> => {
  const outline = outlineSweep(definition, engineVersion);
  const { sweepId } = await submitSweep(db, {
    definition,
    stages: outline.stages,
    buildPlan: (known) => buildPlan(outline, known),
  });
  return sweepId;
};

/** Puts the data set into the service, and submits a sweep on it. */
const submitOnPets = async (db: Db): Promise<string> => {
  const { content, name } = made.upload;
  const digest = await storeDataset(db, { name, content, owner: 'local' }, Readable.from([made.bytes]));
  expect(digest).toBe(made.upload.digest);
  const budgets = usualBudgets(content.shape);
  return submit(db, storedDefinition(SweepDefinition.parse(tiny), { ...content, digest, budgets }));
};

const folder = (): string => {
  const made = mkdtempSync(path.join(tmpdir(), 'funnel-fetch-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
};

const real = { slots: 1, backend: 'wasm', simulation: undefined } as const;

const outcomes = async (db: Db) =>
  (await db.pool.query('SELECT DISTINCT worker_id, outcome, error_code FROM attempts ORDER BY 1, 2')).rows;

it('a worker with an empty disk fetches the data set and runs the sweep', async () => {
  const db = await openTestDatabase();
  const sweepId = await submitOnPets(db);
  const home = folder();
  await worker(db, { ...real, id: 'empty', folders: { dir: null, home } });
  await until(async () => expect((await getSweep(db, sweepId)).status).toMatch(/^completed|^failed/));
  for (const { outcome } of await outcomes(db)) expect(outcome).toMatch(/^(completed|collapsed)$/); // so little training may collapse
  expect(readdirSync(path.join(home, 'cache', 'datasets'))).toEqual([`${made.upload.digest}.bin`]);
  await until(async () => {
    const [found] = await listWorkers(db);
    expect(found!.datasets).toContainEqual(expect.objectContaining({ images: 64 }));
  });
}, 300_000);

it('a worker that cannot keep the data set takes none of its stages, says so, and costs no attempt', async () => {
  const db = await openTestDatabase();
  const sweepId = await submitOnPets(db);
  const file = path.join(folder(), 'file');
  writeFileSync(file, ''); // no folder can be made below a file
  await worker(db, { ...real, id: 'without', folders: { dir: null, home: file } });
  await until(async () =>
    expect((await getSweep(db, sweepId)).waitsFor).toEqual([
      expect.stringMatching(
        /^waits for another worker: Expected pets on this machine or from the service\. .*ENOTDIR/,
      ),
    ]),
  );
  await worker(db, { ...real, id: 'with', folders: { dir: null, home: folder() } });
  await until(async () => expect((await getSweep(db, sweepId)).status).toMatch(/^completed|^failed/));
  const of = (id: string, rows: Awaited<ReturnType<typeof outcomes>>) =>
    rows.filter((row) => row.worker_id === id);
  const rows = await outcomes(db);
  expect(of('without', rows)).toEqual([
    { worker_id: 'without', outcome: 'handed-back', error_code: 'DATASET_MISSING' },
  ]);
  expect(of('with', rows).length).toBeGreaterThan(0);
  const { rows: failures } = await db.pool.query('SELECT sum(failures)::int AS failures FROM stages');
  expect(failures).toEqual([{ failures: 0 }]);
}, 300_000);

const whole = { dir: process.env.FUNNEL_DATA ?? null };

it.skipIf(findDataset('mnist', whole) === null)(
  'a worker with MNIST puts it into the service, so that one with an empty disk can run the stages',
  async () => {
    const db = await openTestDatabase();
    // Of another version, it runs no stage itself.
    await worker(db, { ...real, id: 'has', folders: whole, abilities: { engineVersion: 'another' } });
    const home = folder();
    await worker(db, { ...real, id: 'lacks', folders: { dir: null, home } });
    // More images than the extract has.
    const dataset = { name: 'mnist', train: 1100, test: 20, attack: 4 };
    const sweepId = await submit(db, storedDefinition(SweepDefinition.parse({ ...tiny, dataset })));
    await until(
      async () => expect((await getSweep(db, sweepId)).status).toMatch(/^completed|^failed/),
      280_000,
    );
    for (const { worker_id, error_code } of await outcomes(db))
      expect([worker_id, error_code]).toEqual(['lacks', null]);
    expect(readdirSync(path.join(home, 'cache', 'datasets'))).toEqual([`${datasets.mnist.content}.bin`]);
    expect(await getDataset(db, 'mnist')).toMatchObject({ isStored: true, owner: 'worker' });
    expect((await db.pool.query('SELECT action FROM audit_log')).rows).toEqual([]); // no user changed anything
  },
  300_000,
);
