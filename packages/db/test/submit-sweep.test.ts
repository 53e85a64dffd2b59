import type { SweepInput } from '@funnel/contracts';
import { outlineSweep } from '@funnel/planner';
import { describe, expect, test } from 'vitest';
import { cancelSweep } from '../src/index.ts';
import { type StageRow, specOf } from '../src/lifecycle/stage-row.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, finish, record } from './support/simulated-trainer.ts';
import { definition, submit } from './support/submit.ts';
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

describe('a submitted sweep', () => {
  test('has trials, shared stages, statuses and counts', async () => {
    await takeOutbox(db);
    const { sweepId, created, plan } = await submit(db, {
      seeds: [seed],
      space: { gamma: [1, 2, 3] },
    });
    expect(created).toBe(true);
    expect(await stageCounts(db, sweepId)).toEqual({
      'initialise:ready': 1,
      'optimise:waiting': 3,
      'classify:waiting': 3,
      'attack:waiting': 3,
    });
    const [initialise] = await query<{ id: string }>(
      db,
      `SELECT s.id FROM sweep_stages l JOIN stages s ON s.id = l.stage_id WHERE l.sweep_id = $1 AND s.status = 'ready'`,
      [sweepId],
    );
    expect(await takeOutbox(db)).toEqual([initialise!.id]);
    expect(plan.epochs).toEqual({ unshared: 18, needed: 14, cached: 0 });
    expect(await trialStatuses(db, sweepId)).toEqual(['waiting', 'waiting', 'waiting']);
    expect(await wrongCounts(db)).toEqual([]);
    const trials = await query(db, 'SELECT id, number FROM trials WHERE sweep_id = $1 ORDER BY number', [
      sweepId,
    ]);
    expect(trials[1]).toEqual({ id: `${sweepId}-00001`, number: 1 });
  });

  test('has every stage exactly as planned, also stages that share values with others', async () => {
    const input: Partial<SweepInput> = {
      seeds: [seed, seed + 1000],
      recipes: ['funn', 'classic', 'magnet'],
      space: { gamma: [1, 2], initialiseEpochs: [2, 3] },
      attacks: ['fgsm', { attack: 'pgd-linf', epsilon: 0.1 }, 'transfer-linf'],
    };
    const { sweepId } = await submit(db, input);
    const rows = await db.pool.query<StageRow>(
      'SELECT s.* FROM sweep_stages l JOIN stages s ON s.id = l.stage_id WHERE l.sweep_id = $1 ORDER BY s.id',
      [sweepId],
    );
    const planned = [...outlineSweep(definition(input), 'engine-1').stages].sort((a, b) =>
      a.id < b.id ? -1 : 1,
    );
    expect(new Set(planned.map(({ kind }) => kind)).size).toBeGreaterThan(3);
    expect(rows.rows.map(specOf)).toEqual(planned.map(({ need: _, ...spec }) => spec));
    const needs = await query(
      db,
      `SELECT n.kind, n.method, n.engine_version AS "engineVersion", n.dataset, n.digest, n.images, n.memory_bytes::int AS "memoryBytes"
       FROM sweep_stages l JOIN stages s ON s.id = l.stage_id JOIN needs n ON n.id = s.need_id WHERE l.sweep_id = $1 ORDER BY s.id`,
      [sweepId],
    );
    expect(needs).toEqual(planned.map(({ need }) => need));
    expect(rows.rows.map((row) => row.depends_on === null)).toEqual(
      rows.rows.map((row) => row.status === 'ready'),
    );
  });

  test('trains as many epochs as were planned, and ends', async () => {
    const { sweepId, plan } = await submit(db, {
      seeds: [seed],
      space: { gamma: [1, 2], optimiseEpochs: [2, 5] },
    });
    const { epochs } = await drain(db);
    expect(epochs).toBe(plan.epochs.needed);
    expect(await trained(db, sweepId)).toBe(plan.epochs.needed);
    expect(await sweepStatus(db, sweepId)).toBe('completed');
    expect(new Set(await trialStatuses(db, sweepId))).toEqual(new Set(['completed']));
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('uses all results of an earlier sweep', async () => {
    const first = await submit(db, { seeds: [seed] });
    await drain(db);
    const second = await submit(db, { seeds: [seed] });
    expect(second.plan.epochs).toMatchObject({ needed: 0, cached: 6 });
    expect(second.sweepId > first.sweepId).toBe(true);
    expect(await sweepStatus(db, second.sweepId)).toBe('completed');
    expect(await claim(db)).toBeNull();
    const scores = 'SELECT metric, value, ordinal FROM scores WHERE sweep_id = $1 ORDER BY 1, 3';
    expect(await query(db, scores, [second.sweepId])).toEqual(await query(db, scores, [first.sweepId]));
    expect(await query(db, scores, [second.sweepId])).toHaveLength(12);
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('of a thousand stages finds the existing ones of each generation, and its counts agree with its rows', async () => {
    await submit(db, { seeds: [seed], space: { gamma: [1, 2, 3] } });
    const gamma = Array.from({ length: 340 }, (_, i) => i + 1);
    const { plan, sweepId } = await submit(db, { seeds: [seed], space: { gamma } });
    expect(plan.stages).toMatchObject({
      initialise: { total: 1, cached: 1 },
      optimise: { total: 340, cached: 3 },
      classify: { total: 340, cached: 3 },
      attack: { total: 340, cached: 3 },
    });
    await takeOutbox(db);
    const fresh = await submit(db, { seeds: [seed + 1000], space: { gamma } });
    expect(await takeOutbox(db)).toHaveLength(1);
    expect(await wrongCounts(db)).toEqual([]);
    for (const id of [sweepId, fresh.sweepId]) await cancelSweep(db, id);
    const again = await submit(db, { seeds: [seed + 1000], space: { gamma } });
    expect(again.plan.stages).toMatchObject({ initialise: { cached: 0 }, optimise: { cached: 0 } });
    expect(await stageCounts(db, again.sweepId)).toMatchObject({
      'initialise:ready': 1,
      'optimise:waiting': 340,
    });
    expect(await wrongCounts(db)).toEqual([]);
    await cancelSweep(db, again.sweepId);
  });

  test('waits for unfinished stages of another sweep, and does not repeat them', async () => {
    const first = await submit(db, { seeds: [seed] });
    const claimed = await claim(db);
    const second = await submit(db, { seeds: [seed], space: { gamma: 9 } });
    expect(second.plan.epochs).toMatchObject({ needed: 4, cached: 2 });
    expect(await trialStatuses(db, second.sweepId)).toEqual(['running']);
    expect(await claim(db)).toBeNull();
    const epochs = (await finish(db, claimed!)) + (await drain(db)).epochs;
    expect(epochs).toBe(first.plan.epochs.needed + second.plan.epochs.needed);
    expect(await trained(db, second.sweepId)).toBe(4);
    expect(await sweepStatus(db, second.sweepId)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('of fewer epochs completes when a longer one records its last epoch, or has recorded it', async () => {
    const long = await submit(db, { seeds: [seed], space: { optimiseEpochs: 6 } });
    await finish(db, (await claim(db))!);
    const optimise = (await claim(db))!;
    await record(db, optimise, { epoch: 1, step: 0 });
    await record(db, optimise, { epoch: 2, step: 0 });
    const passed = await submit(db, { seeds: [seed], space: { optimiseEpochs: 2 } });
    const carried = await submit(db, { seeds: [seed], space: { optimiseEpochs: 4 } });
    expect(passed.plan.epochs.needed).toBe(1);
    expect(carried.plan.epochs.needed).toBe(1);
    expect(await stageCounts(db, passed.sweepId)).toMatchObject({
      'optimise:completed': 1,
      'classify:ready': 1,
    });
    expect(await stageCounts(db, carried.sweepId)).toMatchObject({
      'optimise:waiting': 1,
      'classify:waiting': 1,
    });
    await record(db, optimise, { epoch: 3, step: 0 });
    await takeOutbox(db);
    await record(db, optimise, { epoch: 4, step: 0 });
    expect(await stageCounts(db, carried.sweepId)).toMatchObject({
      'optimise:completed': 1,
      'classify:ready': 1,
    });
    expect(await takeOutbox(db)).toHaveLength(1);
    await finish(db, { ...optimise, start: { ...(await claimStart(optimise.stageId)), sameChain: true } });
    await drain(db);
    for (const sweep of [long, passed, carried]) {
      expect(await trained(db, sweep.sweepId)).toBe(sweep.plan.epochs.needed);
      expect(await sweepStatus(db, sweep.sweepId)).toBe('completed');
    }
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('of more epochs continues from one of fewer', async () => {
    await submit(db, { seeds: [seed], space: { optimiseEpochs: 2 } });
    await drain(db);
    const { plan, sweepId } = await submit(db, { seeds: [seed], space: { optimiseEpochs: 5 } });
    expect(plan.epochs.needed).toBe(4);
    const optimise = (await claim(db))!;
    expect(optimise.start).toMatchObject({ sameChain: true, manifest: { position: { epoch: 2, step: 0 } } });
    await finish(db, optimise);
    await drain(db);
    expect(await trained(db, sweepId)).toBe(4);
  });

  test('is found by its idempotency key, and the same key with another body is a conflict', async () => {
    const key = { key: `key-${seed}`, bodyHash: 'a' };
    const first = await submit(db, { seeds: [seed] }, key);
    const again = await submit(db, { seeds: [seed] }, key);
    expect(again).toMatchObject({ sweepId: first.sweepId, created: false });
    await expect(submit(db, { seeds: [seed + 1000] }, { ...key, bodyHash: 'b' })).rejects.toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    const sent = { key: `together-${seed}`, bodyHash: 'a' };
    const all = await Promise.all(Array.from({ length: 5 }, () => submit(db, { seeds: [seed] }, sent)));
    expect(new Set(all.map((one) => one.sweepId)).size).toBe(1);
    expect(all.filter((one) => one.created)).toHaveLength(1);
  });

  test('trains everything once when many submit it at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 6 }, () => submit(db, { seeds: [seed], space: { gamma: [1, 2] } })),
    );
    expect(all.map((one) => one.plan.epochs.needed).sort((a, b) => a - b)).toEqual([0, 0, 0, 0, 0, 10]);
    const { epochs } = await drain(db);
    expect(epochs).toBe(10);
    for (const { sweepId } of all) expect(await sweepStatus(db, sweepId)).toBe('completed');
    expect(await wrongCounts(db)).toEqual([]);
  });
});

const claimStart = async (stageId: string) => {
  const [row] = await query<{ manifest: never }>(
    db,
    `SELECT p.manifest FROM stages s JOIN chains c ON c.hash = s.chain JOIN checkpoints p ON p.chain_id = c.id
     WHERE s.id = $1 ORDER BY p.epoch DESC LIMIT 1`,
    [stageId],
  );
  return { manifest: row!.manifest };
};
