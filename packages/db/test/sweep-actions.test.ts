import { describe, expect, test } from 'vitest';
import {
  cancelSweep,
  completeStage,
  deleteSweep,
  failAttempt,
  getSweep,
  pauseSweep,
  releaseStage,
  resumeSweep,
  retrySweep,
} from '../src/index.ts';
import { beat, leaseOf } from './support/attempts.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, finish, record } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import {
  query,
  stageCounts,
  sweepStatus,
  takeOutbox,
  trained,
  trialStatuses,
  wrongCounts,
} from './support/tables.ts';

shareDb();

describe('pause and resume', () => {
  test('start no other stages, stop running ones at a checkpoint, and go on from there', async () => {
    const { sweepId } = await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    await record(db, claimed, { epoch: 1, step: 0 });
    await pauseSweep(db, sweepId);
    expect(await beat(db, claimed)).toMatchObject({
      lost: [],
      stop: [{ stageId: claimed.stageId, reason: 'pause' }],
    });
    await record(db, claimed, { epoch: 1, step: 5 });
    await releaseStage(db, leaseOf(claimed));
    expect(await claim(db)).toBeNull();
    expect(await sweepStatus(db, sweepId)).toBe('paused');
    await expect(pauseSweep(db, sweepId)).rejects.toMatchObject({ code: 'INVALID_TRANSITION' });
    await takeOutbox(db);
    await resumeSweep(db, sweepId);
    expect(await takeOutbox(db)).toEqual([claimed.stageId]);
    const again = (await claim(db))!;
    expect(again).toMatchObject({
      attempt: 1,
      start: { sameChain: true, manifest: { position: { epoch: 1, step: 5 } } },
    });
    await finish(db, again);
    await drain(db);
    expect(await sweepStatus(db, sweepId)).toBe('completed');
    expect(await trained(db, sweepId)).toBe(6);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('do not stop a later sweep that needs the same stages, whose progress has all work that it waited for', async () => {
    const first = await submit(db, { name: 'P1', seeds: [seed] });
    const claimed = (await claim(db))!;
    await record(db, claimed, { epoch: 1, step: 0 });
    await releaseStage(db, leaseOf(claimed));
    await pauseSweep(db, first.sweepId);
    const second = await submit(db, { name: 'P2', seeds: [seed] });
    expect(second.plan).toMatchObject({
      epochs: { needed: 0, cached: 6 },
      awaited: { epochs: 5, attacks: 1, sweeps: [{ id: first.sweepId, name: 'P1', status: 'paused' }] },
    });
    const progress = async (id: string) => {
      const { epochs, progress } = await getSweep(db, id);
      return { ...epochs, progress };
    };
    expect(await progress(first.sweepId)).toEqual({ done: 1, total: 6, progress: 1 / 7 });
    expect(await progress(second.sweepId)).toEqual({ done: 0, total: 5, progress: 1 / 7 });

    const again = (await claim(db))!;
    expect(again.stageId).toBe(claimed.stageId);
    await finish(db, again);
    expect(await progress(second.sweepId)).toEqual({ done: 1, total: 5, progress: 2 / 7 });
    await finish(db, (await claim(db))!);
    expect(await progress(first.sweepId)).toEqual({ done: 5, total: 6, progress: 5 / 7 });
    expect(await progress(second.sweepId)).toEqual({ done: 4, total: 5, progress: 5 / 7 });
    await drain(db);
    expect(await progress(second.sweepId)).toEqual({ done: 5, total: 5, progress: 1 });
    expect(await sweepStatus(db, second.sweepId)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('of a longer run count for a later, shorter sweep only up to its end', async () => {
    await submit(db, { seeds: [seed], space: { optimiseEpochs: 5 } });
    const { sweepId, plan } = await submit(db, { seeds: [seed], space: { optimiseEpochs: 2 } });
    expect(plan).toMatchObject({ epochs: { needed: 1 }, awaited: { epochs: 4, attacks: 0 } });
    await drain(db);
    const { epochs, progress, epochsTrained } = await getSweep(db, sweepId);
    expect({ epochs, progress, epochsTrained }).toEqual({
      ...{ epochs: { done: 5, total: 5 }, progress: 1, epochsTrained: 1 },
    });
  });

  test('keep stages running that another running sweep needs, and schedule them for that sweep', async () => {
    const first = await submit(db, { seeds: [seed] });
    const second = await submit(db, { seeds: [seed], space: { gamma: 7 } });
    const claimed = (await claim(db))!;
    await pauseSweep(db, first.sweepId);
    expect(await beat(db, claimed)).toMatchObject({ lost: [], stop: [] });
    await finish(db, claimed);
    await drain(db);
    expect(await sweepStatus(db, second.sweepId)).toBe('completed');
    expect(await sweepStatus(db, first.sweepId)).toBe('paused');
    await resumeSweep(db, first.sweepId);
    await drain(db);
    expect(await sweepStatus(db, first.sweepId)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('a paused longer stage does not hold up the shorter ones of other sweeps', async () => {
    const long = await submit(db, { seeds: [seed], space: { optimiseEpochs: 6 } });
    await finish(db, (await claim(db))!);
    const short = await submit(db, { seeds: [seed], space: { optimiseEpochs: 4 } });
    expect(await stageCounts(db, short.sweepId)).toMatchObject({ 'optimise:waiting': 1 });
    await pauseSweep(db, long.sweepId);
    await drain(db);
    expect(await sweepStatus(db, short.sweepId)).toBe('completed');
    await resumeSweep(db, long.sweepId);
    await drain(db);
    expect(await sweepStatus(db, long.sweepId)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });
});

describe('a stage that is scheduled for a sweep that has ended', () => {
  test('is claimed for the sweep that still needs it', async () => {
    const long = await submit(db, { seeds: [seed], space: { optimiseEpochs: 6 }, priority: 10 });
    await finish(db, (await claim(db))!);
    const short = await submit(db, { seeds: [seed], space: { optimiseEpochs: 2 }, priority: 90 });
    const carrier = (await claim(db))!;
    for (const epoch of [1, 2]) await record(db, carrier, { epoch, step: 0 });
    for (let i = 0; i < 2; i++) await finish(db, (await claim(db))!);
    expect(await sweepStatus(db, short.sweepId)).toBe('completed');
    await releaseStage(db, leaseOf(carrier));
    const again = (await claim(db))!;
    expect(again.stageId).toBe(carrier.stageId);
    await finish(db, again);
    await drain(db);
    expect(await sweepStatus(db, long.sweepId)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('runs for the sweeps that wait for it when a third sweep reopens it', async () => {
    const ended = await submit(db, { seeds: [seed] });
    const other = await submit(db, { seeds: [seed], space: { gamma: 7 } });
    const live = await submit(db, { seeds: [seed, seed + 500] });
    const poison = (await claim(db))!;
    await failAttempt(db, { ...leaseOf(poison), code: 'X', message: 'x', maxAttempts: 1 });
    for (const { sweepId } of [ended, other]) expect(await sweepStatus(db, sweepId)).toBe('failed');
    expect((await trialStatuses(db, live.sweepId)).sort()).toEqual(['failed', 'waiting']);
    await retrySweep(db, other.sweepId);
    await drain(db);
    expect(await trialStatuses(db, live.sweepId)).toEqual(['completed', 'completed']);
    expect(await wrongCounts(db)).toEqual([]);
  });
});

describe('cancel', () => {
  test('acts at once and keeps finished results', async () => {
    const { sweepId } = await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    for (let i = 0; i < 4; i++) await finish(db, (await claim(db))!);
    const claimed = (await claim(db))!;
    await cancelSweep(db, sweepId);
    expect(await beat(db, claimed)).toMatchObject({
      lost: [],
      stop: [{ stageId: claimed.stageId, reason: 'cancel' }],
    });
    await expect(record(db, claimed, { epoch: 1, step: 0 })).rejects.toMatchObject({ code: 'STALE_LEASE' });
    expect(await claim(db)).toBeNull();
    expect((await trialStatuses(db, sweepId)).sort()).toEqual(['cancelled', 'completed']);
    expect(await sweepStatus(db, sweepId)).toBe('cancelled');
    await expect(cancelSweep(db, sweepId)).rejects.toMatchObject({ code: 'INVALID_TRANSITION' });
    await expect(retrySweep(db, sweepId)).rejects.toMatchObject({
      code: 'INVALID_TRANSITION',
      message: `Expected, to retry, a sweep that is running, paused, completed, completed with failures or failed, but ${sweepId} is cancelled`,
      details: {
        hint: 'A cancelled sweep does not go on. Submit its file again, with the same --set: `npx funnel submit FILE`. The new sweep takes all results of this one, and computes nothing twice.',
      },
    });
    await expect(cancelSweep(db, 'nothing')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await wrongCounts(db)).toEqual([]);

    const again = await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    expect(again.plan.epochs).toMatchObject({ needed: 4, cached: 6 });
    await drain(db);
    expect(await sweepStatus(db, again.sweepId)).toBe('completed');
    expect((await trialStatuses(db, sweepId)).sort()).toEqual(['cancelled', 'completed']);
    expect(await trained(db, again.sweepId)).toBe(4);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('stops only stages that no other live sweep needs', async () => {
    const first = await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    const second = await submit(db, { seeds: [seed], space: { gamma: [2, 3] } });
    const claimed = (await claim(db))!;
    await cancelSweep(db, first.sweepId);
    expect(await beat(db, claimed)).toMatchObject({ lost: [], stop: [] });
    await finish(db, claimed);
    await drain(db);
    expect(await sweepStatus(db, second.sweepId)).toBe('completed');
    expect(await trialStatuses(db, first.sweepId)).toEqual(['cancelled', 'cancelled']);
    expect(await stageCounts(db, first.sweepId)).toEqual({
      'initialise:completed': 1,
      'optimise:completed': 1,
      'optimise:cancelled': 1,
      'classify:completed': 1,
      'classify:cancelled': 1,
      'attack:completed': 1,
      'attack:cancelled': 1,
    });
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('lets shorter stages that a cancelled one carried go on from its last checkpoint, up to their own last epochs', async () => {
    const long = await submit(db, { seeds: [seed], space: { optimiseEpochs: 9 } });
    await finish(db, (await claim(db))!);
    const carrier = (await claim(db))!;
    for (const epoch of [1, 2]) await record(db, carrier, { epoch, step: 0 });
    const middle = await submit(db, { seeds: [seed], space: { optimiseEpochs: 5 } });
    const short = await submit(db, { seeds: [seed], space: { optimiseEpochs: 3 } });
    await takeOutbox(db);
    await cancelSweep(db, long.sweepId);
    const announced = await takeOutbox(db);
    expect(await beat(db, carrier)).toMatchObject({
      lost: [],
      stop: [{ stageId: carrier.stageId, reason: 'cancel' }],
    });
    const next = (await claim(db))!;
    expect(next).toMatchObject({ spec: { epochs: 5 }, start: { manifest: { position: { epoch: 2 } } } });
    expect(announced).toEqual([next.stageId]);
    expect(await finish(db, next)).toBe(3);
    await drain(db);
    for (const sweep of [middle, short]) expect(await sweepStatus(db, sweep.sweepId)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('keeps a stage from which others continue', async () => {
    const short = await submit(db, { seeds: [seed], space: { optimiseEpochs: 3 } });
    const long = await submit(db, { seeds: [seed], space: { optimiseEpochs: 5 } });
    await cancelSweep(db, short.sweepId);
    await drain(db);
    expect(await sweepStatus(db, long.sweepId)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });
});

describe('retry', () => {
  test('gives failed stages new attempts and opens their trials again', async () => {
    const { sweepId } = await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    await finish(db, (await claim(db))!);
    const poison = (await claim(db))!;
    await failAttempt(db, { ...leaseOf(poison), code: 'X', message: 'x', maxAttempts: 1 });
    await drain(db);
    expect((await trialStatuses(db, sweepId)).sort()).toEqual(['completed', 'failed']);
    await takeOutbox(db);
    await retrySweep(db, sweepId);
    expect(await takeOutbox(db)).toEqual([poison.stageId]);
    expect(await sweepStatus(db, sweepId)).toBe('running');
    expect((await trialStatuses(db, sweepId)).sort()).toEqual(['completed', 'waiting']);
    expect(await wrongCounts(db)).toEqual([]);
    await drain(db);
    expect(await trialStatuses(db, sweepId)).toEqual(['completed', 'completed']);
    expect(await sweepStatus(db, sweepId)).toBe('completed');
    await expect(retrySweep(db, sweepId)).rejects.toMatchObject({ code: 'INVALID_TRANSITION' });
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('a submission of another sweep reopens failed stages too, and the first sweep gets their result', async () => {
    const first = await submit(db, { seeds: [seed] });
    const poison = (await claim(db))!;
    await failAttempt(db, { ...leaseOf(poison), code: 'X', message: 'x', maxAttempts: 1 });
    expect(await trialStatuses(db, first.sweepId)).toEqual(['failed']);
    const second = await submit(db, { seeds: [seed] });
    expect(second.plan.epochs.needed).toBe(6);
    expect(await trialStatuses(db, first.sweepId)).toEqual(['failed']);
    await drain(db);
    expect(await trialStatuses(db, first.sweepId)).toEqual(['completed']);
    expect(await trialStatuses(db, second.sweepId)).toEqual(['completed']);
    expect(await trained(db, second.sweepId)).toBe(6);
    expect(await wrongCounts(db)).toEqual([]);
  });
});

describe('delete', () => {
  test('deletes the rows that only this sweep needed, keeps the rows that others need, and leaves no link to a missing row', async () => {
    const first = await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    await expect(deleteSweep(db, first.sweepId)).rejects.toMatchObject({ code: 'INVALID_TRANSITION' });
    await drain(db);
    const second = await submit(db, { seeds: [seed], space: { gamma: 2 } });
    const before = await query(db, 'SELECT metric, value FROM scores WHERE sweep_id = $1 ORDER BY 1, 2', [
      second.sweepId,
    ]);
    await deleteSweep(db, first.sweepId);
    await expect(deleteSweep(db, first.sweepId)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await stageCounts(db, second.sweepId)).toEqual({
      'initialise:completed': 1,
      'optimise:completed': 1,
      'classify:completed': 1,
      'attack:completed': 1,
    });
    expect(
      await query(db, 'SELECT metric, value FROM scores WHERE sweep_id = $1 ORDER BY 1, 2', [second.sweepId]),
    ).toEqual(before);
    // A submission relies on this when it looks for existing stages.
    const strays = `SELECT id FROM stages s WHERE NOT EXISTS (SELECT FROM stages p WHERE p.id = s.parent) AND parent IS NOT NULL`;
    expect(await query(db, strays)).toEqual([]);
    await deleteSweep(db, second.sweepId);
    const left = await query(
      db,
      `SELECT (SELECT count(*) FROM trial_stages ts WHERE NOT EXISTS (SELECT FROM trials t WHERE t.id = ts.trial_id)) AS links,
         (SELECT count(*) FROM sweep_stages l WHERE NOT EXISTS (SELECT FROM sweeps w WHERE w.id = l.sweep_id)) AS stages,
         (SELECT count(*) FROM stages s WHERE NOT EXISTS (SELECT FROM sweep_stages l WHERE l.stage_id = s.id)) AS orphans,
         (SELECT count(*) FROM chains c WHERE NOT EXISTS (SELECT FROM stages s WHERE s.chain = c.hash)) AS chains,
         (SELECT count(*) FROM blobs b WHERE NOT EXISTS (SELECT FROM checkpoint_blobs r WHERE r.sha256 = b.sha256)) AS blobs`,
    );
    expect(left).toEqual([{ links: 0, stages: 0, orphans: 0, chains: 0, blobs: 0 }]);
    const again = await submit(db, { seeds: [seed] });
    expect(again.plan.epochs).toMatchObject({ needed: 6, cached: 0 });
  });

  test('works while others go on with epochs that were planned for the deleted sweep', async () => {
    const first = await submit(db, { seeds: [seed] });
    const second = await submit(db, { seeds: [seed], space: { gamma: 3 } });
    const claimed = (await claim(db))!;
    await cancelSweep(db, first.sweepId);
    await deleteSweep(db, first.sweepId);
    await finish(db, claimed);
    await drain(db);
    expect(await sweepStatus(db, second.sweepId)).toBe('completed');
    await expect(completeStage(db, leaseOf(claimed))).resolves.toBeUndefined();
    expect(await wrongCounts(db)).toEqual([]);
  });
});
