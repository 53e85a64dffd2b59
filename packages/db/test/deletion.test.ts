/** A sweep is deleted, cancelled or paused while a transaction writes to a stage that it shares with another sweep. */
import { describe, expect, test } from 'vitest';
import {
  type ClaimedStage,
  cancelSweep,
  completeStage,
  type Db,
  deleteSweep,
  endStage,
  failAttempt,
  heartbeat,
  pauseSweep,
  reconcile,
  releaseStage,
  resumeSweep,
} from '../src/index.ts';
import { leaseOf, letExpire, options } from './support/attempts.ts';
import { meet } from './support/gate.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, evaluationOf, finish, record, train } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import {
  query,
  stageCounts,
  sweepStatus,
  trialStatuses,
  wrongAverages,
  wrongCounts,
} from './support/tables.ts';

shareDb();

/** Two running sweeps of the same stages. Cancels one of them: the sweep whose plan counts the epochs, or the other. */
const shareStages = async (cancelled: 'planner' | 'other') => {
  const sweeps = [await submit(db, { seeds: [seed] }), await submit(db, { seeds: [seed] })];
  const [doomed, kept] = (cancelled === 'planner' ? sweeps : sweeps.reverse()).map(({ sweepId }) => sweepId);
  await finish(db, (await claim(db))!);
  await cancelSweep(db, doomed!);
  return { doomed: doomed!, kept: kept! };
};

/** The number of rows that belong to a sweep or to its stages. */
const rowsOf = (sweepId: string) =>
  query(
    db,
    `SELECT (SELECT count(*) FROM sweeps WHERE id = $1) + (SELECT count(*) FROM trials WHERE sweep_id = $1)
       + (SELECT count(*) FROM sweep_stages WHERE sweep_id = $1) + (SELECT count(*) FROM sweep_counts WHERE sweep_id = $1)
       + (SELECT count(*) FROM scores WHERE sweep_id = $1) + (SELECT count(*) FROM configuration_scores WHERE sweep_id = $1)
       + (SELECT count(*) FROM stages WHERE $1 IN (sweep_id, planned_by)) AS n`,
    [sweepId],
  );

/** Finishes stages until the next one is an attack. */
const untilAttack = async (): Promise<ClaimedStage> => {
  for (let i = 0; i < 2; i++) await finish(db, (await claim(db))!);
  return (await claim(db))!;
};

type Writer = {
  readonly table?: 'configuration_scores';
  readonly prepare: () => Promise<ClaimedStage | null>;
  readonly write: (db: Db, claimed: ClaimedStage) => Promise<unknown>;
};

const running = async (): Promise<ClaimedStage> => (await claim(db))!;
const trainedStage = async (): Promise<ClaimedStage> => {
  const claimed = await running();
  await train(db, claimed);
  return claimed;
};

const writers: Readonly<Record<string, Writer>> = {
  'a claim': { prepare: async () => null, write: (writer) => claim(writer) },
  'the checkpoint of an epoch': {
    prepare: running,
    write: (writer, claimed) => record(writer, claimed, { epoch: 1, step: 0 }),
  },
  'a completed training': {
    prepare: trainedStage,
    write: (writer, claimed) => completeStage(writer, leaseOf(claimed)),
  },
  'a completed attack': {
    prepare: untilAttack,
    write: (writer, claimed) =>
      completeStage(writer, {
        ...leaseOf(claimed),
        evaluation: evaluationOf(claimed, [true, false, false, false]),
      }),
  },
  'the scores of a completed attack': {
    table: 'configuration_scores',
    prepare: untilAttack,
    write: (writer, claimed) =>
      completeStage(writer, {
        ...leaseOf(claimed),
        evaluation: evaluationOf(claimed, [true, false, false, false]),
      }),
  },
  'a divergence': {
    prepare: running,
    write: (writer, claimed) =>
      endStage(writer, { ...leaseOf(claimed), status: 'diverged', message: 'loss is NaN' }),
  },
  'a failed attempt': {
    prepare: running,
    write: (writer, claimed) =>
      failAttempt(writer, { ...leaseOf(claimed), code: 'X', message: 'x', maxAttempts: 3 }),
  },
  'the last failed attempt': {
    prepare: running,
    write: (writer, claimed) =>
      failAttempt(writer, { ...leaseOf(claimed), code: 'X', message: 'x', maxAttempts: 1 }),
  },
  'a released stage': {
    prepare: running,
    write: (writer, claimed) => releaseStage(writer, leaseOf(claimed)),
  },
  'an expired lease': {
    prepare: async () => {
      const claimed = await running();
      await reconcile(db, options); // the first round after a gap expires no lease
      await letExpire(db, claimed.stageId);
      return claimed;
    },
    write: (writer) => reconcile(writer, options),
  },
};

const cases = Object.entries(writers).flatMap(([name, writer]) =>
  (['planner', 'other'] as const).map((which) => ({ name, which, ...writer })),
);

describe('a sweep deleted in the middle of', () => {
  test.each(cases)('$name ($which)', async ({ which, table = 'sweep_counts' as const, prepare, write }) => {
    const { doomed, kept } = await shareStages(which);
    const claimed = await prepare();
    const { deadlocks } = await meet(db, {
      ...{ table, way: 'INSERT' },
      first: (writer) => write(writer, claimed!),
      second: (deleter) => deleteSweep(deleter, doomed),
    });
    expect(deadlocks).toBe(0);
    expect(await rowsOf(doomed)).toEqual([{ n: 0 }]);
    expect(await wrongCounts(db)).toEqual([]);
    expect(await wrongAverages(db)).toEqual([]);
    expect(await trialStatuses(db, kept)).toHaveLength(1);
  });
});

describe('an attempt goes on', () => {
  test('when it ends while a sweep that needs its stage is being deleted', async () => {
    const { doomed, kept } = await shareStages('other');
    const claimed = await untilAttack();
    const { deadlocks } = await meet(db, {
      ...{ table: 'sweeps', way: 'DELETE' },
      first: (deleter) => deleteSweep(deleter, doomed),
      second: (writer) => finish(writer, claimed),
    });
    expect(deadlocks).toBe(0);
    expect(await rowsOf(doomed)).toEqual([{ n: 0 }]);
    expect(await trialStatuses(db, kept)).toEqual(['completed']);
    expect(await sweepStatus(db, kept)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('when it ends the last trial of a sweep that is being paused', async () => {
    const { sweepId } = await submit(db, { seeds: [seed] });
    await finish(db, (await claim(db))!);
    const claimed = await untilAttack();
    const { deadlocks } = await meet(db, {
      ...{ table: 'sweeps', way: 'UPDATE' },
      first: (operator) => pauseSweep(operator, sweepId),
      second: (writer) => finish(writer, claimed),
    });
    expect(deadlocks).toBe(0);
    expect(await sweepStatus(db, sweepId)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('when it ends the last trial of two sweeps while the older one is being resumed', async () => {
    const older = (await submit(db, { seeds: [seed] })).sweepId;
    await pauseSweep(db, older);
    const newer = (await submit(db, { seeds: [seed] })).sweepId;
    await finish(db, (await claim(db))!);
    const claimed = await untilAttack();
    const { deadlocks } = await meet(db, {
      ...{ table: 'sweeps', way: 'UPDATE' },
      first: (operator) => resumeSweep(operator, older),
      second: (writer) => finish(writer, claimed),
    });
    expect(deadlocks).toBe(0);
    expect(await sweepStatus(db, older)).toBe('completed');
    expect(await sweepStatus(db, newer)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('when its stage is claimed while the sweep is being cancelled, and no stage is left running', async () => {
    const { sweepId } = await submit(db, { seeds: [seed] });
    const { deadlocks } = await meet(db, {
      ...{ table: 'trials', way: 'UPDATE' },
      first: (operator) => cancelSweep(operator, sweepId),
      second: (writer) => claim(writer),
    });
    expect(deadlocks).toBe(0);
    expect(await trialStatuses(db, sweepId)).toEqual(['cancelled']);
    expect(await stageCounts(db, sweepId)).toEqual({
      'initialise:cancelled': 1,
      'optimise:cancelled': 1,
      'classify:cancelled': 1,
      'attack:cancelled': 1,
    });
    expect(await wrongCounts(db)).toEqual([]);
  });
});

test('a worker of a deleted sweep cannot write to the same stage after a new submission', async () => {
  const { sweepId } = await submit(db, { seeds: [seed] });
  const before = (await claim(db, 'sleeper'))!;
  await cancelSweep(db, sweepId);
  await deleteSweep(db, sweepId);
  const next = (await submit(db, { seeds: [seed] })).sweepId;
  const now = (await claim(db, 'other'))!;
  expect([now.stageId, now.fencingToken]).toEqual([before.stageId, before.fencingToken]);
  const { stageId, fencingToken, workerId } = before;
  const lease = { stageId, fencingToken, position: null, imagesPerSecond: null };
  const beatOf = (worker: string) =>
    heartbeat(db, { workerId: worker, leases: [lease], memoryBytes: null, leaseSeconds: 60 });
  expect(await beatOf('sleeper')).toMatchObject({ lost: [stageId], stop: [] });
  expect(await beatOf('other')).toMatchObject({ lost: [], stop: [] });
  await expect(
    failAttempt(db, { stageId, fencingToken, workerId, code: 'X', message: 'x', maxAttempts: 1 }),
  ).rejects.toMatchObject({ code: 'STALE_LEASE' });
  await expect(releaseStage(db, { stageId, fencingToken, workerId })).rejects.toMatchObject({
    code: 'STALE_LEASE',
  });
  await finish(db, now);
  expect(await stageCounts(db, next)).toMatchObject({ 'initialise:completed': 1 });
  expect(await wrongCounts(db)).toEqual([]);
});

test('a claim that commits during a cancellation leaves no running attempt', async () => {
  const { sweepId } = await submit(db, { seeds: [seed] });
  await finish(db, (await claim(db))!);
  const { first } = await meet(db, {
    ...{ table: 'sweep_counts', way: 'INSERT' },
    first: (writer) => claim(writer),
    second: (operator) => cancelSweep(operator, sweepId),
  });
  expect(await query(db, 'SELECT outcome FROM attempts WHERE stage_id = $1', [first!.stageId])).toEqual([
    { outcome: 'cancelled' },
  ]);
  expect(await stageCounts(db, sweepId)).toMatchObject({ 'optimise:cancelled': 1 });
  expect(await wrongCounts(db)).toEqual([]);
});

test('the reconciler reschedules a stage that was assigned to a sweep at the moment of the sweep’s end', async () => {
  const { sweepId } = await submit(db, { seeds: [seed], space: { gamma: 9 } });
  await drain(db);
  const next = (await submit(db, { seeds: [seed + 500] })).sweepId;
  await query(db, `UPDATE stages SET sweep_id = $1 WHERE sweep_id = $2`, [sweepId, next]);
  await query(db, `DELETE FROM duties WHERE name = 'repair'`);
  expect(await claim(db)).toBeNull();
  await reconcile(db, options);
  await drain(db);
  expect(await sweepStatus(db, next)).toBe('completed');
});
