/** Operations on sweeps with more stages than one batch. The tests count the rows that a request changes. */
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  cancelSweep,
  continueActions,
  continuePropagation,
  deleteSweep,
  failAttempt,
  getSweep,
  pauseSweep,
  reconcile,
  resumeSweep,
  retrySweep,
} from '../src/index.ts';
import { holdStructure } from '../src/testing/index.ts';
import { beat, leaseOf, options } from './support/attempts.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, stageCounts, sweepStatus, trialStatuses, wrongCounts } from './support/tables.ts';

shareDb();

/** 700 trials with 2,101 stages: a request changes 2,000 of them. */
const large = (name: string) => ({
  name,
  seeds: [seed],
  space: { gamma: { min: 1, max: 64, count: 700 } },
});
const batch = 2000;

const untilDone = async (): Promise<void> => {
  while (await continueActions(db));
};

/** The number of stages of the sweep for which the condition holds. */
const countStages = async (sweepId: string, condition: string): Promise<number> => {
  const [row] = await query<{ n: number }>(
    db,
    `SELECT count(*)::int AS n FROM sweep_stages l JOIN stages s ON s.id = l.stage_id WHERE l.sweep_id = $1 AND ${condition}`,
    [sweepId],
  );
  return row!.n;
};

/** The lock is released at the end of the test at the latest. */
const holdForTest = async (): Promise<() => Promise<void>> => {
  const release = await holdStructure(db);
  onTestFinished(release);
  return release;
};

describe('a large sweep', () => {
  test('is cancelled in batches: the request changes one batch, and stops what runs', async () => {
    const { sweepId } = await submit(db, large('cancel'));
    const claimed = (await claim(db))!;
    await cancelSweep(db, sweepId);
    expect(await beat(db, claimed)).toMatchObject({ stop: [{ reason: 'cancel' }] });
    expect(await countStages(sweepId, "s.status = 'cancelled'")).toBeLessThanOrEqual(batch + 1);
    expect(await claim(db)).toBeNull();
    const going = await getSweep(db, sweepId);
    expect(going.status).toBe('cancelling');
    expect(going.action).toEqual({ name: 'cancel', done: batch, total: 2101 });
    await query(db, `DELETE FROM duties WHERE name = 'repair'`);
    expect(await reconcile(db, options)).toMatchObject({ repaired: 0 });
    await untilDone();
    expect(await countStages(sweepId, "s.status <> 'cancelled'")).toBe(0);
    expect(new Set(await trialStatuses(db, sweepId))).toEqual(new Set(['cancelled']));
    expect((await getSweep(db, sweepId)).action).toBeNull();
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('is paused and resumed in batches, and loses no stage', async () => {
    const { sweepId } = await submit(db, large('pause'));
    const claimed = (await claim(db))!;
    await pauseSweep(db, sweepId);
    expect(await beat(db, claimed)).toMatchObject({ stop: [{ reason: 'pause' }] });
    expect(await countStages(sweepId, 's.sweep_id IS NULL')).toBeLessThanOrEqual(batch);
    expect((await getSweep(db, sweepId)).status).toBe('pausing');
    await resumeSweep(db, sweepId); // replaces the rest of the pause
    expect((await getSweep(db, sweepId)).action).toEqual({ name: 'resume', done: batch, total: 2101 });
    await untilDone();
    expect(await countStages(sweepId, 's.sweep_id IS DISTINCT FROM l.sweep_id')).toBe(0);
    await pauseSweep(db, sweepId);
    await untilDone();
    expect(await countStages(sweepId, 's.sweep_id IS NOT NULL')).toBe(0);
    await cancelSweep(db, sweepId);
    await untilDone();
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('is deleted in batches after its cancellation, with everything that only it needed', async () => {
    const { sweepId } = await submit(db, large('delete'));
    await cancelSweep(db, sweepId);
    await deleteSweep(db, sweepId);
    expect(await getSweep(db, sweepId)).toMatchObject({ status: 'deleting', action: { name: 'delete' } });
    await expect(retrySweep(db, sweepId)).rejects.toMatchObject({ code: 'INVALID_TRANSITION' });
    await expect(deleteSweep(db, sweepId)).rejects.toMatchObject({ message: /being deleted/ });
    await untilDone();
    const tables = [
      'sweeps WHERE id = $1',
      'trials WHERE sweep_id = $1',
      'sweep_stages WHERE sweep_id = $1',
      'configuration_hyperparameters WHERE sweep_id = $1',
      "trial_stages WHERE trial_id LIKE $1 || '-%'",
      'stages WHERE planned_by = $1',
      'sweep_actions WHERE sweep_id = $1',
    ];
    for (const table of tables)
      expect([table, await query(db, `SELECT count(*)::int AS n FROM ${table}`, [sweepId])]).toEqual([
        table,
        [{ n: 0 }],
      ]);
  });
});

describe('a large sweep that failed', () => {
  const submitFailed = async (): Promise<string> => {
    const { sweepId } = await submit(db, large('retry'));
    onTestFinished(async () => {
      await cancelSweep(db, sweepId).catch(() => {}); // it may have ended
      await untilDone();
    });
    await failAttempt(db, { ...leaseOf((await claim(db))!), code: 'X', message: 'x', maxAttempts: 1 });
    while (await continuePropagation(db));
    expect(await sweepStatus(db, sweepId)).toBe('failed');
    return sweepId;
  };
  const notReopened = "s.status IN ('failed', 'skipped')";

  test('is retried in batches: the request changes one batch, and stages start at once', async () => {
    const sweepId = await submitFailed();
    await retrySweep(db, sweepId);
    expect(new Set(await trialStatuses(db, sweepId))).toEqual(new Set(['failed'])); // they follow in batches
    expect(await getSweep(db, sweepId)).toMatchObject({
      status: 'retrying',
      action: { name: 'retry', done: batch, total: 2801 },
    });
    await finish(db, (await claim(db))!);
    await pauseSweep(db, sweepId); // the retry goes on
    await untilDone();
    while (await continuePropagation(db));
    expect(await getSweep(db, sweepId)).toMatchObject({ status: 'paused', action: null });
    expect(await countStages(sweepId, notReopened)).toBe(0);
    expect(await stageCounts(db, sweepId)).toMatchObject({
      'initialise:completed': 1,
      'optimise:ready': 700,
    });
    expect(new Set(await trialStatuses(db, sweepId))).toEqual(new Set(['waiting']));
    expect(await countStages(sweepId, "s.sweep_id IS NOT NULL AND s.status <> 'completed'")).toBe(0);
    await cancelSweep(db, sweepId);
    await untilDone();
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('fails again if its stage fails again while the retry goes on', async () => {
    const sweepId = await submitFailed();
    await retrySweep(db, sweepId);
    await failAttempt(db, { ...leaseOf((await claim(db))!), code: 'Y', message: 'y', maxAttempts: 1 });
    while (await continuePropagation(db));
    expect(await sweepStatus(db, sweepId)).toBe('running');
    await untilDone();
    while (await continuePropagation(db));
    expect(await sweepStatus(db, sweepId)).toBe('failed');
    expect(await countStages(sweepId, `NOT (${notReopened})`)).toBe(0);
    expect(new Set(await trialStatuses(db, sweepId))).toEqual(new Set(['failed']));
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('has its stages retried in another live sweep too', async () => {
    const { sweepId: live } = await submit(db, { seeds: [seed, seed + 500], space: { gamma: [1, 64] } });
    const sweepId = await submitFailed();
    await retrySweep(db, sweepId);
    await untilDone();
    while (await continuePropagation(db));
    expect(await countStages(live, notReopened)).toBe(0);
    for (const id of [sweepId, live]) await cancelSweep(db, id);
    await untilDone();
    expect(await wrongCounts(db)).toEqual([]);
  });
});

describe('while a large submission is being written', () => {
  test('pause, cancel and delete answer at once, and nothing starts any more', async () => {
    const sweeps = [await submit(db, { seeds: [seed] }), await submit(db, { seeds: [seed + 500] })];
    const [paused, cancelled] = sweeps.map(({ sweepId }) => sweepId) as [string, string];
    const release = await holdForTest();
    await pauseSweep(db, paused);
    await cancelSweep(db, cancelled);
    await deleteSweep(db, cancelled);
    expect(await claim(db)).toBeNull();
    expect(await getSweep(db, paused)).toMatchObject({ status: 'pausing', action: { done: 0 } });
    expect(await getSweep(db, cancelled)).toMatchObject({ status: 'deleting' });
    expect(await continueActions(db)).toBe(false);
    await release();
    await untilDone();
    expect(await getSweep(db, paused)).toMatchObject({ status: 'paused', action: null });
    expect(await sweepStatus(db, cancelled)).toBeUndefined();
    await resumeSweep(db, paused);
    await drain(db);
    expect(await sweepStatus(db, paused)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('a retry answers at once, and is done afterwards', async () => {
    const { sweepId } = await submit(db, { seeds: [seed] });
    await failAttempt(db, { ...leaseOf((await claim(db))!), code: 'X', message: 'x', maxAttempts: 1 });
    const release = await holdForTest();
    await retrySweep(db, sweepId);
    expect(await getSweep(db, sweepId)).toMatchObject({ status: 'retrying', action: { done: 0 } });
    expect(await claim(db)).toBeNull();
    await release();
    await untilDone();
    await drain(db);
    expect(await sweepStatus(db, sweepId)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });
});

describe('a sweep that is submitted in the middle of a cancellation', () => {
  test('gets the stages that both need', async () => {
    const { sweepId } = await submit(db, large('doomed'));
    await cancelSweep(db, sweepId);
    const next = await submit(db, { seeds: [seed], space: { gamma: [1, 64] } });
    await untilDone();
    await drain(db);
    expect(await trialStatuses(db, next.sweepId)).toEqual(['completed', 'completed']);
    expect(await countStages(sweepId, "s.status = 'completed'")).toBe(7);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('reopens a cancelled stage for which one of its own stages waits', async () => {
    // The first batch ends between the stage of nine epochs of this γ and those of six and three, for which it waits.
    const gammas = Array.from({ length: 350 }, (_, i) => 1 + i / 8);
    const gamma = gammas[183]!;
    const attacks = ['fgsm', 'gradient'] as const;
    const input = { name: 'waits', seeds: [seed], attacks: [...attacks] };
    const { sweepId } = await submit(db, { ...input, space: { optimiseEpochs: [9, 6, 3], gamma: gammas } });
    await cancelSweep(db, sweepId);
    const stages = () =>
      query(
        db,
        `SELECT epochs, status FROM stages WHERE kind = 'optimise' AND planned_by = $1 AND (hyperparameters ->> 'gamma')::float8 = $2 ORDER BY 1`,
        [sweepId, gamma],
      );
    expect(await stages()).toMatchObject([
      { epochs: 3, status: 'cancelled' },
      { epochs: 6, status: 'cancelled' },
      { epochs: 9, status: 'waiting' },
    ]);
    const next = await submit(db, { ...input, space: { optimiseEpochs: 9, gamma } });
    await untilDone();
    await drain(db);
    expect(await trialStatuses(db, next.sweepId)).toEqual(['completed']);
    expect(await wrongCounts(db)).toEqual([]);
  });
});

test('a stage of a cancelled sweep that ends while the cancellation goes on keeps its result', async () => {
  const { sweepId } = await submit(db, large('one'));
  const other = await submit(db, { seeds: [seed], space: { gamma: 1 } });
  const claimed = (await claim(db))!;
  await cancelSweep(db, sweepId);
  await finish(db, claimed);
  await untilDone();
  await drain(db);
  expect(await sweepStatus(db, other.sweepId)).toBe('completed');
  expect((await stageCounts(db, sweepId))['initialise:completed']).toBe(1);
  expect(await wrongCounts(db)).toEqual([]);
});

describe('a sweep that is written before the lock', () => {
  /** 3,400 trials with 10,201 stages. */
  const huge = { space: { gamma: { min: 1, max: 64, count: 3400 } } };

  test('shares the stages that the database had, and no others', { timeout: 120_000 }, async () => {
    const first = await submit(db, { seeds: [seed], space: { gamma: [1, 64] } });
    await finish(db, (await claim(db))!);
    const next = await submit(db, { ...huge, seeds: [seed] });
    expect(await countStages(next.sweepId, 's.planned_by = $1')).toBe(10_201 - 7);
    await untilDone();
    expect(await countStages(next.sweepId, "s.kind = 'optimise' AND s.status = 'ready'")).toBe(3400);
    expect(await wrongCounts(db)).toEqual([]);
    await cancelSweep(db, next.sweepId);
    await untilDone();
    await drain(db);
    expect(await trialStatuses(db, first.sweepId)).toEqual(['completed', 'completed']);
    expect(await wrongCounts(db)).toEqual([]);
  });
});
