/** A write that the database refuses for good fails an attempt, and never ends a worker. */
import type { Db } from '@funnel/db';
import { expect, it } from 'vitest';
import {
  one,
  openTestDatabase,
  results,
  smallSweep,
  submit,
  sweepEnded,
  undisturbedResults,
  worker,
} from './fixtures.ts';

/** Makes the database refuse the next `times` rows with an unexpected error. */
const refuse = (db: Db, table: string, way: 'INSERT' | 'UPDATE', times: number, when = 'true') =>
  db.pool.query(`
    CREATE SEQUENCE refused_rows;
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF nextval('refused_rows') <= ${times} THEN RAISE EXCEPTION 'nobody foresaw this'; END IF; RETURN new; END $$;
    CREATE TRIGGER refuse BEFORE ${way} ON ${table} FOR EACH ROW WHEN (${when}) EXECUTE FUNCTION refuse()`);

const outcomes = async (db: Db) =>
  (
    await db.pool.query(
      'SELECT outcome, error_message AS message, count(*)::int AS count FROM attempts GROUP BY 1, 2 ORDER BY 1, 2',
    )
  ).rows;

const sweep = { ...smallSweep, seeds: 1 };
const stages = 1 + 2 * (2 + 2); // one initialisation; for each of two trials, an optimisation, a classifier and two attacks

it('a refused result fails its attempt with the reason, and the stage is tried again', async () => {
  const db = await openTestDatabase();
  await refuse(db, 'evaluations', 'INSERT', 2);
  const sweepId = await submit(db, sweep);
  const running = await worker(db, { slots: 1 });
  let failure: unknown;
  running.failed.catch((error: unknown) => {
    failure = error;
  });
  await sweepEnded(db, sweepId);
  expect(failure).toBeUndefined();
  expect(await outcomes(db)).toEqual([
    { outcome: 'completed', message: null, count: stages },
    { outcome: 'failed', message: 'nobody foresaw this', count: 2 },
  ]);
  expect(await results(db)).toEqual(await undisturbedResults(sweep));
});

it('a refused checkpoint fails its attempt with the reason', async () => {
  const db = await openTestDatabase();
  await refuse(db, 'metrics', 'INSERT', 1);
  const sweepId = await submit(db, sweep);
  await worker(db, { slots: 1 });
  await sweepEnded(db, sweepId);
  expect(await outcomes(db)).toEqual([
    { outcome: 'completed', message: null, count: stages },
    { outcome: 'failed', message: 'nobody foresaw this', count: 1 },
  ]);
});

it('a stage whose result is refused every time fails with the reason, and other stages go on', async () => {
  const db = await openTestDatabase();
  await refuse(db, 'evaluations', 'INSERT', 1000, `new.attack = 'fgsm'`);
  const sweepId = await submit(db, sweep);
  await worker(db, { slots: 1, maxAttempts: 1 });
  await sweepEnded(db, sweepId);
  expect(
    (
      await db.pool.query(
        `SELECT attack ->> 'attack' AS attack, status, error_message AS message, count(*)::int AS count FROM stages WHERE kind = 'attack' GROUP BY 1, 2, 3 ORDER BY 1`,
      )
    ).rows,
  ).toEqual([
    { attack: 'deepfool-l2', status: 'completed', message: null, count: 2 },
    { attack: 'fgsm', status: 'failed', message: 'nobody foresaw this', count: 2 },
  ]);
});

it('when the database refuses the reason too, the attempt fails without it', async () => {
  const db = await openTestDatabase();
  await refuse(db, 'evaluations', 'INSERT', 1);
  await db.pool.query(`ALTER TABLE attempts ADD CHECK (error_message <> 'nobody foresaw this')`);
  const sweepId = await submit(db, sweep);
  await worker(db, { slots: 1 });
  await sweepEnded(db, sweepId);
  const failed = await one<{ message: string }>(
    db,
    `SELECT error_message AS message FROM attempts WHERE outcome = 'failed'`,
  );
  expect(failed.message).toContain('neither the result nor the reason');
});

it('refused claims do not end a worker', async () => {
  const db = await openTestDatabase();
  await refuse(db, 'attempts', 'INSERT', 2);
  const sweepId = await submit(db, sweep);
  const running = await worker(db, { slots: 1 });
  let failure: unknown;
  running.failed.catch((error: unknown) => {
    failure = error;
  });
  await sweepEnded(db, sweepId);
  expect(failure).toBeUndefined();
  expect(await outcomes(db)).toEqual([{ outcome: 'completed', message: null, count: stages }]);
});
