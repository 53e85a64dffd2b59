/** An attempt that lost its lease cannot write, and its worker learns this. */
import { describe, expect, test, vi } from 'vitest';
import { claimStage, completeStage, endStage, failAttempt, reconcile, releaseStage } from '../src/index.ts';
import { beat, leaseOf, letExpire, options, stageRow, stale } from './support/attempts.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, finish, record, train } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, takeOutbox, trained, wrongCounts } from './support/tables.ts';

shareDb();

describe('a lease fences every write', () => {
  test('refuses and counts the writes of an attempt that lost it, and the heartbeat reports the loss', async () => {
    const { sweepId } = await submit(db, { seeds: [seed] });
    const slow = (await claim(db, 'slow'))!;
    await record(db, slow, { epoch: 1, step: 0 });
    await reconcile(db, options);
    await letExpire(db, slow.stageId);
    expect(await reconcile(db, options)).toMatchObject({ done: true, expired: [slow.stageId] });
    const quick = (await claim(db, 'quick'))!;
    expect(quick).toMatchObject({ stageId: slow.stageId, fencingToken: slow.fencingToken + 1, attempt: 2 });
    expect(quick.start).toMatchObject({ sameChain: true, manifest: { position: { epoch: 1, step: 0 } } });

    await expect(record(db, slow, { epoch: 2, step: 0 })).rejects.toMatchObject(stale);
    await expect(completeStage(db, leaseOf(slow))).rejects.toMatchObject(stale);
    await expect(
      endStage(db, { ...leaseOf(slow), status: 'diverged', message: 'late' }),
    ).rejects.toMatchObject(stale);
    await expect(
      failAttempt(db, { ...leaseOf(slow), code: 'X', message: 'late', maxAttempts: 3 }),
    ).rejects.toMatchObject(stale);
    await expect(releaseStage(db, leaseOf(slow))).rejects.toMatchObject(stale);
    expect(await beat(db, slow)).toMatchObject({ lost: [slow.stageId], stop: [] });
    expect(await beat(db, quick)).toMatchObject({ lost: [], stop: [] });
    const attempts = await query(
      db,
      'SELECT worker_id, outcome, fenced, epochs FROM attempts WHERE stage_id = $1 ORDER BY fencing_token',
      [slow.stageId],
    );
    expect(attempts).toEqual([
      { worker_id: 'slow', outcome: 'expired', fenced: 5, epochs: 1 },
      { worker_id: 'quick', outcome: 'running', fenced: 0, epochs: 0 },
    ]);
    await finish(db, quick);
    await drain(db);
    expect(await trained(db, sweepId)).toBe(6);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('is still valid after it ran out, until another attempt takes the stage', async () => {
    await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    await letExpire(db, claimed.stageId);
    await record(db, claimed, { epoch: 1, step: 0 });
    expect(await beat(db, claimed, { position: { epoch: 1, step: 7 }, imagesPerSecond: 12.5 })).toMatchObject(
      {
        lost: [],
        stop: [],
      },
    );
    expect((await reconcile(db, options)).expired).toEqual([]);
    expect(await stageRow(db, claimed.stageId)).toMatchObject({ epoch: 1, step: 7, images_per_second: 12.5 });
    await record(db, claimed, { epoch: 2, step: 0 });
    await completeStage(db, leaseOf(claimed));
  });

  test('begins when the claim ends, if the claim waited for longer than the lease', async () => {
    await submit(db, { seeds: [seed] });
    await reconcile(db, { ...options, leaseSeconds: 1 });
    const other = await db.pool.connect();
    await other.query('BEGIN');
    await other.query('LOCK TABLE sweep_counts IN EXCLUSIVE MODE');
    const claiming = claimStage(db, { workerId: 'slow', leaseSeconds: 1 });
    await vi.waitFor(
      async () =>
        expect(
          await query(
            db,
            `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
             AND clock_timestamp() - xact_start > interval '1.5 s'`,
          ),
        ).toHaveLength(1),
      { timeout: 30_000, interval: 20 },
    );
    await other.query('COMMIT');
    other.release();
    const { stageId } = (await claiming)!;
    const [{ seconds }] = (await query<{ seconds: number }>(
      db,
      `SELECT extract(epoch FROM s.lease_until - a.started_at)::float8 AS seconds
       FROM stages s JOIN attempts a ON a.stage_id = s.id WHERE s.id = $1`,
      [stageId],
    )) as [{ seconds: number }];
    expect(seconds).toBeGreaterThan(2.5); // the claim took 1.5 s or more, and the lease takes 1 s after it
  });

  test('is renewed by the next heartbeat, and does not expire, while another transaction has the stage locked', async () => {
    await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    await reconcile(db, options);
    await letExpire(db, claimed.stageId);
    const writer = await db.pool.connect();
    await writer.query('BEGIN');
    await writer.query('SELECT FROM stages WHERE id = $1 FOR UPDATE', [claimed.stageId]);
    expect(await beat(db, claimed)).toMatchObject({ lost: [], stop: [] });
    expect((await reconcile(db, options)).expired).toEqual([]);
    await writer.query('COMMIT');
    writer.release();
    expect(await beat(db, { ...claimed, stageId: 'none' })).toMatchObject({ lost: ['none'], stop: [] });
    await finish(db, claimed);
  });

  test('when many processes reconcile at once, one of them does the work', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => reconcile(db, { ...options, everySeconds: 60 })),
    );
    expect(answers.filter((answer) => answer.done).length).toBeLessThan(2);
    expect(await reconcile(db, { ...options, everySeconds: 60 })).toMatchObject({ done: false });
    expect(await reconcile(db, options)).toMatchObject({ done: true, repaired: 0 });
  });

  test('does not expire after a time without the database, before workers can renew it', async () => {
    await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    await letExpire(db, claimed.stageId);
    await query(db, `UPDATE duties SET at = now() - interval '1 minute' WHERE name = 'reconcile'`);
    expect((await reconcile(db, options)).expired).toEqual([]);
    await letExpire(db, claimed.stageId);
    expect((await reconcile(db, options)).expired).toEqual([claimed.stageId]);
  });

  test('a clock that is set back delays nothing: leases of dead workers expire, and ready stages can be claimed', async () => {
    await submit(db, { seeds: [seed, seed + 1_000_000] });
    const claimed = (await claim(db))!;
    // After a jump of an hour, all times that were written before lie in the future.
    await query(db, `UPDATE duties SET at = now() + interval '1 hour' WHERE name = 'reconcile'`);
    await query(
      db,
      `UPDATE stages SET ready_at = now() + interval '1 hour', lease_until = lease_until + interval '1 hour'`,
    );
    expect(await claim(db)).toBeNull();
    expect(await reconcile(db, options)).toMatchObject({ done: true, expired: [] });
    expect(await claim(db)).not.toBeNull();
    const [row] = await query<{ seconds: number }>(
      db,
      'SELECT extract(epoch FROM lease_until - now())::float8 AS seconds FROM stages WHERE id = $1',
      [claimed.stageId],
    );
    expect(row!.seconds).toBeLessThanOrEqual(options.leaseSeconds);
  });

  test('a second call with the same end, after a lost answer, changes nothing', async () => {
    await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    await train(db, claimed);
    await completeStage(db, leaseOf(claimed));
    await takeOutbox(db);
    await completeStage(db, leaseOf(claimed));
    expect(await takeOutbox(db)).toEqual([]);
    const optimise = (await claim(db))!;
    await releaseStage(db, leaseOf(optimise));
    await releaseStage(db, leaseOf(optimise));
    expect(
      await query(db, 'SELECT fenced FROM attempts WHERE stage_id = ANY($1)', [
        [claimed.stageId, optimise.stageId],
      ]),
    ).toEqual([{ fenced: 0 }, { fenced: 0 }]);
  });
});
