import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type ClaimedStage,
  cancelSweep,
  claimStage,
  completeStage,
  type Db,
  endStage,
  failAttempt,
  getBlobs,
  getCheckpoint,
  handBack,
  heartbeat,
  reconcile,
  recordCheckpoint,
} from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { query, stageCounts, sweepStatus, trained, trialStatuses, wrongCounts } from './support/rows.ts';
import { claim, drain, evaluationOf, finish, record, sha256, stateAt, train } from './support/stand-in.ts';
import { submit } from './support/submit.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb({ max: 25 });
});
afterAll(() => db.close());

let seed = 0;
beforeEach(async () => {
  seed += 1;
  await query(db, `UPDATE stages SET ready_at = now()`);
  await drain(db);
});

const leaseOf = ({ stageId, leaseEpoch }: ClaimedStage) => ({ stageId, leaseEpoch });
const stale = { code: 'STALE_LEASE' };
/** As if the lease had run out: the database's clock is not ours to turn. */
const letExpire = (stageId: string) =>
  query(db, `UPDATE stages SET lease_until = now() - interval '1 second' WHERE id = $1`, [stageId]);
const options = { maxAttempts: 3, leaseSeconds: 15, everySeconds: 0 };
const beat = (claimed: ClaimedStage, more: object = {}) =>
  heartbeat(db, {
    workerId: 'worker',
    leases: [{ ...leaseOf(claimed), position: null, imagesPerSecond: null, ...more }],
    memoryBytes: 1,
    leaseSeconds: 60,
  });
const stageRow = async (id: string) => (await query(db, 'SELECT * FROM stages WHERE id = $1', [id]))[0]!;

describe('claim', () => {
  test('twenty claimers at once: every stage exactly once', async () => {
    const gammas = Array.from({ length: 10 }, (_, i) => i + 1);
    const { plan } = await submit(db, { seeds: [seed, seed + 500], space: { gamma: gammas } });
    const stages = 2 + 3 * 20;
    const done: string[] = [];
    let epochs = 0;
    const work = async (worker: number) => {
      while (done.length < stages) {
        const claimed = await claim(db, `worker-${worker}`);
        if (!claimed) continue;
        const now = await finish(db, claimed);
        epochs += now;
        done.push(claimed.stageId);
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, i) => work(i)));
    expect(done).toHaveLength(stages);
    expect(new Set(done).size).toBe(done.length);
    expect(epochs).toBe(plan.epochs.needed);
    expect(await wrongCounts(db)).toEqual([]);
    const attempts = await query<{ n: number }>(
      db,
      `SELECT count(*) AS n FROM attempts WHERE stage_id = ANY($1) AND outcome = 'completed'`,
      [done],
    );
    expect(attempts[0]!.n).toBe(done.length);
  });

  test('higher priority first, then the sweep with the fewest running, then the first trial', async () => {
    const seeds = Array.from({ length: 3 }, (_, i) => seed * 1000 + i);
    const a = await submit(db, { seeds });
    const b = await submit(db, { seeds: seeds.map((one) => one + 100) });
    const urgent = await submit(db, { seeds: [seed * 1000 + 200], priority: 99 });
    const claimed: ClaimedStage[] = [];
    for (let i = 0; i < 6; i++) claimed.push((await claim(db))!);
    const order = claimed.map((one) => one.sweepIds[0]);
    expect(order).toEqual([urgent, a, b, a, b, a].map((sweep) => sweep.sweepId));
    const numbers = await query<{ number: number }>(
      db,
      `SELECT t.number FROM trials t JOIN trial_stages ts ON ts.trial_id = t.id JOIN stages s ON s.id = ts.stage_id
       WHERE t.sweep_id = $1 AND s.status = 'running' ORDER BY s.started_at`,
      [a.sweepId],
    );
    expect(numbers.map((row) => row.number)).toEqual([0, 1, 2]);
    for (const one of claimed) await handBack(db, leaseOf(one));
  });

  test('only these kinds, only this sweep', async () => {
    const { sweepId } = await submit(db, { seeds: [seed, seed + 500] });
    const request = { workerId: 'w', leaseSeconds: 60 };
    expect(await claimStage(db, { ...request, kinds: ['attack'] })).toBeNull();
    expect(await claimStage(db, { ...request, sweep: 'another' })).toBeNull();
    const first = await claimStage(db, {
      ...request,
      sweep: sweepId,
      backend: 'wasm',
      engineVersion: '1',
    });
    expect(first).toMatchObject({
      leaseEpoch: 1,
      attempt: 1,
      start: null,
      sweepIds: [sweepId],
      spec: { kind: 'initialise' },
    });
    expect(
      await query(db, 'SELECT backend, engine_version FROM attempts WHERE stage_id = $1', [first!.stageId]),
    ).toEqual([{ backend: 'wasm', engine_version: '1' }]);
    await finish(db, first!);
  });

  test('never more running than the sweep allows, however many ask at once; other sweeps go on', async () => {
    const limited = await submit(db, { seeds: [0, 1, 2, 3, 4, 5].map((n) => seed + 700 + n), maxRunning: 2 });
    const other = await submit(db, { seeds: [seed + 800] });
    const request = { workerId: 'w', leaseSeconds: 60 };
    const asked = Array.from({ length: 12 }, () => claimStage(db, { ...request, sweep: limited.sweepId }));
    const first = (await Promise.all(asked)).filter((claimed) => claimed !== null);
    expect(first.length).toBeGreaterThanOrEqual(1);
    expect(first.length).toBeLessThanOrEqual(2);
    const second = first[1] ?? (await claimStage(db, { ...request, sweep: limited.sweepId }))!;
    expect(second.sweepIds).toEqual([limited.sweepId]);
    expect(await claimStage(db, { ...request, sweep: limited.sweepId })).toBeNull();
    expect((await claimStage(db, request))?.sweepIds).toEqual([other.sweepId]);
    await handBack(db, leaseOf(second));
    expect(await claimStage(db, { ...request, sweep: limited.sweepId })).not.toBeNull();
    await cancelSweep(db, limited.sweepId);
    await cancelSweep(db, other.sweepId);
  });

  test('starts from the parent’s networks, without its moments', async () => {
    await submit(db, { seeds: [seed] });
    const initialise = (await claim(db))!;
    await finish(db, initialise);
    const optimise = (await claim(db))!;
    const final = stateAt(initialise.spec.chain, { epoch: 2, step: 0 }).manifest;
    expect(optimise.start).toEqual({ sameChain: false, manifest: { ...final, moments: null } });
    const weights = Object.values(final.networks)[0]!.blob;
    const blobs = await getBlobs(db, [weights]);
    expect(sha256(blobs.get(weights)!)).toBe(weights);
    await finish(db, optimise);
  });
});

describe('a lease fences every write', () => {
  test('who lost it is refused, counted, and told', async () => {
    const { sweepId } = await submit(db, { seeds: [seed] });
    const slow = (await claim(db, 'slow'))!;
    await record(db, slow, { epoch: 1, step: 0 });
    await reconcile(db, options);
    await letExpire(slow.stageId);
    expect(await reconcile(db, options)).toMatchObject({ done: true, expired: [slow.stageId] });
    const quick = (await claim(db, 'quick'))!;
    expect(quick).toMatchObject({ stageId: slow.stageId, leaseEpoch: slow.leaseEpoch + 1, attempt: 2 });
    expect(quick.start).toMatchObject({ sameChain: true, manifest: { position: { epoch: 1, step: 0 } } });

    await expect(record(db, slow, { epoch: 2, step: 0 })).rejects.toMatchObject(stale);
    await expect(completeStage(db, leaseOf(slow))).rejects.toMatchObject(stale);
    await expect(
      endStage(db, { ...leaseOf(slow), status: 'diverged', message: 'late' }),
    ).rejects.toMatchObject(stale);
    await expect(
      failAttempt(db, { ...leaseOf(slow), code: 'X', message: 'late', maxAttempts: 3 }),
    ).rejects.toMatchObject(stale);
    await expect(handBack(db, leaseOf(slow))).rejects.toMatchObject(stale);
    expect(await beat(slow)).toEqual({ lost: [slow.stageId], stop: [] });
    expect(await beat(quick)).toEqual({ lost: [], stop: [] });
    const attempts = await query(
      db,
      'SELECT worker_id, outcome, fenced, epochs FROM attempts WHERE stage_id = $1 ORDER BY lease_epoch',
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

  test('a lease that ran out but was not taken over is still good', async () => {
    await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    await letExpire(claimed.stageId);
    await record(db, claimed, { epoch: 1, step: 0 });
    expect(await beat(claimed, { position: { epoch: 1, step: 7 }, imagesPerSecond: 12.5 })).toEqual({
      lost: [],
      stop: [],
    });
    expect((await reconcile(db, options)).expired).toEqual([]);
    expect(await stageRow(claimed.stageId)).toMatchObject({ epoch: 1, step: 7, images_per_second: 12.5 });
    await record(db, claimed, { epoch: 2, step: 0 });
    await completeStage(db, leaseOf(claimed));
  });

  test('a stage that someone is just writing to is left for the next beat, and is not expired', async () => {
    await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    await reconcile(db, options);
    await letExpire(claimed.stageId);
    const writer = await db.pool.connect();
    await writer.query('BEGIN');
    await writer.query('SELECT FROM stages WHERE id = $1 FOR UPDATE', [claimed.stageId]);
    expect(await beat(claimed)).toEqual({ lost: [], stop: [] });
    expect((await reconcile(db, options)).expired).toEqual([]);
    await writer.query('COMMIT');
    writer.release();
    expect(await beat({ ...claimed, stageId: 'none' })).toEqual({ lost: ['none'], stop: [] });
    await finish(db, claimed);
  });

  test('of many who reconcile at once, one does', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => reconcile(db, { ...options, everySeconds: 60 })),
    );
    expect(answers.filter((answer) => answer.done).length).toBeLessThan(2);
    expect(await reconcile(db, { ...options, everySeconds: 60 })).toMatchObject({ done: false });
    expect(await reconcile(db, options)).toMatchObject({ done: true, repaired: 0 });
  });

  test('after the database was away nothing expires before workers had time to come back', async () => {
    await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    await letExpire(claimed.stageId);
    await query(db, `UPDATE duties SET at = now() - interval '1 minute' WHERE name = 'reconcile'`);
    expect((await reconcile(db, options)).expired).toEqual([]);
    await letExpire(claimed.stageId);
    expect((await reconcile(db, options)).expired).toEqual([claimed.stageId]);
  });

  test('a clock that is set back holds nothing up: dead workers are noticed and what is ready can be claimed', async () => {
    await submit(db, { seeds: [seed, seed + 1_000_000] });
    const claimed = (await claim(db))!;
    // As an hour's jump leaves it: everything that was written before lies in the future.
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

  test('the same end again, its answer lost, changes nothing', async () => {
    await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    await train(db, claimed);
    await completeStage(db, leaseOf(claimed));
    expect(await completeStage(db, leaseOf(claimed))).toEqual({ readyStages: [] });
    const optimise = (await claim(db))!;
    await handBack(db, leaseOf(optimise));
    await handBack(db, leaseOf(optimise));
    expect(
      await query(db, 'SELECT fenced FROM attempts WHERE stage_id = ANY($1)', [
        [claimed.stageId, optimise.stageId],
      ]),
    ).toEqual([{ fenced: 0 }, { fenced: 0 }]);
  });
});

describe('record', () => {
  test('a position is recorded once; the same bits again are no change, others are noted', async () => {
    await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    const first = await record(db, claimed, { epoch: 1, step: 0 });
    expect(await record(db, claimed, { epoch: 1, step: 0 })).toEqual(first);
    const other = await record(db, claimed, { epoch: 1, step: 0 }, 'other');
    expect(other).toMatchObject({ hash: first.hash, matches: false });
    expect(
      await query(db, 'SELECT epochs, mismatches FROM attempts WHERE stage_id = $1', [claimed.stageId]),
    ).toEqual([{ epochs: 1, mismatches: 1 }]);
    expect(
      await query(
        db,
        `SELECT name, value FROM metrics m JOIN chains c ON c.id = m.chain_id WHERE c.hash = $1 ORDER BY name`,
        [claimed.spec.chain],
      ),
    ).toEqual([
      { name: 'attackerLoss', value: 1 },
      { name: 'defenderLoss', value: 2 },
    ]);
    await record(db, claimed, { epoch: 2, step: 0 });
    await completeStage(db, leaseOf(claimed));
  });

  test('moments are kept for the newest position and at the end of stages; mid-epoch states only while newest', async () => {
    await submit(db, { seeds: [seed], space: { optimiseEpochs: [3, 5] } });
    await finish(db, (await claim(db))!);
    const short = (await claim(db))!;
    expect(short.spec).toMatchObject({ kind: 'optimise', epochs: 3 });
    const positions = async () =>
      (
        await query<{ at: string }>(
          db,
          `SELECT p.epoch || '.' || p.step || CASE WHEN p.continuable THEN '+' ELSE '' END AS at FROM checkpoints p JOIN chains c ON c.id = p.chain_id
           WHERE c.hash = $1 ORDER BY p.epoch, p.step`,
          [short.spec.chain],
        )
      ).map((row) => row.at);
    await record(db, short, { epoch: 1, step: 0 });
    await record(db, short, { epoch: 1, step: 40 });
    expect(await positions()).toEqual(['1.0', '1.40+']);
    await record(db, short, { epoch: 2, step: 0 });
    expect(await positions()).toEqual(['1.0', '2.0+']);
    await record(db, short, { epoch: 3, step: 0 });
    await completeStage(db, leaseOf(short));
    const long = await claimStage(db, { workerId: 'w', leaseSeconds: 60, kinds: ['optimise'] });
    expect(long!.start).toMatchObject({ sameChain: true, manifest: { position: { epoch: 3, step: 0 } } });
    await record(db, long!, { epoch: 4, step: 0 });
    expect(await positions()).toEqual(['1.0', '2.0', '3.0+', '4.0+']);
    const dropped = stateAt(short.spec.chain, { epoch: 1, step: 40 });
    await expect(getBlobs(db, [...dropped.blobs.keys()])).rejects.toMatchObject({
      code: 'NOT_FOUND',
      details: { blobs: [...dropped.blobs.keys()] },
    });
    const second = stateAt(short.spec.chain, { epoch: 2, step: 0 }).manifest;
    const stored = await query<{ hash: string }>(
      db,
      'SELECT p.hash FROM checkpoints p JOIN chains c ON c.id = p.chain_id WHERE c.hash = $1 AND p.epoch = 2',
      [short.spec.chain],
    );
    expect(await getCheckpoint(db, stored[0]!.hash)).toEqual({ ...second, moments: null });
    await finish(db, {
      ...long!,
      start: { sameChain: true, manifest: stateAt(short.spec.chain, { epoch: 4, step: 0 }).manifest },
    });
  });

  test('a blob that is missing, or not what it is called, is refused and nothing is written', async () => {
    await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    const { manifest, blobs } = stateAt(claimed.spec.chain, { epoch: 1, step: 0 });
    const write = { ...leaseOf(claimed), manifest, metrics: { attackerLoss: 1 } };
    await expect(recordCheckpoint(db, { ...write, blobs: new Map() })).rejects.toMatchObject({
      code: 'INVALID_REQUEST',
    });
    const tampered = new Map([...blobs].map(([name, bytes]) => [name, new Uint8Array([...bytes, 1])]));
    await expect(recordCheckpoint(db, { ...write, blobs: tampered })).rejects.toThrow(
      /Expected bytes with sha-256/,
    );
    expect(await query(db, 'SELECT FROM chains WHERE hash = $1', [claimed.spec.chain])).toEqual([]);
    await expect(
      query(db, `INSERT INTO blobs (sha256, bytes) VALUES (repeat('0', 64), 'x')`),
    ).rejects.toThrow(/blobs_sha256_check/);
    await expect(completeStage(db, leaseOf(claimed))).rejects.toMatchObject({ code: 'INVALID_TRANSITION' });
    await finish(db, claimed);
  });
});

describe('ends', () => {
  test('a stage that diverges skips what needs it, and its trials say so', async () => {
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
    expect(await sweepStatus(db, sweepId)).toBe('completed');
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

  test('a poison stage fails after its attempts, with backoff between them and the last error', async () => {
    const { sweepId } = await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    await finish(db, (await claim(db))!);
    const poison = (await claim(db))!;
    const failure = { code: 'TRAINER_DIED', message: 'SIGABRT', maxAttempts: 3 };
    expect(await failAttempt(db, { ...leaseOf(poison), ...failure })).toMatchObject({ failed: false });
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
    expect(
      await failAttempt(db, { ...leaseOf(third.claimed), ...failure, message: 'SIGABRT again' }),
    ).toMatchObject({ failed: true });
    await drain(db);
    expect((await trialStatuses(db, sweepId)).sort()).toEqual(['completed', 'failed']);
    expect(await sweepStatus(db, sweepId)).toBe('completed');
    expect(await stageRow(poison.stageId)).toMatchObject({
      status: 'failed',
      error_message: 'SIGABRT again',
    });
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('a new epoch forgives the failures before it; handing back costs no attempt', async () => {
    await submit(db, { seeds: [seed] });
    const first = (await claim(db))!;
    const fail = (claimed: ClaimedStage) =>
      failAttempt(db, { ...leaseOf(claimed), code: 'X', message: 'x', maxAttempts: 2 });
    await fail(first);
    await query(db, 'UPDATE stages SET ready_at = now() WHERE id = $1', [first.stageId]);
    const second = (await claim(db))!;
    expect(second.attempt).toBe(2);
    await record(db, second, { epoch: 1, step: 0 });
    expect(await fail(second)).toMatchObject({ failed: false });
    await query(db, 'UPDATE stages SET ready_at = now() WHERE id = $1', [first.stageId]);
    const third = (await claim(db))!;
    expect(await handBack(db, leaseOf(third))).toEqual({ readyStages: [third.stageId] });
    const fourth = (await claim(db))!;
    expect(fourth).toMatchObject({ attempt: 2, leaseEpoch: 4 });
    await finish(db, fourth);
  });

  test('leases that run out again and again without progress end in failure', async () => {
    const { sweepId } = await submit(db, { seeds: [seed] });
    await reconcile(db, options);
    let expired = 0;
    for (let claimed = await claim(db); claimed && expired < 50; claimed = await claim(db)) {
      await letExpire(claimed.stageId);
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
