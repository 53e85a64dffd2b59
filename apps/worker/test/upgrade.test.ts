/** Workers whose database changes while they run: another version migrates it, or it refuses their writes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Db } from '@funnel/db';
import { expect, it, onTestFinished } from 'vitest';
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

/** Migrates as a newer version would: other tables, and a row in the list of migrations. */
const upgrade = (db: Db) =>
  db.pool.query(`
    BEGIN;
    ALTER TABLE stages ADD COLUMN to_come INT;
    ALTER TABLE evaluations RENAME COLUMN verdict TO verdict_to_come;
    INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '9999_to_come', now());
    COMMIT`);

/** Gives the database this version again, so that workers that start now take the part of the newer version. */
const asTheNewVersion = (db: Db) =>
  db.pool.query(`
    BEGIN;
    ALTER TABLE stages DROP COLUMN to_come;
    ALTER TABLE evaluations RENAME COLUMN verdict_to_come TO verdict;
    DELETE FROM _prisma_migrations WHERE migration_name = '9999_to_come';
    COMMIT`);

const attempts = (db: Db) =>
  one<Record<string, number>>(
    db,
    `SELECT count(*) FILTER (WHERE outcome = 'handed-back')::int AS "handedBack", count(*) FILTER (WHERE outcome = 'running')::int AS running,
       count(*) FILTER (WHERE outcome IN ('failed', 'expired'))::int AS lost,
       (SELECT sum(failures + expiries)::int FROM stages) AS spent FROM attempts`,
  );

it('when another version migrates the database, a worker releases its stages without spending an attempt and says why it ends; a new one completes them', async () => {
  const db = await openTestDatabase();
  const sweepId = await submit(db);
  const { child } = await workerProcess(db, { simulation: { stepMilliseconds: 25 } });
  await runningStage(db);
  const ended = once(child, 'exit');
  const said = once(child, 'message');
  await upgrade(db);
  expect(await said).toEqual([
    {
      failed: expect.stringMatching(
        /^Expected a database of migration \d{4}_\w+, but it has 9999_to_come: .*Install the version that has 9999_to_come/,
      ),
    },
    undefined,
  ]);
  expect(await ended).toEqual([1, null]);
  const { handedBack, ...others } = await attempts(db);
  expect(others).toEqual({ running: 0, lost: 0, spent: 0 });
  expect(handedBack).toBeGreaterThan(0);
  expect(await one(db, 'SELECT status FROM workers')).toEqual({ status: 'gone' });

  await asTheNewVersion(db);
  await worker(db);
  await sweepEnded(db, sweepId);
  expect(await attempts(db)).toMatchObject({ running: 0, lost: 0, spent: 0 });
  expect(await results(db)).toEqual(await undisturbedResults());
});

it('when an older backup replaces its database, a worker process says what to do and ends with 1', async () => {
  const db = await openTestDatabase();
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
  const { PATH = '', HOME = '' } = process.env;
  const env = { PATH, HOME, DATABASE_URL: db.url, FUNNEL_SLOTS: '1', FUNNEL_BACKEND: 'cpu' };
  const child = spawn(process.execPath, ['--import', 'tsx', main], { env });
  onTestFinished(() => void child.kill('SIGKILL'));
  let words = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => {
      words += chunk;
    });
  const ended = once(child, 'close');
  await until(() => one(db, "SELECT FROM workers WHERE status = 'online'"));
  await db.pool.query(
    'DELETE FROM _prisma_migrations WHERE migration_name = (SELECT max(migration_name) FROM _prisma_migrations)',
  );
  expect(await ended).toEqual([1, null]);
  const fatal = words.split('\n').find((line) => line.includes('"level":60'));
  expect(JSON.parse(fatal ?? '{}')).toMatchObject({
    code: 'SCHEMA_MISMATCH',
    msg: expect.stringMatching(/older than this version\. .*`npx funnel migrate`/),
  });
});

it('an attempt fails with the reason when the database refuses its result every time', async () => {
  const db = await openTestDatabase();
  const sweepId = await submit(db, { ...smallSweep, seeds: 1 });
  await db.pool.query(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN RAISE EXCEPTION 'these numbers are not taken' USING ERRCODE = '22003'; END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON evaluations FOR EACH ROW EXECUTE FUNCTION refuse()`);
  await worker(db, { maxAttempts: 1 });
  await sweepEnded(db, sweepId);
  const { rows } = await db.pool.query(
    'SELECT kind, status, error_message, failures, expiries FROM stages ORDER BY kind, id',
  );
  expect(rows.filter(({ kind }) => kind === 'attack')).toEqual(
    Array.from({ length: 4 }, () => ({
      kind: 'attack',
      status: 'failed',
      error_message: 'these numbers are not taken',
      failures: 1,
      expiries: 0,
    })),
  );
});
