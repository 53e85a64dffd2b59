/** The status of a sweep says what is true: how its trials ended, and whether a stage still runs. */
import { describe, expect, test } from 'vitest';
import {
  cancelSweep,
  deleteSweep,
  endStage,
  failAttempt,
  getSweep,
  heartbeat,
  listSweeps,
  pauseSweep,
  reconcile,
  registerWorker,
  releaseStage,
  resumeSweep,
  retireWorker,
  retrySweep,
} from '../src/index.ts';
import { beat, leaseOf, options } from './support/attempts.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, finish, record } from './support/simulated-trainer.ts';
import { expectTime, submit } from './support/submit.ts';
import { query, wrongCounts } from './support/tables.ts';

shareDb();

const statusOf = async (id: string) => (await getSweep(db, id)).status;
const fail = { code: 'X', message: 'x', maxAttempts: 1 };

describe('a sweep whose trials have all ended', () => {
  test('has failed when every trial collapsed, diverged or failed', async () => {
    const { sweepId } = await submit(db, { seeds: [seed], space: { gamma: [1, 2, 3] } });
    await finish(db, (await claim(db))!);
    await endStage(db, { ...leaseOf((await claim(db))!), status: 'collapsed', message: 'x' });
    await endStage(db, { ...leaseOf((await claim(db))!), status: 'diverged', message: 'x' });
    expect(await statusOf(sweepId)).toBe('running');
    await failAttempt(db, { ...leaseOf((await claim(db))!), ...fail });
    const sweep = await getSweep(db, sweepId);
    expect(sweep).toMatchObject({ status: 'failed', progress: 0, etaSeconds: null });
    expect(sweep.finishedAt).not.toBeNull();
    const found = async (status: 'failed' | 'completed') =>
      (await listSweeps(db, { limit: 100, status })).items.map(({ id }) => id);
    expect(await found('failed')).toContain(sweepId);
    expect(await found('completed')).not.toContain(sweepId);
    expect(await wrongCounts(db)).toEqual([]);
    await retrySweep(db, sweepId);
    expect(await getSweep(db, sweepId)).toMatchObject({ status: 'running', finishedAt: null });
    await drain(db);
    expect(await getSweep(db, sweepId)).toMatchObject({
      status: 'completed-with-failures',
      progress: 1 / 3,
      trials: { completed: 1, collapsed: 1, diverged: 1 },
    });
    await deleteSweep(db, sweepId);
  });

  test('is complete only when every trial completed, also when another sweep makes its last result', async () => {
    const first = await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    await finish(db, (await claim(db))!);
    await failAttempt(db, { ...leaseOf((await claim(db))!), ...fail });
    await drain(db);
    const before = await getSweep(db, first.sweepId);
    expect(before).toMatchObject({ status: 'completed-with-failures', progress: 0.5 });
    await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    expect(await statusOf(first.sweepId)).toBe('completed-with-failures');
    await drain(db);
    expect(await getSweep(db, first.sweepId)).toMatchObject({
      status: 'completed',
      progress: 1,
      finishedAt: before.finishedAt,
    });
  });

  test('begins with its end when every result is known', async () => {
    const first = await submit(db, { seeds: [seed] });
    await finish(db, (await claim(db))!);
    await endStage(db, { ...leaseOf((await claim(db))!), status: 'collapsed', message: 'x' });
    const again = await submit(db, { seeds: [seed] });
    for (const { sweepId } of [first, again])
      expect(await getSweep(db, sweepId)).toMatchObject({ status: 'failed', progress: 0 });
  });

  test('does not count skipped attacks as done while it runs', async () => {
    const { sweepId } = await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    await finish(db, (await claim(db))!); // 2 epochs of 10, and 2 attacks
    await failAttempt(db, { ...leaseOf((await claim(db))!), ...fail });
    expect((await getSweep(db, sweepId)).progress).toBeCloseTo(2 / 12);
    await drain(db);
  });
});

describe('a sweep that is paused', () => {
  test('is pausing until its running stages have been released', async () => {
    const { sweepId } = await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    await pauseSweep(db, sweepId);
    expect(await statusOf(sweepId)).toBe('pausing');
    const { items } = await listSweeps(db, { limit: 1, status: 'paused' });
    expect(items).toMatchObject([{ id: sweepId, status: 'pausing' }]);
    await releaseStage(db, leaseOf(claimed));
    expect(await statusOf(sweepId)).toBe('paused');
    await resumeSweep(db, sweepId);
    expect(await statusOf(sweepId)).toBe('running');
  });

  test('is paused at once when another sweep goes on with its stage', async () => {
    const first = await submit(db, { seeds: [seed] });
    await submit(db, { seeds: [seed], space: { gamma: 7 } });
    await claim(db);
    await pauseSweep(db, first.sweepId);
    expect(await statusOf(first.sweepId)).toBe('paused');
    await cancelSweep(db, first.sweepId);
    expect(await statusOf(first.sweepId)).toBe('cancelled');
    await query(db, `UPDATE stages SET lease_until = now() - interval '1 s' WHERE status = 'running'`);
    await reconcile(db, options);
  });
});

describe('a sweep that is cancelled', () => {
  const registered = { host: 'h', pid: 1, version: '0', backend: 'b', device: 'd', slots: 1 };
  const running = async () => {
    const workerId = `worker ${seed}`;
    await registerWorker(db, { id: workerId, ...registered });
    const { sweepId } = await submit(db, { seeds: [seed] });
    const claimed = (await claim(db, workerId))!;
    await record(db, claimed, { epoch: 1, step: 0 });
    await cancelSweep(db, sweepId);
    return { workerId, sweepId, claimed };
  };

  test('is cancelling until its worker says that the trainer has stopped, and keeps its epochs', async () => {
    const { workerId, sweepId, claimed } = await running();
    expect(await getSweep(db, sweepId)).toMatchObject({ status: 'cancelling', epochsTrained: 1 });
    await beat(db, claimed); // the worker learns it
    expect(await statusOf(sweepId)).toBe('cancelling');
    const later = { workerId, leases: [], memoryBytes: null, leaseSeconds: 60 };
    await heartbeat(db, { ...later, stopping: [claimed.stageId] });
    expect(await statusOf(sweepId)).toBe('cancelling');
    await heartbeat(db, later);
    expect(await getSweep(db, sweepId)).toMatchObject({ status: 'cancelled', epochsTrained: 1 });
  });

  test('is cancelled when its worker is gone', async () => {
    const { workerId, sweepId } = await running();
    await reconcile(db, options);
    expect(await statusOf(sweepId)).toBe('cancelling');
    await retireWorker(db, { workerId, status: 'gone' });
    await reconcile(db, options);
    expect(await statusOf(sweepId)).toBe('cancelled');
  });
});

test('the remaining time leaves out the time in which no stage of the sweep ran', async () => {
  const submitted = await submit(db, { seeds: [seed], priority: 90 });
  const { sweepId } = submitted;
  await expectTime(db, submitted, { seconds: 42, attackSeconds: 6 });
  /** A round of the reconciler, as if the last one was this many seconds ago. */
  const round = async (seconds: number) => {
    await query(db, `UPDATE duties SET at = now() - make_interval(secs => $1) WHERE name = 'reconcile'`, [
      seconds,
    ]);
    await reconcile(db, options);
  };
  const active = async () => {
    const [row] = await query<{ n: number }>(
      db,
      `SELECT coalesce(sum(count), 0)::int AS n FROM sweep_counts WHERE sweep_id = $1 AND subject = 'active'`,
      [sweepId],
    );
    return row!.n / 1000;
  };
  const claimed = (await claim(db))!;
  await round(3);
  await record(db, claimed, { epoch: 1, step: 0 });
  await round(3);
  expect(await active()).toBeCloseTo(6, 0);
  // An epoch was to take 6 s, and one of six took 6 s. The attack still takes the 6 s of the plan.
  expect((await getSweep(db, sweepId)).etaSeconds).toBeCloseTo(36, -1);
  await releaseStage(db, leaseOf(claimed));
  for (let i = 0; i < 5; i++) await round(5);
  expect(await active()).toBeCloseTo(6, 0);
  await drain(db);
  expect(await getSweep(db, sweepId)).toMatchObject({ status: 'completed', etaSeconds: null });
  expect(await wrongCounts(db)).toEqual([]);
});
