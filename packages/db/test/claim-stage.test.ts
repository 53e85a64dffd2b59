/** The stage that a claim gives to a worker. */
import { describe, expect, test } from 'vitest';
import { type ClaimedStage, cancelSweep, claimStage, getBlobs, releaseStage } from '../src/index.ts';
import { leaseOf } from './support/attempts.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, finish, sha256, stateAt } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, wrongCounts } from './support/tables.ts';

shareDb();

describe('claim', () => {
  test('gives every stage exactly once to twenty workers at the same time', async () => {
    const gammas = Array.from({ length: 10 }, (_, i) => i + 1);
    const { plan } = await submit(db, { seeds: [seed, seed + 500], space: { gamma: gammas } });
    const stages = 2 + 3 * 20;
    const done: string[] = [];
    let epochs = 0;
    const runWorker = async (worker: number) => {
      while (done.length < stages) {
        const claimed = await claim(db, `worker-${worker}`);
        if (!claimed) continue;
        const now = await finish(db, claimed);
        epochs += now;
        done.push(claimed.stageId);
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, i) => runWorker(i)));
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

  test('prefers the higher priority, then the sweep with the fewest running stages, then the first trial', async () => {
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
    for (const one of claimed) await releaseStage(db, leaseOf(one));
  });

  test('gives only stages of the requested kinds and sweep', async () => {
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
      fencingToken: 1,
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

  test('keeps to the limit of a sweep when many workers claim at once; other sweeps go on', async () => {
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
    await releaseStage(db, leaseOf(second));
    expect(await claimStage(db, { ...request, sweep: limited.sweepId })).not.toBeNull();
    await cancelSweep(db, limited.sweepId);
    await cancelSweep(db, other.sweepId);
  });

  test('gives the networks of the parent as start, without its moments', async () => {
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

  test('after a lost answer gives the stage of that claim again, with the same fencing token, and nothing that the worker knows', async () => {
    const { sweepId } = await submit(db, { seeds: [seed, seed + 1] });
    const request = { workerId: 'unanswered', leaseSeconds: 60, sweep: sweepId };
    const known = (await claimStage(db, request))!;
    const lost = (await claimStage(db, request))!;
    expect(await claimStage(db, { ...request, known: [known.stageId] })).toEqual(lost);
    expect(await claimStage(db, { ...request, workerId: 'another', known: [] })).toBeNull();
    expect(await claimStage(db, { ...request, known: [known.stageId, lost.stageId] })).toBeNull();
    await releaseStage(db, leaseOf(lost));
    expect((await claimStage(db, { ...request, known: [known.stageId] }))!.fencingToken).toBe(
      lost.fencingToken + 1,
    );
    expect(await wrongCounts(db)).toEqual([]);
    await cancelSweep(db, sweepId);
  });
});
