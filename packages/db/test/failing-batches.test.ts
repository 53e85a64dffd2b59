/** A batch that fails every time: a trigger refuses to change the stages of one sweep. Pauses are ended by hand, so that no test waits. */
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  cancelSweep,
  continueActions,
  continuePropagation,
  deleteSweep,
  listFailingBatches,
  readServiceCounts,
  reconcile,
} from '../src/index.ts';
import { options } from './support/attempts.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, stageCounts, sweepStatus } from './support/tables.ts';

shareDb();

const broken = { message: expect.stringContaining('broken on purpose') };

/** Refuses the changes of `table` that `when` says. Returns a function that mends this. */
const breakTable = async (
  table: 'stages' | 'sweep_counts',
  when: string,
): Promise<() => Promise<unknown>> => {
  await query(
    db,
    `CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'broken on purpose'; END $$;
     CREATE TRIGGER refuse BEFORE ${when} EXECUTE FUNCTION refuse()`,
  );
  const mend = () => query(db, `DROP TRIGGER IF EXISTS refuse ON ${table}`);
  onTestFinished(async () => void (await mend()));
  return mend;
};

/** Refuses changes of the stages of a sweep. */
const breakStages = (sweepId: string) =>
  breakTable('stages', `UPDATE ON stages FOR EACH ROW WHEN (OLD.planned_by = '${sweepId}')`);

/** Refuses changes of the counts of a sweep, but not their deletion. */
const breakCounts = (sweepId: string) =>
  breakTable(
    'sweep_counts',
    `INSERT OR UPDATE ON sweep_counts FOR EACH ROW WHEN (NEW.sweep_id = '${sweepId}')`,
  );

const endPauses = () =>
  query(db, 'UPDATE propagations SET due_at = now(); UPDATE sweep_actions SET due_at = now()');

/** Minutes until the rows are due that have failed; whole ones, so that a slow machine changes nothing. */
const pauses = async (): Promise<number[]> => {
  const rows = await query<{ minutes: number }>(
    db,
    `SELECT ceil(extract(epoch FROM due_at - now()) / 60)::int AS minutes FROM propagations WHERE failures > 0`,
  );
  return rows.map(({ minutes }) => minutes);
};

/** Does all batches that are due. A batch of the broken sweep may fail. */
const continueAll = async (): Promise<void> => {
  for (;;) {
    try {
      if (!(await continuePropagation(db))) return;
    } catch (error) {
      expect(error).toMatchObject(broken);
    }
  }
};

const failingOf = async (table: string) =>
  (await readServiceCounts(db)).failingBatches.find((row) => row.table === table)!.count;

describe('a row of propagations that always fails', () => {
  const trials = 250;
  /** A sweep of which `initialise` has completed: the first 200 stages that waited for it are ready, and the others are left for a batch. */
  const submitBegun = async (of: number): Promise<{ sweepId: string; initialise: string }> => {
    const space = { gamma: { min: 1, max: 64, count: trials } };
    const { sweepId } = await submit(db, { seeds: [of], space });
    const [row] = await query<{ id: string }>(
      db,
      `SELECT id FROM stages WHERE planned_by = $1 AND kind = 'initialise'`,
      [sweepId],
    );
    let claimed = await claim(db);
    while (claimed && claimed.stageId !== row!.id) {
      await finish(db, claimed);
      claimed = await claim(db);
    }
    await finish(db, claimed!);
    // No later claim of the test gets them.
    await query(db, `UPDATE stages SET ready_at = now() + interval '1 day' WHERE planned_by = $1`, [sweepId]);
    return { sweepId, initialise: row!.id };
  };

  test('delays neither other sweeps nor repairs, says that it fails, and goes on when the cause is mended', async () => {
    const bad = await submitBegun(seed);
    const good = await submitBegun(seed + 1_000_000);
    const mend = await breakStages(bad.sweepId);
    const small = await submit(db, { seeds: [seed + 2_000_000] });
    await expect(continuePropagation(db)).rejects.toMatchObject(broken); // the rows of both sweeps share a batch
    expect(await failingOf('propagations')).toBe(2);
    await endPauses();
    await continueAll();
    expect(await stageCounts(db, good.sweepId)).toMatchObject({ 'optimise:ready': trials });
    expect(await stageCounts(db, bad.sweepId)).toMatchObject({ 'optimise:waiting': trials - 200 });

    expect(await failingOf('propagations')).toBe(1);
    const failing = await listFailingBatches(db);
    expect(failing).toMatchObject([
      { what: 'dependants', subject: bad.initialise, error: expect.stringContaining('broken on purpose') },
    ]);
    expect(failing[0]!.failures).toBeGreaterThan(1);

    // A mistake in another sweep is repaired, and the stages of the failing row are left to it.
    await query(
      db,
      `UPDATE stages SET status = 'completed' WHERE planned_by = $1 AND kind IN ('initialise', 'optimise')`,
      [small.sweepId],
    );
    await query(db, `DELETE FROM duties WHERE name = 'repair'`);
    expect(await reconcile(db, options)).toMatchObject({ done: true, repaired: 1 });
    const [classify] = await query(
      db,
      `SELECT status FROM stages WHERE planned_by = $1 AND kind = 'classify'`,
      [small.sweepId],
    );
    expect(classify).toEqual({ status: 'ready' });

    // 2^11 s are 35 minutes, and no pause is longer than an hour.
    for (const [before, minutes] of [
      [10, 35],
      [11, 60],
      [1_000_000, 60],
    ] as const) {
      await query(db, 'UPDATE propagations SET due_at = now(), failures = $1', [before]);
      await expect(continuePropagation(db)).rejects.toMatchObject(broken);
      expect(await pauses()).toEqual([minutes]);
    }
    await mend();
    await endPauses();
    await continueAll();
    expect(await stageCounts(db, bad.sweepId)).toMatchObject({ 'optimise:ready': trials });
    expect(await listFailingBatches(db)).toEqual([]);
    for (const { sweepId } of [bad, good, small]) await cancelSweep(db, sweepId);
    await continueAll();
  });
});

describe('an action on a sweep that always fails', () => {
  test('delays no other action, says that it fails, and goes on when the cause is mended', async () => {
    const bad = (await submit(db, { seeds: [seed] })).sweepId;
    const good = (await submit(db, { seeds: [seed + 1_000_000] })).sweepId;
    const isScheduled = async (sweepId: string) =>
      (await query(db, 'SELECT FROM stages WHERE sweep_id = $1', [sweepId])).length > 0;
    await query(db, `UPDATE sweeps SET status = 'paused' WHERE id = ANY($1)`, [[bad, good]]);
    for (const id of [bad, good])
      await query(db, `INSERT INTO sweep_actions (sweep_id, action, total) VALUES ($1, 'pause', 4)`, [id]);
    const mend = await breakStages(bad);
    await expect(continueActions(db)).rejects.toMatchObject(broken);
    expect(await continueActions(db)).toBe(true);
    expect([await isScheduled(bad), await isScheduled(good)]).toEqual([true, false]);
    expect(await failingOf('sweep_actions')).toBe(1);
    expect(await listFailingBatches(db)).toMatchObject([{ what: 'pause', subject: bad, failures: 1 }]);
    await mend();
    await endPauses();
    expect(await continueActions(db)).toBe(true);
    expect(await isScheduled(bad)).toBe(false);
    expect(await listFailingBatches(db)).toEqual([]);
    for (const id of [bad, good]) await cancelSweep(db, id);
    expect(await sweepStatus(db, bad)).toBe('cancelled');
  });

  test('keeps its sweep from being deleted for three tries, and not for ever', async () => {
    const input = { seeds: [seed + 3_000_000] };
    const other = await submit(db, input);
    const { sweepId } = await submit(db, input, undefined, { maxUnderLock: 0 }); // a batch connects it
    await cancelSweep(db, sweepId);
    const mend = await breakCounts(sweepId);
    await deleteSweep(db, sweepId);
    for (const failures of [1, 2, 3]) {
      await endPauses();
      await expect(continueActions(db)).rejects.toMatchObject(broken);
      expect(await listFailingBatches(db)).toMatchObject([{ what: 'connect', subject: sweepId, failures }]);
      if (failures < 3) expect(await continueActions(db)).toBe(false); // both actions wait
    }
    expect(await continueActions(db)).toBe(true);
    expect(await sweepStatus(db, sweepId)).toBeUndefined();
    expect(await listFailingBatches(db)).toEqual([]);
    await mend();
    expect(await stageCounts(db, other.sweepId)).toMatchObject({ 'initialise:ready': 1 });
    await cancelSweep(db, other.sweepId);
  });
});
