/** Large sweeps that share stages with others: each operation that can change a shared stage, at each moment of the submission. */
import { RetentionPolicy, type SweepInput } from '@funnel/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  cancelSweep,
  collectGarbage,
  continueActions,
  continuePropagation,
  type Db,
  deleteSweep,
  endStage,
  failAttempt,
  getSweep,
  pauseSweep,
  reconcile,
  resumeSweep,
  retrySweep,
} from '../src/index.ts';
import { leaseOf, options } from './support/attempts.ts';
import { beforeStatement } from './support/interleave.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, finish } from './support/simulated-trainer.ts';
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

const policy = RetentionPolicy.parse({ keepDays: 0, keepBest: 0, metric: 'robustAccuracy' });
const collect = () => collectGarbage(db, policy, { dryRun: false });
beforeEach(async () => void (await collect()));

const untilDone = async (): Promise<void> => {
  while (await continueActions(db));
};

/** The next test shall not find thousands of stages to run. */
afterEach(async () => {
  const live = await query<{ id: string }>(db, `SELECT id FROM sweeps WHERE status IN ('running', 'paused')`);
  for (const { id } of live) await cancelSweep(db, id);
  await untilDone();
});

/** Writes a sweep as a large one, whatever its size. */
const submitLarge = (input: Partial<SweepInput>, on: Db = db) =>
  submit(on, input, undefined, { maxUnderLock: 0 });

const two = () => ({ seeds: [seed], space: { gamma: [1, 2] } });
/** Shares five of its stages with `two`, beside the initialisation. */
const three = () => ({ seeds: [seed], space: { gamma: [1, 2, 3] } });

const lock = 'pg_try_advisory_xact_lock';
/** Submits `three` as a large sweep. `meanwhile` runs after its rows are written, and before it takes the lock. */
const submitWhile = (meanwhile: () => Promise<unknown>, input: Partial<SweepInput> = three()) =>
  submitLarge(input, beforeStatement(db, lock, meanwhile));

const scoresOf = (sweepId: string) =>
  query(
    db,
    `SELECT t.number, s.metric, s.ordinal, s.value, s.below FROM scores s JOIN trials t ON t.id = s.trial_id
     WHERE t.sweep_id = $1 AND t.number < 2 ORDER BY 1, 2, 3`,
    [sweepId],
  );

const expectRight = async (): Promise<void> => {
  await query(db, `DELETE FROM duties WHERE name = 'repair'`);
  expect(await reconcile(db, options)).toMatchObject({ repaired: 0 });
  expect(await wrongCounts(db)).toEqual([]);
  expect(await wrongAverages(db)).toEqual([]);
};

/** Connects the sweep, runs everything that is left, and compares the ends of its trials. */
const expectEnds = async (sweepId: string, ...statuses: string[]): Promise<void> => {
  await untilDone();
  await expectRight();
  await drain(db);
  expect(await trialStatuses(db, sweepId)).toEqual(statuses);
  await expectRight();
};

describe('a large sweep that shares stages', () => {
  test('with an unfinished sweep waits for them, and counts them only when it is connected', async () => {
    const first = await submit(db, two());
    const { sweepId, plan, tries } = await submitLarge(three());
    expect([tries, plan.stages.optimise]).toEqual([1, { total: 3, cached: 2 }]);
    expect((await getSweep(db, sweepId)).action).toEqual({ name: 'connect', done: 0, total: 10 });
    expect((await getSweep(db, sweepId)).stages).toEqual([]);
    await untilDone();
    expect(await stageCounts(db, sweepId)).toEqual({
      'initialise:ready': 1,
      'optimise:waiting': 3,
      'classify:waiting': 3,
      'attack:waiting': 3,
    });
    expect((await getSweep(db, sweepId)).action).toBeNull();
    const { epochs } = await drain(db);
    expect(epochs).toBe(first.plan.epochs.needed + plan.epochs.needed);
    await expectEnds(sweepId, 'completed', 'completed', 'completed');
    expect(await sweepStatus(db, sweepId)).toBe('completed');
  });

  test('with an ended sweep inherits its scores, and trains only what is missing', async () => {
    const first = await submit(db, two());
    await drain(db);
    const { sweepId } = await submitLarge(three());
    await untilDone();
    expect(await trialStatuses(db, sweepId)).toEqual(['completed', 'completed', 'waiting']);
    expect(await scoresOf(sweepId)).toEqual(await scoresOf(first.sweepId));
    expect(await scoresOf(sweepId)).toHaveLength(24);
    expect((await drain(db)).epochs).toBe(4);
    await expectEnds(sweepId, 'completed', 'completed', 'completed');
    const again = await submitLarge(three());
    expect(await sweepStatus(db, again.sweepId)).toBe('running');
    await untilDone();
    expect(await sweepStatus(db, again.sweepId)).toBe('completed');
    await expectEnds(again.sweepId, 'completed', 'completed', 'completed');
  });

  test('of fewer epochs takes recorded checkpoints, and trains nothing', async () => {
    await submit(db, { seeds: [seed], space: { optimiseEpochs: 6 } });
    await drain(db);
    const { sweepId, plan } = await submitLarge({ seeds: [seed], space: { optimiseEpochs: 4 } });
    expect(plan.epochs.needed).toBe(1); // the classifier
    expect(await claim(db)).toBeNull();
    await untilDone();
    expect(await stageCounts(db, sweepId)).toMatchObject({ 'optimise:completed': 1, 'classify:ready': 1 });
    await expectEnds(sweepId, 'completed');
  });

  test('reopens what a cancelled sweep left, and trains it once', async () => {
    const first = await submit(db, three());
    await finish(db, (await claim(db))!);
    await cancelSweep(db, first.sweepId);
    const { sweepId } = await submitLarge(three());
    await untilDone();
    expect(await stageCounts(db, sweepId)).toMatchObject({ 'initialise:completed': 1, 'optimise:ready': 3 });
    expect((await drain(db)).epochs).toBe(3 * 4);
    await expectEnds(sweepId, 'completed', 'completed', 'completed');
    expect(new Set(await trialStatuses(db, first.sweepId))).toEqual(new Set(['cancelled']));
  });
});

describe('between the rows of a large sweep and its commit', () => {
  test('another sweep with its stages is cancelled: they are reopened', async () => {
    const first = await submit(db, two());
    const { sweepId, tries } = await submitWhile(() => cancelSweep(db, first.sweepId));
    expect(tries).toBe(2);
    await expectEnds(sweepId, 'completed', 'completed', 'completed');
  });

  test('another sweep with its stages is deleted: it writes them itself', async () => {
    const first = await submit(db, two());
    await drain(db);
    const { sweepId, tries } = await submitWhile(async () => {
      await deleteSweep(db, first.sweepId);
      await untilDone();
    });
    expect(tries).toBe(2);
    await expectEnds(sweepId, 'completed', 'completed', 'completed');
  });

  test('checkpoints that it needs are collected: they are trained again', async () => {
    await submit(db, two());
    await drain(db);
    const { sweepId, plan, tries } = await submitWhile(collect);
    expect([tries, plan.epochs.cached]).toEqual([2, 0]);
    await expectEnds(sweepId, 'completed', 'completed', 'completed');
  });

  test('a checkpoint that only a shorter stage of it needs is collected: the stage trains', async () => {
    await submit(db, { seeds: [seed], space: { optimiseEpochs: 6 } });
    await drain(db);
    const shorter = { seeds: [seed], space: { optimiseEpochs: 4 } };
    const { sweepId } = await submitWhile(collect, shorter);
    await expectEnds(sweepId, 'completed');
  });

  test.each(['cancelled', 'deleted'])(
    'a longer stage that would record its checkpoint is %s: it gets it all the same',
    async (end) => {
      const long = await submit(db, { seeds: [seed], space: { optimiseEpochs: 6 } });
      await finish(db, (await claim(db))!);
      const shorter = { seeds: [seed], space: { optimiseEpochs: 4 } };
      const { sweepId } = await submitWhile(async () => {
        await cancelSweep(db, long.sweepId);
        if (end === 'deleted') await deleteSweep(db, long.sweepId);
        await untilDone();
      }, shorter);
      await expectEnds(sweepId, 'completed');
    },
  );

  test('a stage completes: the next ones become ready', async () => {
    await submit(db, two());
    const claimed = (await claim(db))!;
    const { sweepId, tries } = await submitWhile(() => finish(db, claimed));
    expect(tries).toBe(1);
    await untilDone();
    expect(await stageCounts(db, sweepId)).toMatchObject({ 'initialise:completed': 1, 'optimise:ready': 3 });
    await expectEnds(sweepId, 'completed', 'completed', 'completed');
  });

  test('everything that it shares completes: it has the scores', async () => {
    const first = await submit(db, two());
    const { sweepId } = await submitWhile(() => drain(db));
    await untilDone();
    expect(await trialStatuses(db, sweepId)).toEqual(['completed', 'completed', 'waiting']);
    expect(await scoresOf(sweepId)).toEqual(await scoresOf(first.sweepId));
    await expectEnds(sweepId, 'completed', 'completed', 'completed');
  });

  test('a stage fails, or diverges: so do its trials', async () => {
    await submit(db, two());
    await finish(db, (await claim(db))!);
    const { sweepId } = await submitWhile(async () => {
      const [failing, diverging] = [(await claim(db))!, (await claim(db))!];
      await failAttempt(db, { ...leaseOf(failing), code: 'X', message: 'x', maxAttempts: 1 });
      await endStage(db, { ...leaseOf(diverging), status: 'diverged', message: 'x' });
    });
    await expectEnds(sweepId, 'failed', 'diverged', 'completed');
    expect(await sweepStatus(db, sweepId)).toBe('completed-with-failures');
  });

  test('another sweep writes a longer stage of one of its chains: it does not train twice', async () => {
    await submit(db, two());
    const longer = { seeds: [seed], space: { gamma: 3, optimiseEpochs: 6 } };
    const { sweepId, tries } = await submitWhile(() => submit(db, longer));
    expect(tries).toBe(2);
    await expectEnds(sweepId, 'completed', 'completed', 'completed');
  });

  test('another sweep writes one of its new stages first: both share the stage', async () => {
    const other = { seeds: [seed], space: { gamma: 3 } };
    const first = beforeStatement(db, 'INSERT INTO sweeps', () => submit(db, other));
    const { sweepId, tries } = await submitLarge(three(), first);
    expect(tries).toBe(2);
    await expectEnds(sweepId, 'completed', 'completed', 'completed');
  });

  test('another sweep needs one of its new stages: it waits, and is told to try again', async () => {
    await submit(db, two());
    const other = { seeds: [seed], space: { gamma: 3 } };
    const { sweepId } = await submitWhile(() =>
      expect(submit(db, other)).rejects.toMatchObject({ code: 'UNAVAILABLE', details: { isBusy: true } }),
    );
    await expectEnds(sweepId, 'completed', 'completed', 'completed');
  });

  test('a stage that it is about to reopen is retried: it is opened once', async () => {
    const first = await submit(db, two());
    const claimed = (await claim(db))!;
    await failAttempt(db, { ...leaseOf(claimed), code: 'X', message: 'x', maxAttempts: 1 });
    const retried = beforeStatement(db, 'INSERT INTO sweeps', () => retrySweep(db, first.sweepId));
    const { sweepId, plan } = await submitLarge(three(), retried);
    expect((await drain(db)).epochs).toBe(plan.epochs.needed);
    await expectEnds(sweepId, 'completed', 'completed', 'completed');
    expect(await trialStatuses(db, first.sweepId)).toEqual(['completed', 'completed']);
  });

  test('others go before it each time: at last it is written under the lock', async () => {
    const first = await submit(db, two());
    let other = first.sweepId;
    let interleaved = db;
    for (let i = 0; i < 3; i++)
      interleaved = beforeStatement(interleaved, lock, async () => {
        await cancelSweep(db, other);
        other = (await submit(db, two())).sweepId;
        await cancelSweep(db, other);
        other = (await submit(db, { seeds: [seed], space: { gamma: 3 + i + 1 } })).sweepId;
      });
    const { sweepId } = await submitLarge(three(), interleaved);
    await expectEnds(sweepId, 'completed', 'completed', 'completed');
  });
});

/** 700 trials with 2,101 stages: two batches. */
const many = () => ({ seeds: [seed], space: { gamma: { min: 1, max: 64, count: 700 } } });
const countStages = async (sweepId: string, condition: string): Promise<number> => {
  const [row] = await query<{ n: number }>(
    db,
    `SELECT count(*)::int AS n FROM sweep_stages l JOIN stages s ON s.id = l.stage_id WHERE l.sweep_id = $1 AND ${condition}`,
    [sweepId],
  );
  return row!.n;
};

/** Every operation happens before the first batch, and between the first and the second one. */
describe.each([0, 1])('after %i batches of a large sweep', (batches) => {
  const submitPartly = async (input: Partial<SweepInput> = many()): Promise<string> => {
    const { sweepId } = await submitLarge(input);
    for (let i = 0; i < batches; i++) expect(await continueActions(db)).toBe(true);
    expect((await getSweep(db, sweepId)).action).toEqual({
      name: 'connect',
      done: 2000 * batches,
      total: 2101,
    });
    return sweepId;
  };

  test('another sweep with all of its stages is cancelled and deleted: none of them ends', async () => {
    const first = await submit(db, many());
    const sweepId = await submitPartly();
    const claimed = (await claim(db))!;
    await cancelSweep(db, first.sweepId);
    await deleteSweep(db, first.sweepId);
    await untilDone();
    expect(await sweepStatus(db, first.sweepId)).toBeUndefined();
    expect(await countStages(sweepId, "s.status IN ('waiting', 'running') AND s.sweep_id = l.sweep_id")).toBe(
      2101,
    );
    await finish(db, claimed);
    while (await continuePropagation(db));
    expect(await countStages(sweepId, "s.status = 'ready'")).toBe(700);
    await expectRight();
  });

  test('checkpoints are collected: it keeps what it needs', async () => {
    await submit(db, { seeds: [seed], space: { gamma: [1, 64] } });
    await drain(db);
    const sweepId = await submitPartly();
    await collect();
    await untilDone();
    expect(
      await countStages(
        sweepId,
        "s.status = 'completed' AND (s.kind = 'attack' OR s.checkpoint IS NOT NULL)",
      ),
    ).toBe(7);
    expect((await trialStatuses(db, sweepId)).filter((status) => status === 'completed')).toHaveLength(2);
    await expectRight();
  });

  test('stages start, complete and fail: counts and trials agree with them', async () => {
    await submit(db, many());
    await finish(db, (await claim(db))!);
    const sweepId = await submitPartly();
    const running = (await claim(db))!;
    const [done, failed] = [(await claim(db))!, (await claim(db))!];
    await finish(db, done);
    await failAttempt(db, { ...leaseOf(failed), code: 'X', message: 'x', maxAttempts: 1 });
    await untilDone();
    await expectRight();
    expect((await trialStatuses(db, sweepId)).slice(0, 4)).toEqual([
      'running',
      'waiting',
      'failed',
      'waiting',
    ]);
    await finish(db, running);
    await expectRight();
    await cancelSweep(db, sweepId);
    await untilDone();
    await expectRight();
  });

  test('it is paused, resumed, cancelled and deleted: the other sweep loses nothing', async () => {
    const first = await submit(db, many());
    const sweepId = await submitPartly();
    await pauseSweep(db, sweepId);
    await resumeSweep(db, sweepId);
    await pauseSweep(db, sweepId);
    expect((await getSweep(db, sweepId)).status).toBe('pausing');
    await cancelSweep(db, sweepId);
    await deleteSweep(db, sweepId);
    await untilDone();
    expect(await sweepStatus(db, sweepId)).toBeUndefined();
    expect(
      await countStages(first.sweepId, "s.status IN ('waiting', 'ready') AND s.sweep_id = l.sweep_id"),
    ).toBe(2101);
    await expectRight();
  });

  test('a third sweep takes stages of it', async () => {
    await submit(db, { seeds: [seed], space: { gamma: [1, 64] } });
    await finish(db, (await claim(db))!);
    const sweepId = await submitPartly();
    const third = await submit(db, { seeds: [seed], space: { gamma: { min: 1, max: 64, count: 10 } } });
    await cancelSweep(db, sweepId);
    await untilDone();
    await drain(db);
    expect(new Set(await trialStatuses(db, third.sweepId))).toEqual(new Set(['completed']));
    await expectRight();
  });
});
