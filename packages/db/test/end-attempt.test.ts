/** The ends of attempts, and their effect on the stages that depend on them. */
import { routes } from '@funnel/contracts';
import { describe, expect, test } from 'vitest';
import {
  type ClaimedStage,
  completeStage,
  endStage,
  failAttempt,
  getStage,
  readStageLog,
  reconcile,
  releaseStage,
} from '../src/index.ts';
import { leaseOf, letExpire, options, stageRow } from './support/attempts.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, evaluationOf, finish, record } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, stageCounts, sweepStatus, takeOutbox, trialStatuses, wrongCounts } from './support/tables.ts';

shareDb();

describe('the end of an attempt', () => {
  test('a stage that diverges: the stages that depend on it are skipped, and its trials diverge', async () => {
    const { sweepId } = await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    await finish(db, (await claim(db))!);
    const bad = (await claim(db))!;
    await endStage(db, { ...leaseOf(bad), status: 'diverged', message: 'loss is NaN at step 3' });
    await drain(db);
    expect(await stageCounts(db, sweepId)).toMatchObject({
      'optimise:diverged': 1,
      'optimise:completed': 1,
      'classify:skipped': 1,
      'attack:skipped': 1,
    });
    expect((await trialStatuses(db, sweepId)).sort()).toEqual(['completed', 'diverged']);
    expect(await sweepStatus(db, sweepId)).toBe('completed-with-failures');
    const [skipped] = await query(
      db,
      `SELECT error_message FROM stages WHERE status = 'skipped' AND kind = 'classify' ORDER BY finished_at DESC LIMIT 1`,
    );
    expect(skipped!.error_message).toContain('loss is NaN at step 3');
    expect(await wrongCounts(db)).toEqual([]);

    const again = await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    expect(again.plan.epochs.needed).toBe(0);
    expect((await trialStatuses(db, again.sweepId)).sort()).toEqual(['completed', 'diverged']);
    const more = await submit(db, { seeds: [seed], space: { gamma: [1, 2] }, attacks: ['gradient'] });
    await drain(db);
    expect((await trialStatuses(db, more.sweepId)).sort()).toEqual(['completed', 'diverged']);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('a stage whose attempts all fail: it fails with the last error, after a backoff between attempts', async () => {
    const { sweepId } = await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    await finish(db, (await claim(db))!);
    const poison = (await claim(db))!;
    const failure = { code: 'TRAINER_DIED', message: 'SIGABRT', maxAttempts: 3 };
    await failAttempt(db, { ...leaseOf(poison), ...failure });
    expect(await stageRow(db, poison.stageId)).toMatchObject({ status: 'ready', failures: 1 });
    const claimAgain = async () => {
      const [row] = await query<{ wait: number }>(
        db,
        'SELECT extract(epoch FROM ready_at - now())::float8 AS wait FROM stages WHERE id = $1',
        [poison.stageId],
      );
      await query(db, 'UPDATE stages SET ready_at = now() WHERE id = $1', [poison.stageId]);
      for (;;) {
        const claimed = (await claim(db))!;
        if (claimed.stageId === poison.stageId) return { claimed, wait: row!.wait };
        await finish(db, claimed);
      }
    };
    const second = await claimAgain();
    expect(second.claimed.attempt).toBe(2);
    await failAttempt(db, { ...leaseOf(second.claimed), ...failure });
    const third = await claimAgain();
    expect(third.wait).toBeGreaterThan(second.wait);
    await failAttempt(db, { ...leaseOf(third.claimed), ...failure, message: 'SIGABRT again' });
    await drain(db);
    expect((await trialStatuses(db, sweepId)).sort()).toEqual(['completed', 'failed']);
    expect(await sweepStatus(db, sweepId)).toBe('completed-with-failures');
    expect(await stageRow(db, poison.stageId)).toMatchObject({
      status: 'failed',
      error_message: 'SIGABRT again',
    });
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('a new epoch resets the failures before it; a release costs no attempt', async () => {
    await submit(db, { seeds: [seed] });
    const first = (await claim(db))!;
    const fail = (claimed: ClaimedStage) =>
      failAttempt(db, { ...leaseOf(claimed), code: 'X', message: 'x', maxAttempts: 2 });
    await fail(first);
    await query(db, 'UPDATE stages SET ready_at = now() WHERE id = $1', [first.stageId]);
    const second = (await claim(db))!;
    expect(second.attempt).toBe(2);
    await record(db, second, { epoch: 1, step: 0 });
    await fail(second);
    expect(await stageRow(db, first.stageId)).toMatchObject({ status: 'ready', failures: 1 });
    await query(db, 'UPDATE stages SET ready_at = now() WHERE id = $1', [first.stageId]);
    const third = (await claim(db))!;
    await takeOutbox(db);
    await releaseStage(db, leaseOf(third));
    expect(await takeOutbox(db)).toEqual([third.stageId]);
    const fourth = (await claim(db))!;
    expect(fourth).toMatchObject({ attempt: 2, fencingToken: 4 });
    await finish(db, fourth);
  });

  test('a stage fails when its leases run out again and again without a new epoch', async () => {
    const { sweepId } = await submit(db, { seeds: [seed] });
    await reconcile(db, options);
    let expired = 0;
    for (let claimed = await claim(db); claimed && expired < 50; claimed = await claim(db)) {
      await letExpire(db, claimed.stageId);
      expired += (await reconcile(db, { ...options, maxAttempts: 2 })).expired.length;
    }
    expect(expired).toBe(10);
    expect(await trialStatuses(db, sweepId)).toEqual(['failed']);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('an attack stage completes with its evaluation or not at all', async () => {
    await submit(db, { seeds: [seed] });
    for (let i = 0; i < 3; i++) await finish(db, (await claim(db))!);
    const attack = (await claim(db))!;
    expect(attack.spec.kind).toBe('attack');
    await expect(completeStage(db, leaseOf(attack))).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
    await completeStage(db, {
      ...leaseOf(attack),
      evaluation: evaluationOf(attack, [true, true, false, false]),
    });
  });
});

describe('the use of cores and memory', () => {
  const usage = { seconds: 10, cpuSeconds: 16, peakBytes: 3e9 };
  const usageOf = async (stageId: string) => (await getStage(db, stageId)).usage;
  const messages = async (stageId: string) =>
    (await readStageLog(db, stageId))
      .map(({ message }) => message)
      .filter((text) => text.startsWith('ended'));

  test('is that of all attempts that measured it', async () => {
    await submit(db, { seeds: [seed], space: { initialiseEpochs: 2 } });
    const first = (await claim(db))!;
    const { stageId } = first;
    expect(await usageOf(stageId)).toBeNull();
    await record(db, first, { epoch: 1, step: 0 }, '', usage);
    expect(await usageOf(stageId)).toEqual(usage);
    const more = { seconds: 12, cpuSeconds: 18, peakBytes: 2e9 };
    await releaseStage(db, { ...leaseOf(first), usage: more });
    expect(await usageOf(stageId)).toEqual(more);

    const second = (await claim(db))!;
    expect(second.stageId).toBe(stageId);
    await failAttempt(db, { ...leaseOf(second), code: 'X', message: 'x', maxAttempts: 3, usage });
    const sum = { seconds: 22, cpuSeconds: 34, peakBytes: 3e9 };
    expect(await usageOf(stageId)).toEqual(sum);

    await query(db, 'UPDATE stages SET ready_at = now() WHERE id = $1', [stageId]);
    const unmeasured = (await claim(db))!;
    await finish(db, unmeasured);
    expect(await usageOf(stageId)).toEqual(sum);
    expect(await messages(stageId)).toEqual([
      'ended: handed-back, 1.5 cores, at most 1.86 GiB, 1 new epoch',
      'ended: failed, 1.6 cores, at most 2.79 GiB, X: x',
      'ended: completed, 1 new epoch',
    ]);
    expect(routes.getStage.response.parse(await getStage(db, stageId)).usage).toEqual(sum);
  });

  test('of an attempt whose lease runs out is that of its last checkpoint', async () => {
    await submit(db, { seeds: [seed], space: { initialiseEpochs: 2 } });
    const claimed = (await claim(db))!;
    await record(db, claimed, { epoch: 1, step: 0 }, '', usage);
    await letExpire(db, claimed.stageId);
    await reconcile(db, options);
    expect(await usageOf(claimed.stageId)).toEqual(usage);
    expect(await messages(claimed.stageId)).toEqual([
      expect.stringMatching(/^ended: expired, 1\.6 cores, at most 2\.79 GiB, 1 new epoch, LEASE_EXPIRED: /),
    ]);
  });
});
