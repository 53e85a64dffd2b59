import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { int4 } from '../src/connection/columns.ts';
import { transaction } from '../src/connection/transaction.ts';
import { createDb, type Db, pingDatabase, submitSweep } from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { definition } from './support/submit.ts';
import { query } from './support/tables.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
  await query(db, 'CREATE TABLE accounts (id INT PRIMARY KEY, balance INT NOT NULL)');
  await query(db, 'INSERT INTO accounts VALUES (1, 0), (2, 0)');
});
afterAll(() => db.close());

/** Resolves for both callers when both have called it. */
const barrier = () => {
  let arrived = 0;
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return async () => {
    arrived += 1;
    if (arrived >= 2) open();
    await opened;
  };
};

describe('transaction', () => {
  test('runs again after PostgreSQL ended it to resolve a deadlock', async () => {
    const meet = barrier();
    let runs = 0;
    const add = (first: number, second: number) =>
      transaction(db, async (tx) => {
        runs += 1;
        await tx.run('UPDATE accounts SET balance = balance + 1 WHERE id = $1', [first]);
        await meet();
        await tx.run('UPDATE accounts SET balance = balance + 1 WHERE id = $1', [second]);
      });
    await Promise.all([add(1, 2), add(2, 1)]);
    expect(runs).toBeGreaterThan(2);
    expect(await query(db, 'SELECT balance FROM accounts ORDER BY id')).toEqual([
      { balance: 2 },
      { balance: 2 },
    ]);
  });

  test('works after a migration that changes the columns of its statements', async () => {
    const one = createDb(db.url, { max: 1 });
    const read = () =>
      transaction(one, (tx) =>
        tx.query({ id: int4(), balance: int4() }, 'SELECT * FROM accounts WHERE id = $1', [1]),
      );
    expect(await read()).toEqual([{ id: 1, balance: expect.any(Number) }]);
    await query(db, `ALTER TABLE accounts ADD COLUMN owner TEXT NOT NULL DEFAULT 'x'`);
    expect(await read()).toEqual([{ id: 1, balance: expect.any(Number), owner: 'x' }]);
    await one.close();
  });

  test('changes nothing when its body throws', async () => {
    const before = await query(db, 'SELECT balance FROM accounts ORDER BY id');
    const failing = transaction(db, async (tx) => {
      await tx.run('UPDATE accounts SET balance = 100');
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await query(db, 'SELECT balance FROM accounts ORDER BY id')).toEqual(before);
    const refused = submitSweep(db, {
      definition: definition(),
      stages: [],
      buildPlan: () => {
        throw new Error('refused');
      },
    });
    await expect(refused).rejects.toThrow('refused');
    expect(await query(db, 'SELECT FROM sweeps')).toEqual([]);
  });

  test('a full disk is STORAGE_FULL, nothing is half written, and writing works again when there is space', async () => {
    // The error of PostgreSQL when it cannot extend a file.
    await query(
      db,
      `CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$`,
    );
    await query(
      db,
      'CREATE TRIGGER full_disk BEFORE UPDATE ON accounts FOR EACH ROW WHEN (new.id = 2) EXECUTE FUNCTION no_room()',
    );
    const write = () =>
      transaction(db, async (tx) => {
        await tx.run('UPDATE accounts SET balance = 7 WHERE id = 1');
        await tx.run('UPDATE accounts SET balance = 7 WHERE id = 2');
      });
    await expect(write()).rejects.toMatchObject({ code: 'STORAGE_FULL' });
    expect(await query(db, 'SELECT FROM accounts WHERE balance = 7')).toEqual([]);
    await query(db, 'DROP TRIGGER full_disk ON accounts');
    await write();
    expect(await query(db, 'SELECT FROM accounts WHERE balance = 7')).toHaveLength(2);
  });

  test('a broken connection is UNAVAILABLE, and the next one works', async () => {
    const broken = transaction(db, async (tx) => {
      const [row] = await tx.query({ pid: int4() }, 'SELECT pg_backend_pid() AS pid');
      await query(db, 'SELECT pg_terminate_backend($1)', [row!.pid]);
      await tx.run('UPDATE accounts SET balance = 100');
    });
    await expect(broken).rejects.toMatchObject({ code: 'UNAVAILABLE', details: { part: 'database' } });
    await pingDatabase(db);
  });

  test('a statement that takes too long is ended by the server, and its connection and all others are used again', async () => {
    const one = createDb(db.url, { max: 1 });
    const pid = () => transaction(one, (tx) => tx.query({ pid: int4() }, 'SELECT pg_backend_pid() AS pid'));
    const before = await pid();
    const slow = transaction(one, (tx) => tx.run('SELECT pg_sleep(60)'), { timeoutMs: 600 });
    await expect(slow).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('statement timeout'),
    });
    expect(await pid()).toEqual(before);
    await one.close();
  });

  test('the server ends each statement before the client stops waiting for its answer', async () => {
    const { rows } = await db.pool.query(
      `SELECT setting::int AS limit FROM pg_settings WHERE name = 'statement_timeout'`,
    );
    expect(rows[0].limit).toBeGreaterThan(0);
    expect(rows[0].limit).toBeLessThan(db.pool.options.query_timeout as number);
  });

  test('a missing server is UNAVAILABLE', async () => {
    const nowhere = createDb('postgres://nobody@127.0.0.1:1/none');
    await expect(pingDatabase(nowhere)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(transaction(nowhere, async () => {})).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await nowhere.close();
  });
});
