/** Data sets that stages need: who waits for them, who is asked for them, and when they go. */
import {
  datasets,
  RetentionPolicy,
  SweepDefinition,
  type SweepInput,
  storedDefinition,
} from '@funnel/contracts';
import { describe, expect, test } from 'vitest';
import {
  collectGarbage,
  getWorker,
  registerWorker,
  releaseStage,
  removeDataset,
  submitSweep,
  wantedDatasets,
} from '../src/index.ts';
import { type MadeDataset, makeDataset } from '../src/testing/index.ts';
import { leaseOf } from './support/attempts.ts';
import { bring, shareDatasets } from './support/datasets.ts';
import { db } from './support/shared-db.ts';
import { claim, drain } from './support/simulated-trainer.ts';
import { prepared } from './support/submit.ts';
import { query } from './support/tables.ts';

shareDatasets();

/** Submits a sweep on a data set of a user. */
const submitOn = async ({ upload }: MadeDataset, input: Partial<SweepInput> = {}) => {
  const definition = storedDefinition(
    SweepDefinition.parse({
      ...{ name: 'on pets', dataset: { name: 'pets' }, attacks: ['fgsm'] },
      space: { initialiseEpochs: 1, optimiseEpochs: 1, classifierEpochs: 1 },
      ...input,
    }),
    { ...upload.content, digest: upload.digest, budgets: { linf: 0.1, l2: 1 } },
  );
  return (await submitSweep(db, prepared(definition))).sweepId;
};

const register = (id: string, images: readonly string[]) =>
  registerWorker(db, {
    id,
    ...{ host: 'here', pid: 1, version: '0', backend: 'wasm', device: 'cpu', slots: 1 },
    abilities: {
      engineVersion: 'engine-1',
      trainerBytes: 2 ** 30,
      datasets: images.map((digest) => ({ digest, images: 1, stamp: '' })),
    },
  });

describe('a stage', () => {
  test('waits for a worker that has the images, or for the service to have them', async () => {
    const made = makeDataset({ salt: 7 });
    await submitOn(made);
    await register('without', []);
    await register('with', [made.upload.digest]);
    expect(await claim(db, 'without')).toBeNull();
    const claimed = (await claim(db, 'with'))!;
    expect(claimed.spec.dataset.content?.digest).toBe(made.upload.digest);
    await releaseStage(db, leaseOf(claimed));
    await bring({ salt: 7 });
    expect(await claim(db, 'without')).toMatchObject({ stageId: claimed.stageId });
    expect((await getWorker(db, 'with')).datasets).toEqual([{ name: 'pets', images: 1 }]);
  });
});

describe('a data set is wanted', () => {
  test('while a ready stage needs it, a live worker lacks it, and the service does not have it', async () => {
    const made = makeDataset({ salt: 21 });
    const { digest } = made.upload;
    const wanted = () => wantedDatasets(db, [digest, datasets.mnist.digest]);
    await register('with', [digest]);
    await register('without', []);
    expect(await wanted()).toEqual([]);
    const sweepId = await submitOn(made, { seeds: [21] });
    expect(await wanted()).toEqual([digest]);
    expect(await wantedDatasets(db, [])).toEqual([]);
    await query(db, `UPDATE workers SET status = 'gone' WHERE id = 'without'`);
    expect(await wanted()).toEqual([]);
    await query(db, `UPDATE workers SET status = 'online' WHERE id = 'without'`);
    await bring({ salt: 21 });
    expect(await wanted()).toEqual([]);
    await removeDataset(db, 'pets', { owner: 'ann' });
    await query(db, 'DELETE FROM datasets');
    expect(await wanted()).toEqual([digest]);
    await query(db, `UPDATE sweeps SET status = 'paused' WHERE id = $1`, [sweepId]);
    expect(await wanted()).toEqual([]);
  });
});

describe('a collection of garbage', () => {
  const collect = (keepDays: number, dryRun = false) =>
    collectGarbage(db, RetentionPolicy.parse({ keepDays, keepBest: 0 }), { dryRun });
  const passTime = () => query(db, `UPDATE datasets SET asked_at = now() - interval '1 hour'`);

  test('frees a data set without a name that no kept trial needs', async () => {
    const made = await bring({ salt: 3 });
    const bytes = made.bytes.length;
    await submitOn(made, { seeds: [11] });
    await removeDataset(db, 'pets', { owner: 'ann' });
    await passTime();
    expect(await collect(0)).toMatchObject({ datasets: 0 }); // the sweep runs
    await drain(db);
    expect(await collect(30)).toMatchObject({ datasets: 0 }); // its trial is kept
    expect(await collect(0, true)).toMatchObject({ datasets: 1 });
    const { bytes: freed, datasets: count } = await collect(0);
    expect([count, freed >= bytes]).toEqual([1, true]);
    expect(await query(db, 'SELECT FROM dataset_chunks')).toHaveLength(0);
  });

  test('keeps a data set with a name, and one whose name was removed a moment ago', async () => {
    await bring({ salt: 4 });
    await passTime();
    expect(await collect(0)).toMatchObject({ datasets: 0 });
    await removeDataset(db, 'pets', { owner: 'ann' });
    expect(await collect(0)).toMatchObject({ datasets: 0 });
    await passTime();
    expect(await collect(0)).toMatchObject({ datasets: 1 });
  });
});
