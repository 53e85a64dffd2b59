/** The clock of the database jumps while a worker works: `now()` is the real time plus an offset from a table of this test. */
import { expect, it } from 'vitest';
import {
  one,
  openTestDatabase,
  results,
  runningStage,
  submit,
  sweepEnded,
  undisturbedResults,
  until,
  worker,
} from './fixtures.ts';

it('jumps by hours, ahead and back, spend no attempt, end no lease and delay nothing', async () => {
  const db = await openTestDatabase();
  // PostgreSQL searches pg_catalog first, unless search_path lists it at another place.
  await db.pool.query(`
    CREATE SCHEMA jumping;
    CREATE TABLE jumping.clock AS SELECT interval '0' AS ahead;
    CREATE FUNCTION jumping.now() RETURNS timestamptz LANGUAGE sql STABLE AS
      $$ SELECT pg_catalog.now() + (SELECT ahead FROM jumping.clock) $$;
    DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = jumping, pg_catalog, public', current_database()); END $$`);
  const jump = (by: string) => db.pool.query('UPDATE jumping.clock SET ahead = ahead + $1::interval', [by]);
  /** Waits until the reconciler has run by the changed clock: it has ended every lease that is expired by this clock. */
  const reconciledNow = () =>
    until(() =>
      one(
        db,
        "SELECT 1 FROM duties, jumping.now() AS t WHERE name = 'reconcile' AND at BETWEEN t - interval '10 s' AND t + interval '10 s'",
      ),
    );
  const sweepId = await submit(db);
  await worker(db, { leaseSeconds: 2, simulation: { stepMilliseconds: 100 } });
  await runningStage(db, 'initialise');
  await jump('5 hours');
  await reconciledNow();
  await runningStage(db, 'optimise');
  await jump('-9 hours');
  await reconciledNow();
  await sweepEnded(db, sweepId);
  const attempts = await one(
    db,
    "SELECT count(*) FILTER (WHERE outcome <> 'completed')::int AS wasted, sum(fenced)::int AS fenced FROM attempts",
  );
  expect(attempts).toEqual({ wasted: 0, fenced: 0 });
  expect(await results(db)).toEqual(await undisturbedResults());
});
