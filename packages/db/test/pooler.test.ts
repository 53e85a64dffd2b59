/** A pooler in transaction mode keeps no lock and no setting of a migration. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkSchema, migrate } from '../src/index.ts';
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
    const settings = `SELECT name, setting FROM pg_settings
      WHERE name IN ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') ORDER BY 1`;
    expect(await rows(pooler.url, settings)).toEqual(await rows(database.url, settings));
  });

  test('the next migration does not wait, neither on the database itself nor through the pooler', async () => {
    const waits: string[] = [];
    const onWait = (words: string): void => void waits.push(words);
    expect(await migrate(database.url, { onWait })).toEqual([]);
    expect(await migrate(pooler.url, { onWait })).toEqual([]);
    await checkSchema(pooler.url);
    expect(waits).toEqual([]);
  });
});
