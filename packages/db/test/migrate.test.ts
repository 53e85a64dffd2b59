import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { checkSchema, migrate, migrationsFolder, readMigrations } from '../src/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../src/testing/index.ts';

let database: TestDatabase;
let folder: string;
let names: string[];

beforeAll(async () => {
  database = await createTestDatabase({ migrated: false });
  folder = await mkdtemp(path.join(tmpdir(), 'funnel-migrations-'));
  await cp(migrationsFolder, folder, { recursive: true });
  names = (await readMigrations()).map(({ name }) => name);
});
afterAll(async () => {
  await database.drop();
  await rm(folder, { recursive: true });
});

const rows = async (sql: string): Promise<Record<string, unknown>[]> => {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
};

const addMigration = async (name: string, sql: string) => {
  await mkdir(path.join(folder, name));
  await writeFile(path.join(folder, name, 'migration.sql'), sql);
};

describe('migrate', () => {
  test('an empty database is refused by checkSchema', async () => {
    await expect(checkSchema(database.url)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/0001_init has not been applied: .*funnel migrate/),
      details: { hint: 'The API migrates its database when it starts.' },
    });
  });

  test('two processes at once apply each migration once', async () => {
    const applied = await Promise.all([migrate(database.url, { folder }), migrate(database.url, { folder })]);
    expect(applied.flat()).toEqual(names);
    const ledger = await rows(
      'SELECT migration_name, finished_at IS NOT NULL AS done, applied_steps_count FROM _prisma_migrations',
    );
    expect(ledger).toEqual(
      names.map((name) => ({ migration_name: name, done: true, applied_steps_count: 1 })),
    );
  });

  test('a migration that fails changes nothing', async () => {
    await addMigration('9998_broken', 'CREATE TABLE half (id INT); SELECT no_such_column;');
    await expect(migrate(database.url, { folder })).rejects.toThrow(
      /9998_broken failed, and the database was left as it was.*no_such_column/,
    );
    expect(await rows("SELECT to_regclass('half') AS half")).toEqual([{ half: null }]);
    await rm(path.join(folder, '9998_broken'), { recursive: true });
  });

  test('applies only the migrations that are new', async () => {
    await addMigration('9999_more', 'CREATE TABLE more (id INT);');
    expect(await migrate(database.url, { folder })).toEqual(['9999_more']);
    expect(await migrate(database.url, { folder })).toEqual([]);
  });

  test('a database of a newer version is refused', async () => {
    await expect(migrate(database.url)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/at most migration \d{4}_\w+, but it has 9999_more/),
    });
  });

  test('an edited migration is refused', async () => {
    await writeFile(path.join(folder, '9999_more', 'migration.sql'), 'CREATE TABLE more (id BIGINT);');
    await expect(migrate(database.url, { folder })).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/9999_more as it was applied/),
    });
  });

  test('a missing database is UNAVAILABLE', async () => {
    await expect(migrate('postgres://nobody@127.0.0.1:1/none')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });
});

let other: TestDatabase;
beforeAll(async () => {
  other = await createTestDatabase();
});
afterAll(() => other.drop());

/** Another connection with this application name; closed after the test. */
const connection = async (application: string) => {
  const client = new pg.Client({ connectionString: other.url, application_name: application });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end());
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return { client, pid: rows[0]!.pid };
};

const run = async (sql: string): Promise<void> => {
  const { client } = await connection('test');
  await client.query(sql);
};

/** A folder with the migrations of this version and the given ones. */
const withMigrations = async (files: Readonly<Record<string, string>>): Promise<string> => {
  const own = await mkdtemp(path.join(tmpdir(), 'funnel-migrations-'));
  onTestFinished(() => rm(own, { recursive: true }));
  await cp(migrationsFolder, own, { recursive: true });
  for (const [name, sql] of Object.entries(files)) {
    await mkdir(path.join(own, name));
    await writeFile(path.join(own, name, 'migration.sql'), sql);
  }
  return own;
};

/** Starts a migration. Resolves to its first report of a wait, and to the migration itself. */
const untilItWaits = async (own?: string) => {
  let migrating: Promise<readonly string[]> = Promise.resolve([]);
  const words = await new Promise<string>((resolve, reject) => {
    migrating = migrate(other.url, { ...(own && { folder: own }), onWait: resolve });
    migrating.then(() => reject(new Error('Expected it to wait, but it is done')), reject);
  });
  return { words, migrating };
};

describe('a migration beside other connections', () => {
  const lock = 'SELECT pg_advisory_xact_lock(72707369)';

  test('reports the migration that it waits for, and continues after it', async () => {
    const { client, pid } = await connection('funnel migrate');
    await client.query('BEGIN');
    await client.query(lock);
    const { words, migrating } = await untilItWaits();
    expect(words).toMatch(
      new RegExp(
        `^The migration waits for another migration \\(pid ${pid}, since 2\\S+Z, application funnel migrate\\)$`,
      ),
    );
    await client.query('COMMIT');
    expect(await migrating).toEqual([]);
  });

  test('reports how to free the lock of an older version that a pooler keeps', async () => {
    const { client, pid } = await connection('funnel migrate');
    await client.query('SELECT pg_advisory_lock(72707369)');
    const { words, migrating } = await untilItWaits();
    expect(words).toContain(`SELECT pg_terminate_backend(${pid})`);
    await run(`SELECT pg_terminate_backend(${pid})`);
    expect(await migrating).toEqual([]);
  });

  test('reports the connection that locks a table that it changes', async () => {
    const { client, pid } = await connection('a backup');
    await client.query('BEGIN');
    await client.query('LOCK TABLE tokens IN ACCESS SHARE MODE');
    const own = await withMigrations({ '9001_tokens': 'ALTER TABLE tokens ADD COLUMN more INT;' });
    const { words, migrating } = await untilItWaits(own);
    expect(words).toMatch(
      new RegExp(`^The migration waits for a connection that uses the tables \\(pid ${pid}, .*a backup\\)$`),
    );
    await client.query('COMMIT');
    expect(await migrating).toEqual(['9001_tokens']);
  });

  test('tries again when PostgreSQL ends it to resolve a deadlock', async () => {
    await run('CREATE TABLE first (id INT); CREATE TABLE gate (id INT); CREATE TABLE second (id INT)');
    const [somebody, keeper] = [await connection('somebody'), await connection('keeper')];
    await somebody.client.query("SET deadlock_timeout = '1h'"); // so that PostgreSQL never ends this transaction
    for (const { client } of [somebody, keeper]) await client.query('BEGIN');
    await somebody.client.query('LOCK TABLE second IN ACCESS SHARE MODE');
    await keeper.client.query('LOCK TABLE gate IN ACCESS SHARE MODE');
    const own = await withMigrations({
      '9001_tokens': 'ALTER TABLE tokens ADD COLUMN more INT;',
      '9002_all': ['first', 'gate', 'second'].map((t) => `ALTER TABLE ${t} ADD COLUMN more INT;`).join('\n'),
    });
    const { migrating } = await untilItWaits(own);
    const crossing = somebody.client.query('LOCK TABLE first IN ACCESS SHARE MODE');
    await vi.waitFor(async () => {
      const blocked = await keeper.client.query(`SELECT FROM unnest(pg_blocking_pids(${somebody.pid}))`);
      expect(blocked.rowCount).toBe(1);
    });
    await keeper.client.query('COMMIT');
    await crossing; // this transaction got the table, so PostgreSQL ended the migration
    await somebody.client.query('COMMIT');
    expect(await migrating).toEqual(['9002_all']);
  });
});

test('the statement timeout of the database does not apply to a migration', async () => {
  const fresh = await createTestDatabase();
  onTestFinished(() => fresh.drop());
  await run(`ALTER DATABASE ${new URL(fresh.url).pathname.slice(1)} SET statement_timeout = '200ms'`);
  const own = await withMigrations({ '9001_long': 'SELECT pg_sleep(0.5);' });
  expect(await migrate(fresh.url, { folder: own })).toEqual(['9001_long']);
});

test('several migrations are one step: they share no temporary table, and when one fails the database stays as it was', async () => {
  const fresh = await createTestDatabase();
  onTestFinished(() => fresh.drop());
  const temporary = 'CREATE TEMPORARY TABLE found ON COMMIT DROP AS SELECT 1 AS id;';
  const files = {
    '9001_one': `${temporary} CREATE TABLE one AS SELECT id FROM found;`,
    '9002_two': `${temporary} CREATE TABLE two AS SELECT id FROM found;`,
  };
  const broken = await withMigrations({ ...files, '9003_broken': 'SELECT no_such_column;' });
  await expect(migrate(fresh.url, { folder: broken })).rejects.toThrow(/9003_broken failed/);
  await checkSchema(fresh.url); // an older version still accepts it
  const own = await withMigrations(files);
  expect(await migrate(fresh.url, { folder: own })).toEqual(['9001_one', '9002_two']);
});
