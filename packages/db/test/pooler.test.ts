/** A pooler in transaction mode keeps no lock and no setting of a migration. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { int4 } from '../src/connection/columns.ts';
import { transaction } from '../src/connection/transaction.ts';
import {
  checkSchema,
  createDb,
  heartbeat,
  migrate,
  onEvents,
  pingDatabase,
  refusePooler,
  registerWorker,
} from '../src/index.ts';
import {
  createTestDatabase,
  hasPgbouncer,
  type Pooler,
  startPooler,
  type TestDatabase,
  warnWithoutPgbouncer,
} from '../src/testing/index.ts';

warnWithoutPgbouncer('a migration through a pooler');

describe.runIf(hasPgbouncer)('through PgBouncer in transaction mode', () => {
  let database: TestDatabase;
  let pooler: Pooler;
  beforeAll(async () => {
    database = await createTestDatabase({ migrated: false });
    pooler = await startPooler(database.url);
  });
  afterAll(async () => {
    await pooler.stop();
    await database.drop();
  });

  const rows = async (url: string, sql: string): Promise<Record<string, unknown>[]> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  };

  test('a migration leaves no lock and no setting on the connection that the pooler keeps', async () => {
    expect(await migrate(pooler.url)).toContain('0001_init');
    const kept = await rows(
      database.url,
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    );
    expect(kept).not.toEqual([]);
    expect(
      await rows(
        database.url,
        `SELECT pid, mode FROM pg_locks WHERE locktype = 'advisory'
         AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
      ),
    ).toEqual([]);
    // connect_query of the pooler sets the limits that Funnel asks for on a connection of its own.
    const settings = `SELECT name, setting FROM pg_settings
      WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') ORDER BY 1`;
    const direct = createDb(database.url, { max: 1 });
    expect(await rows(pooler.url, settings)).toEqual((await direct.pool.query(settings)).rows);
    await direct.close();
  });

  test('the next migration does not wait, neither on the database itself nor through the pooler', async () => {
    const waits: string[] = [];
    const onWait = (words: string): void => void waits.push(words);
    expect(await migrate(database.url, { onWait })).toEqual([]);
    expect(await migrate(pooler.url, { onWait })).toEqual([]);
    await checkSchema(pooler.url);
    expect(waits).toEqual([]);
  });

  test('transactions run on any connection to the server: none of their statements is prepared', async () => {
    const db = createDb(pooler.url, { direct: database.url, max: 8 });
    const seen = new Set<number>();
    const begun = Array.from({ length: 8 }, () =>
      transaction(db, async (tx) => {
        const [row] = await tx.query({ pid: int4() }, 'SELECT pg_backend_pid() AS pid, pg_sleep(0.05)::text');
        seen.add(row!.pid);
      }),
    );
    await Promise.all(begun);
    expect(seen.size).toBeGreaterThan(1);
    for (const pid of seen) expect(pid).toBeGreaterThan(0);
    await registerWorker(db, {
      id: 'w',
      host: 'h',
      pid: 1,
      version: '1',
      backend: 'cpu',
      device: '',
      slots: 1,
    });
    const beat = () => heartbeat(db, { workerId: 'w', leases: [], memoryBytes: 1, leaseSeconds: 10 });
    await Promise.all(Array.from({ length: 40 }, beat));
    expect(await rows(pooler.url, 'SELECT name FROM pg_prepared_statements')).toEqual([]);
    await db.close();
  });

  test('events come on the direct connection', async () => {
    const db = createDb(pooler.url, { direct: database.url });
    let changes = 0;
    const listening = await onEvents(db, () => {
      changes++;
    });
    await rows(pooler.url, `SELECT pg_notify('funnel_events', '')`);
    await vi.waitFor(() => expect(changes).toBeGreaterThan(0), 30_000);
    await listening.close();
    await db.close();
  });

  test('a pooler is refused where a connection must keep its state', async () => {
    await refusePooler({ url: database.url, name: 'DATABASE_URL' });
    await expect(refusePooler({ url: pooler.url, name: 'DATABASE_URL' })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('DATABASE_DIRECT_URL'),
    });
  });
});

describe.runIf(hasPgbouncer)('PgBouncer with a setting that docs/scaling.md does not have', () => {
  const through = async (change: (settings: string) => string) => {
    const database = await createTestDatabase();
    const pooler = await startPooler(database.url, change);
    const db = createDb(pooler.url, { direct: database.url });
    onTestFinished(async () => {
      await db.close();
      await pooler.stop();
      await database.drop();
    });
    return db;
  };

  test('without ignore_startup_parameters: the error says which line to add', async () => {
    const db = await through((settings) => settings.replace(/^ignore_startup_parameters.*$/m, ''));
    await expect(pingDatabase(db)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining(
        'set `ignore_startup_parameters = statement_timeout,idle_in_transaction_session_timeout` in pgbouncer.ini',
      ),
    });
  });

  test('in session mode: works in the same way', async () => {
    const db = await through((settings) =>
      settings.replace('pool_mode = transaction', 'pool_mode = session'),
    );
    await pingDatabase(db);
    await transaction(db, (tx) => tx.query({ pid: int4() }, 'SELECT pg_backend_pid() AS pid'));
  });
});
