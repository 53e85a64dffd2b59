import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { SweepInput } from '@funnel/contracts';
import { cancelSweep, pauseSweep, resumeSweep } from '@funnel/db';
import { describe, expect, it } from 'vitest';
import {
  one,
  openTestDatabase,
  results,
  runningStage,
  smallSweep,
  submit,
  sweepEnded,
  undisturbedResults,
  until,
  worker,
  workerProcess,
} from './fixtures.ts';

/** The results of the small sweep when nothing disturbs it; run once for all tests. */
let reference: ReturnType<typeof undisturbedResults> | undefined;
const undisturbed = () => {
  reference ??= undisturbedResults();
  return reference;
};

const slow = { stepMilliseconds: 25 };
/** A zombie counts as dead. */
const isAlive = (pid: number): boolean => {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
};

describe('a worker', () => {
  it('runs a sweep from submission to the last evaluation, each epoch once', async () => {
    const db = await openTestDatabase();
    const sweepId = await submit(db);
    await worker(db);
    await sweepEnded(db, sweepId);
    const { plan, trials } = await one<{ plan: { epochs: { needed: number } }; trials: number }>(
      db,
      `SELECT plan, (SELECT count(*) FROM trials WHERE sweep_id = $1 AND status = 'completed') AS trials FROM sweeps WHERE id = $1`,
      [sweepId],
    );
    const trained = await one<{ epochs: number; fenced: number }>(
      db,
      'SELECT sum(epochs)::int AS epochs, sum(fenced)::int AS fenced FROM attempts',
    );
    expect(trials).toBe(4);
    expect(trained).toEqual({ epochs: plan.epochs.needed, fenced: 0 });
  });

  it('registers again when its row was deleted, as after a day of suspension', async () => {
    const db = await openTestDatabase();
    const { id } = await worker(db);
    await db.pool.query('DELETE FROM workers');
    await until(async () => {
      const { rows } = await db.pool.query('SELECT id, status, backend FROM workers');
      expect(rows).toEqual([{ id, status: 'online', backend: 'stand-in' }]);
    });
  });

  it('attacks a classifier with images made on the classifiers of other trials, with the same results after a kill', async () => {
    const input: SweepInput = { ...smallSweep, attacks: ['transfer-linf', 'fgsm'] };
    const db = await openTestDatabase();
    const sweepId = await submit(db, input);
    const doomed = await worker(db, { simulation: slow });
    await runningStage(db);
    for (const pid of doomed.trainers()) process.kill(pid, 'SIGKILL');
    await sweepEnded(db, sweepId);
    const { attacks, from } = await one<{ attacks: number; from: number }>(
      db,
      `SELECT count(*)::int AS attacks, min(cardinality(surrogates))::int AS "from" FROM stages WHERE surrogates <> '{}' AND status = 'completed'`,
    );
    expect({ attacks, from }).toEqual({ attacks: 4, from: 3 });
    expect(await results(db)).toEqual(await undisturbedResults(input));
  });

  it('whose trainers are killed with -9 within an epoch ends with the results of the undisturbed run', async () => {
    const db = await openTestDatabase();
    const sweepId = await submit(db);
    const running = await worker(db, { simulation: slow });
    await runningStage(db);
    for (const pid of running.trainers()) process.kill(pid, 'SIGKILL');
    await sweepEnded(db, sweepId);
    const { killed } = await one<{ killed: number }>(
      db,
      `SELECT count(*)::int AS killed FROM attempts WHERE error_code = 'TRAINER_KILLED'`,
    );
    expect(killed).toBeGreaterThan(0);
    expect(await results(db)).toEqual(await undisturbed());
  });

  it('killed with -9 takes its trainers with it, and another worker completes the sweep with the same results', async () => {
    const db = await openTestDatabase();
    const sweepId = await submit(db);
    const { child: doomed } = await workerProcess(db, { simulation: slow, leaseSeconds: 1 });
    await runningStage(db);
    const pids = await one<{ pid: number }>(db, 'SELECT pid FROM workers');
    expect(pids.pid).toBe(doomed.pid);
    doomed.kill('SIGKILL');
    await worker(db, { leaseSeconds: 1 });
    await sweepEnded(db, sweepId);
    const { expired } = await one<{ expired: number }>(
      db,
      `SELECT count(*)::int AS expired FROM attempts WHERE outcome = 'expired'`,
    );
    expect(expired).toBeGreaterThan(0);
    expect(await results(db)).toEqual(await undisturbed());
  });

  it('waits while the disk of the database is full, and loses no result and spends no attempt', async () => {
    const db = await openTestDatabase();
    const sweepId = await submit(db);
    await db.pool.query(`
      CREATE SEQUENCE refused;
      CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN PERFORM nextval('refused'); RAISE EXCEPTION 'No space left on device' USING ERRCODE = 'disk_full'; END $$;
      CREATE TRIGGER full_disk BEFORE INSERT ON blobs EXECUTE FUNCTION no_room()`);
    await worker(db);
    await until(() => one(db, 'SELECT FROM refused WHERE last_value >= 3'));
    await db.pool.query('DROP TRIGGER full_disk ON blobs');
    await sweepEnded(db, sweepId);
    const { wasted } = await one<{ wasted: number }>(
      db,
      `SELECT count(*)::int AS wasted FROM attempts WHERE outcome <> 'completed'`,
    );
    expect(wasted).toBe(0);
    expect(await results(db)).toEqual(await undisturbed());
  });

  it('suspended past its lease is fenced when it wakes: the database refuses and counts its writes, and it goes on with other stages', async () => {
    const db = await openTestDatabase();
    const sweepId = await submit(db);
    const { child: sleeper } = await workerProcess(db, { simulation: slow, leaseSeconds: 1, slots: 1 });
    await runningStage(db, 'initialise');
    sleeper.kill('SIGSTOP');
    const other = await worker(db, { leaseSeconds: 1, slots: 1 });
    await until(async () => {
      await one(db, `SELECT 1 FROM attempts WHERE outcome = 'expired'`);
      await one(db, `SELECT 1 FROM attempts WHERE worker_id = $1 AND outcome = 'completed'`, [other.id]);
    });
    await other.stop();
    sleeper.kill('SIGCONT');
    await sweepEnded(db, sweepId);
    const { fenced } = await one<{ fenced: number }>(db, 'SELECT sum(fenced)::int AS fenced FROM attempts');
    expect(fenced).toBeGreaterThan(0);
    expect(await results(db)).toEqual(await undisturbed());
  });

  it('told to stop (SIGTERM) releases its stages at a checkpoint, without spending an attempt, and exits with 0', async () => {
    const db = await openTestDatabase();
    const sweepId = await submit(db);
    const { child: leaving } = await workerProcess(db, { simulation: slow });
    await runningStage(db);
    leaving.kill('SIGTERM');
    expect(await once(leaving, 'exit')).toEqual([0, null]);
    const counts = await one(
      db,
      `SELECT count(*) FILTER (WHERE outcome = 'handed-back')::int AS handed_back, count(*) FILTER (WHERE outcome = 'running')::int AS running,
              (SELECT sum(failures + expiries)::int FROM stages) AS spent, (SELECT status FROM workers) AS status FROM attempts`,
    );
    expect(counts).toMatchObject({ running: 0, spent: 0, status: 'gone' });
    expect((counts as { handed_back: number }).handed_back).toBeGreaterThan(0);
    await worker(db);
    await sweepEnded(db, sweepId);
    expect(await results(db)).toEqual(await undisturbed());
  });

  it.each(['exit', 'throw'] as const)(
    'gives up a stage when all its attempts end by %s, and runs the rest of the sweep',
    async (fault) => {
      const db = await openTestDatabase();
      const sweepId = await submit(db);
      await worker(db, { maxAttempts: 2, simulation: { faults: [{ fault, kind: 'classify', seed: 1 }] } });
      await sweepEnded(db, sweepId);
      const trials = await db.pool.query(
        'SELECT seed, status, count(*)::int AS count FROM trials GROUP BY 1, 2 ORDER BY 1, 2',
      );
      expect(trials.rows).toEqual([
        { seed: 0, status: 'completed', count: 2 },
        { seed: 1, status: 'failed', count: 2 },
      ]);
      const failed = await one(
        db,
        `SELECT count(*)::int AS stages, min(failures)::int AS attempts FROM stages WHERE status = 'failed'`,
      );
      expect(failed).toEqual({ stages: 2, attempts: 2 });
    },
  );

  it('records a diverged stage as a result, without another attempt', async () => {
    const db = await openTestDatabase();
    const sweepId = await submit(db, { ...smallSweep, seeds: 1 });
    await worker(db, { simulation: { faults: [{ fault: 'diverge', kind: 'initialise', epoch: 1 }] } });
    await sweepEnded(db, sweepId);
    expect(await one(db, `SELECT status, failures FROM stages WHERE kind = 'initialise'`)).toEqual({
      status: 'diverged',
      failures: 0,
    });
    const { rows } = await db.pool.query('SELECT DISTINCT status FROM trials');
    expect(rows).toEqual([{ status: 'diverged' }]);
  });

  it.each(['pause', 'cancel'] as const)(
    'acts on a %s within seconds, even while a step blocks',
    async (verb) => {
      const db = await openTestDatabase();
      const sweepId = await submit(db, { ...smallSweep, seeds: 1 });
      const { trainers } = await worker(db, {
        slots: 1,
        stopSeconds: 0.5,
        simulation: { faults: [{ fault: 'block', kind: 'initialise', epoch: 1 }] },
      });
      const { id } = await runningStage(db, 'initialise');
      const before = trainers();
      await { pause: pauseSweep, cancel: cancelSweep }[verb](db, sweepId);
      await until(async () => expect(before.some(isAlive)).toBe(false), 30_000);
      const stage = await until(() =>
        one(
          db,
          `SELECT status, failures + expiries AS spent, epoch FROM stages WHERE id = $1 AND status <> 'running'`,
          [id],
        ),
      );
      expect(stage).toEqual({ status: verb === 'pause' ? 'ready' : 'cancelled', spent: 0, epoch: 1 });
    },
  );

  it('goes on from its checkpoint after a pause, with the results of the undisturbed run', async () => {
    const db = await openTestDatabase();
    const sweepId = await submit(db);
    await worker(db, { simulation: slow });
    await runningStage(db);
    await pauseSweep(db, sweepId);
    await until(async () =>
      expect(await one(db, `SELECT count(*)::int AS running FROM stages WHERE status = 'running'`)).toEqual({
        running: 0,
      }),
    );
    await resumeSweep(db, sweepId);
    await sweepEnded(db, sweepId);
    expect(await one(db, 'SELECT sum(failures + expiries)::int AS spent FROM stages')).toEqual({ spent: 0 });
    expect(await results(db)).toEqual(await undisturbed());
  });

  it('kills a trainer that makes no progress and fails its attempt', async () => {
    const db = await openTestDatabase();
    const sweepId = await submit(db, { ...smallSweep, seeds: 1 });
    await worker(db, {
      maxAttempts: 1,
      hangSeconds: 1,
      simulation: { faults: [{ fault: 'block', kind: 'initialise', epoch: 1 }] },
    });
    await sweepEnded(db, sweepId);
    expect(await one(db, `SELECT error_code FROM stages WHERE kind = 'initialise'`)).toEqual({
      error_code: 'TRAINER_HUNG',
    });
  });

  it('leaves no trainer behind, even one that a step blocks', async () => {
    const db = await openTestDatabase();
    await submit(db, { ...smallSweep, seeds: 1 });
    const { child, trainers } = await workerProcess(db, {
      slots: 1,
      simulation: { faults: [{ fault: 'block', kind: 'initialise', epoch: 1 }] },
    });
    await runningStage(db, 'initialise');
    expect(trainers.every(isAlive)).toBe(true);
    child.kill('SIGKILL');
    await until(async () => expect(trainers.some(isAlive)).toBe(false));
  });
});
