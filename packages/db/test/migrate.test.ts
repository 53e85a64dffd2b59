import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
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
  test('a database that nobody has made is not ready to be worked on', async () => {
    await expect(checkSchema(database.url)).rejects.toMatchObject({
      code: 'SCHEMA_MISMATCH',
      message: expect.stringMatching(/0001_init has not been applied: .*funnel migrate/),
    });
  });

  test('two starters at once apply each migration once', async () => {
    const applied = await Promise.all([migrate(database.url, { folder }), migrate(database.url, { folder })]);
    expect(applied.flat()).toEqual(names);
    const ledger = await rows(
      'SELECT migration_name, finished_at IS NOT NULL AS done, applied_steps_count FROM _prisma_migrations',
    );
    expect(ledger).toEqual(
      names.map((name) => ({ migration_name: name, done: true, applied_steps_count: 1 })),
    );
  });

  test('a migration that fails leaves nothing of itself', async () => {
    await addMigration('9998_broken', 'CREATE TABLE half (id INT); SELECT no_such_column;');
    await expect(migrate(database.url, { folder })).rejects.toThrow(
      /9998_broken failed and nothing of it was kept.*no_such_column/,
    );
    expect(await rows("SELECT to_regclass('half') AS half")).toEqual([{ half: null }]);
    await rm(path.join(folder, '9998_broken'), { recursive: true });
  });

  test('what is new is applied on top', async () => {
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

  test('a database that is not there is UNAVAILABLE', async () => {
    await expect(migrate('postgres://nobody@127.0.0.1:1/none')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });
});
