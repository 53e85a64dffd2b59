/** Workers take the stages that they can run, hand back the others, and are set aside when only they fail. */
import { datasets, type SweepInput } from '@funnel/contracts';
import { beforeEach, describe, expect, test } from 'vitest';
import {
  type Abilities,
  announceAbilities,
  type ClaimedStage,
  endStage,
  failAttempt,
  getStage,
  getSweep,
  getWorker,
  handBackStage,
  listStages,
  reconcile,
  registerWorker,
  releaseStage,
  restoreWorker,
  retireWorker,
  retrySweep,
} from '../src/index.ts';
import { leaseOf, options, stageRow } from './support/attempts.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, wrongCounts } from './support/tables.ts';

shareDb();
beforeEach(async () => {
  await query(db, 'DELETE FROM workers');
});

const glyphs = { digest: datasets.glyphs.digest, images: 60_000, stamp: '' };
const mnist = { digest: datasets.mnist.digest, images: 60_000, stamp: '' };
const gigabyte = 2 ** 30;

const register = (id: string, abilities: Partial<Abilities> = {}) =>
  registerWorker(db, {
    id,
    ...{ host: 'here', pid: 1, version: '0', backend: 'wasm', device: 'cpu', slots: 1 },
    abilities: { engineVersion: 'engine-1', trainerBytes: gigabyte, datasets: [glyphs, mnist], ...abilities },
  });

const onMnist = { dataset: { name: 'mnist', train: 2000, test: 20, attack: 4 } } as const;
/** A batch alone has 1.2 GiB. */
const large: Partial<SweepInput> = { recipes: ['classic'], space: { filters: '64-512', batchSize: 4096 } };

const refuse = (claimed: ClaimedStage, lack: 'data' | 'memory' | 'backend', message = 'it lacks it') =>
  handBackStage(db, { ...leaseOf(claimed), lack, code: 'CODE', message });
const fail = (claimed: ClaimedStage) =>
  failAttempt(db, { ...leaseOf(claimed), code: 'X', message: 'x', maxAttempts: 3 });
/** Ends the pauses after failures. */
const passTime = () => query(db, 'UPDATE stages SET ready_at = now()');
/** Releases the running stages, and finishes everything. */
const finishAll = async () => {
  const running = await query<{ id: string; fencing_token: number }>(
    db,
    `SELECT id, fencing_token FROM stages WHERE status = 'running'`,
  );
  for (const { id, fencing_token } of running)
    await releaseStage(db, { stageId: id, fencingToken: fencing_token });
  await passTime();
  await drain(db);
};
const outcomes = async (workerId: string) => {
  const rows = await query<{ outcome: string }>(
    db,
    'SELECT outcome FROM attempts WHERE worker_id = $1 ORDER BY started_at',
    [workerId],
  );
  return rows.map((row) => row.outcome);
};

describe('a worker', () => {
  test('claims only stages whose data it has, with enough images', async () => {
    const whole = await submit(db, { ...onMnist, seeds: [seed], priority: 90 });
    const part = await submit(db, { dataset: { ...onMnist.dataset, train: 1000 }, seeds: [seed] });
    await register('none', { datasets: [] });
    expect(await claim(db, 'none')).toBeNull();
    expect((await getSweep(db, whole.sweepId)).waitsFor).toEqual(['waits for a worker with mnist']);
    const { items } = await listStages(db, { sweepId: whole.sweepId, limit: 9 });
    expect(items.map(({ status, waitsFor }) => [status, waitsFor])).toEqual([
      ['ready', 'waits for a worker with mnist'],
      ...Array(3).fill(['waiting', null]),
    ]);
    await register('extract', { datasets: [{ ...mnist, images: 1000 }] });
    const claimed = (await claim(db, 'extract'))!;
    expect(claimed.sweepIds).toEqual([part.sweepId]);
    await register('whole');
    expect((await getSweep(db, whole.sweepId)).waitsFor).toEqual([]);
    expect((await claim(db, 'whole'))!.sweepIds).toEqual([whole.sweepId]);
    await finishAll();
  });

  test('claims only stages for which its memory and its engine suffice, and still in order', async () => {
    const { sweepId } = await submit(db, { ...large, seeds: [seed] });
    const { sweepId: small } = await submit(db, { seeds: [seed] });
    await register('small', { trainerBytes: gigabyte / 4 });
    await register('old', { engineVersion: 'engine-0', trainerBytes: 64 * gigabyte });
    expect((await claim(db, 'small'))!.sweepIds).toEqual([small]);
    expect(await claim(db, 'small')).toBeNull();
    expect(await claim(db, 'old')).toBeNull();
    expect((await getSweep(db, sweepId)).waitsFor).toEqual([
      expect.stringMatching(
        /^waits for another worker|^waits for a worker with .* GiB of memory for each trainer; the largest has/,
      ),
    ]);
    await retireWorker(db, { workerId: 'old', status: 'gone' });
    expect((await getSweep(db, sweepId)).waitsFor).toEqual([
      'waits for a worker with 1.19 GiB of memory for each trainer; the largest has 256 MiB',
    ]);
    await register('large', { trainerBytes: 2 * gigabyte });
    expect((await claim(db, 'large'))!.sweepIds).toEqual([sweepId]);
    await finishAll();
  });

  test('gets the first stage of a sweep, whatever the needs of the stages are', async () => {
    const space = { filters: ['32-64', '64-512'], batchSize: 4096 };
    const { sweepId } = await submit(db, { recipes: ['classic'], seeds: [seed, seed + 1000], space });
    await register('all', { trainerBytes: 8 * gigabyte });
    const order: string[] = [];
    for (let next = await claim(db, 'all'); next; next = await claim(db, 'all')) order.push(next.stageId);
    const { items } = await listStages(db, { sweepId, limit: 99 });
    expect(order).toHaveLength(4);
    expect(order).toEqual(items.map(({ id }) => id).filter((id) => order.includes(id)));
    await finishAll();
  });
});

describe('a stage that is handed back', () => {
  test('costs no attempt, and its like is not given to the worker until the data change', async () => {
    const { sweepId } = await submit(db, { ...onMnist, seeds: [seed, seed + 1000] });
    await register('broken');
    const claimed = (await claim(db, 'broken'))!;
    await refuse(claimed, 'data', 'train-images is corrupt');
    expect(await outcomes('broken')).toEqual(['handed-back']);
    expect(await stageRow(db, claimed.stageId)).toMatchObject({ status: 'ready', failures: 0, expiries: 0 });
    expect(await claim(db, 'broken')).toBeNull();
    await expect(refuse(claimed, 'data')).resolves.toBeUndefined(); // as after a lost answer
    expect(await getWorker(db, 'broken')).toMatchObject({
      datasets: [{ name: 'glyphs' }, { name: 'mnist', images: 60_000 }],
      refusals: [
        {
          kind: 'initialise',
          method: 'funn',
          dataset: 'mnist',
          lack: 'data',
          reason: 'train-images is corrupt',
        },
      ],
    });
    expect(await getStage(db, claimed.stageId)).toMatchObject({
      error: { code: 'CODE', message: 'train-images is corrupt' },
      waitsFor: 'waits for another worker: train-images is corrupt',
    });
    await announceAbilities(db, 'broken', {
      ...{ engineVersion: 'engine-1', trainerBytes: gigabyte },
      datasets: [glyphs, { ...mnist, stamp: 'mended' }],
    });
    const again = (await claim(db, 'broken'))!;
    expect(again).toMatchObject({ stageId: claimed.stageId, attempt: 1 });
    await finish(db, again);
    await drain(db, 'broken');
    expect((await getSweep(db, sweepId)).status).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('goes to a worker with more memory, and fails when it runs out of memory on every live worker', async () => {
    const { sweepId } = await submit(db, { ...large, seeds: [seed, seed + 1000, seed + 2000] });
    await register('half', { trainerBytes: 1.5 * gigabyte });
    await register('same', { trainerBytes: 1.5 * gigabyte });
    await register('more', { trainerBytes: 3 * gigabyte });
    const first = (await claim(db, 'half'))!;
    await refuse(first, 'memory', 'It ran out of memory.');
    expect(await claim(db, 'half')).toBeNull();
    expect(await claim(db, 'same')).toBeNull();
    const second = (await claim(db, 'more'))!;
    expect(second).toMatchObject({ stageId: first.stageId, attempt: 1 });
    await refuse(second, 'memory', 'It ran out of memory.');
    const failed = {
      status: 'failed',
      error: {
        message: 'It ran out of memory. No live worker has more memory, so the stage is not tried again.',
      },
    };
    expect(await getStage(db, first.stageId)).toMatchObject(failed);
    expect((await getSweep(db, sweepId)).status).toBe('running');
    await reconcile(db, options);
    const { items } = await listStages(db, { sweepId, limit: 99 });
    const training = items.filter(({ kind }) => kind === 'initialise');
    expect(training.map(({ status, attempts }) => [status, attempts]).sort()).toEqual([
      ['failed', 0],
      ['failed', 0],
      ['failed', 2],
    ]);
    for (const stage of training)
      expect(stage.error).toMatchObject({ code: stage.attempts === 2 ? 'CODE' : 'TRAINER_OUT_OF_MEMORY' });
    expect((await getSweep(db, sweepId)).status).toBe('failed');
    expect(await wrongCounts(db)).toEqual([]);
    await retrySweep(db, sweepId);
    await drain(db, 'half');
    expect((await getSweep(db, sweepId)).status).toBe('completed');
  });

  test('waits while a worker with more memory lacks only the data', async () => {
    await submit(db, { ...onMnist, ...large, seeds: [seed] });
    await register('small', { trainerBytes: 1.5 * gigabyte });
    await register('rich', { trainerBytes: 8 * gigabyte, datasets: [] });
    const claimed = (await claim(db, 'small'))!;
    await refuse(claimed, 'memory');
    await reconcile(db, options);
    expect(await stageRow(db, claimed.stageId)).toMatchObject({ status: 'ready', failures: 0 });
    await drain(db);
  });
});

describe('a worker that fails at stages that others complete', () => {
  /** The broken worker fails at three stages of two chains, which a good worker then completes. */
  const breakWorker = async (seeds: number[]) => {
    const submitted = await submit(db, { seeds });
    await register('broken');
    await register('good');
    const failed: string[] = [];
    for (let i = 0; i < 3; i++) {
      const claimed = (await claim(db, 'broken'))!;
      await fail(claimed);
      failed.push(claimed.stageId);
    }
    await reconcile(db, options);
    expect((await getWorker(db, 'broken')).setAside).toBeNull(); // perhaps the stages are at fault
    await passTime();
    /** A good worker completes this many of the failed stages. */
    const complete = async (count: number) => {
      for (let left = count; left > 0; ) {
        const claimed = (await claim(db, 'good'))!;
        await finish(db, claimed);
        if (failed.includes(claimed.stageId)) left -= 1;
      }
    };
    return { ...submitted, complete };
  };
  const seeds = () => [seed, seed + 1000, seed + 2000, seed + 3000];

  test('gets no stage twice while another could try it', async () => {
    await breakWorker(seeds());
    const fourth = (await claim(db, 'broken'))!;
    await releaseStage(db, leaseOf(fourth));
    for (let i = 0; i < 3; i++) {
      const claimed = (await claim(db, 'broken'))!;
      expect(claimed).toMatchObject({ stageId: fourth.stageId, attempt: 1 });
      await releaseStage(db, leaseOf(claimed));
    }
    await retireWorker(db, { workerId: 'good', status: 'gone' });
    expect((await claim(db, 'broken'))!.attempt).toBe(2); // nobody else is there
    await finishAll();
  });

  test('is set aside, gets one probe every five minutes, and comes back with a result', async () => {
    const { complete } = await breakWorker(seeds());
    await complete(1);
    await reconcile(db, options);
    expect((await getWorker(db, 'broken')).setAside).toBeNull(); // one chain
    await complete(1);
    await reconcile(db, options);
    expect(await getWorker(db, 'broken')).toMatchObject({ status: 'online', setAside: { failures: 3 } });
    expect(await claim(db, 'broken')).toBeNull();
    const probeDue = () => query(db, 'UPDATE workers SET probe_at = now()');
    await probeDue();
    const probe = (await claim(db, 'broken'))!;
    expect(probe.attempt).toBe(1);
    expect(await claim(db, 'broken')).toBeNull();
    await fail(probe);
    expect(await claim(db, 'broken')).toBeNull();
    await probeDue();
    await finish(db, (await claim(db, 'broken'))!);
    expect((await getWorker(db, 'broken')).setAside).toBeNull();
    expect(await claim(db, 'broken')).not.toBeNull();
    await finishAll();
  });

  test('works while no other worker is there, and after an operator restored it', async () => {
    const { complete } = await breakWorker(seeds());
    await complete(2);
    await reconcile(db, options);
    expect(await claim(db, 'broken')).toBeNull();
    await retireWorker(db, { workerId: 'good', status: 'draining' });
    const alone = (await claim(db, 'broken'))!;
    await releaseStage(db, leaseOf(alone));
    await register('good');
    expect(await claim(db, 'broken')).toBeNull();
    await restoreWorker(db, 'broken');
    expect(await getWorker(db, 'broken')).toMatchObject({ setAside: null });
    expect(await claim(db, 'broken')).not.toBeNull();
    await expect(restoreWorker(db, 'nobody')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await finishAll();
  });

  test('is not set aside after a result, or when the others diverge or fail too', async () => {
    await breakWorker(seeds());
    for (let i = 0; i < 2; i++) {
      const claimed = (await claim(db, 'good'))!;
      if (i === 0) await fail(claimed);
      else await endStage(db, { ...leaseOf(claimed), status: 'diverged', message: 'x' });
    }
    await reconcile(db, options);
    expect((await getWorker(db, 'broken')).setAside).toBeNull();
    await passTime();
    await drain(db);
  });
});
