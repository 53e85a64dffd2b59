import { createDb, type Db, pendingMigrations } from '@funnel/db';
import { createTestDatabase, hasPgbouncer, startPooler } from '@funnel/db/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { hasRedis, startRedis } from '../../../packages/queue/test/redis-server.ts';
import { examineBatches, examineDatabase, examineQueue, examineSchema } from '../src/doctor.ts';

it('names the PostgreSQL and its address, without the password', async () => {
  const { url, drop } = await createTestDatabase();
  const finding = await examineDatabase({ DATABASE_URL: url }).finally(drop);
  expect(finding).toMatchObject({
    verdict: 'ok',
    detail: expect.stringMatching(/^\d+\.\d+ at postgres:\/\//),
  });
  const { username, password, host } = new URL(url);
  expect(finding.detail).toContain(`${username}:***@${host}`);
  expect(password.length).toBeGreaterThan(10);
  expect(finding.detail).not.toContain(password);
});

describe.runIf(hasPgbouncer)('behind a pooler', () => {
  it('names both addresses, or the variable that is missing or wrong', async () => {
    const { url, drop } = await createTestDatabase();
    const pooler = await startPooler(url);
    onTestFinished(async () => {
      await pooler.stop();
      await drop();
    });
    const DATABASE_URL = pooler.url;
    const { port } = new URL(url);
    expect(await examineDatabase({ DATABASE_URL, DATABASE_DIRECT_URL: url })).toMatchObject({
      verdict: 'ok',
      detail: expect.stringMatching(new RegExp(`through a pooler; itself at postgres://.*:${port}/`)),
    });
    for (const DATABASE_DIRECT_URL of [undefined, DATABASE_URL])
      expect(await examineDatabase({ DATABASE_URL, DATABASE_DIRECT_URL })).toMatchObject({
        verdict: 'fault',
        hint: expect.stringContaining('Write the address of PostgreSQL itself into DATABASE_DIRECT_URL'),
      });
  });

  it('says which line pgbouncer.ini lacks', async () => {
    const { url, drop } = await createTestDatabase();
    const pooler = await startPooler(url, (settings) =>
      settings.replace(/^ignore_startup_parameters.*$/m, ''),
    );
    onTestFinished(async () => {
      await pooler.stop();
      await drop();
    });
    expect(await examineDatabase({ DATABASE_URL: pooler.url })).toMatchObject({
      verdict: 'fault',
      detail: expect.stringContaining('ignore_startup_parameters = statement_timeout'),
    });
  });
});

describe('the schema', () => {
  /** What doctor finds in a database after `change`. */
  const find = async (change: (db: Db) => Promise<unknown>, options?: { migrated: boolean }) => {
    const { url, drop } = await createTestDatabase(options);
    const db = createDb(url);
    try {
      await change(db);
      return await examineSchema({ DATABASE_URL: url });
    } finally {
      await db.close();
      await drop();
    }
  };
  const deleteNewest =
    'DELETE FROM _prisma_migrations WHERE migration_name = (SELECT max(migration_name) FROM _prisma_migrations) RETURNING migration_name';

  it('is of this version', async () => {
    expect(await find(async () => {})).toMatchObject([
      { verdict: 'ok', detail: expect.stringContaining('this version') },
    ]);
  });

  it('misses a migration, or all: the command is `funnel migrate`, and nothing is changed', async () => {
    let missing = '';
    const older = await find(async (db) => {
      missing = (await db.pool.query(deleteNewest)).rows[0].migration_name;
    });
    const hint = expect.stringContaining('npx funnel migrate');
    expect(older).toMatchObject([
      { verdict: 'note', hint, detail: expect.stringContaining(`1 migration to apply (${missing})`) },
    ]);
    const empty = await find(
      async (db) => {
        await examineSchema({ DATABASE_URL: db.url });
        const { rows } = await db.pool.query(
          "SELECT count(*)::int AS tables FROM pg_tables WHERE schemaname = 'public'",
        );
        expect(rows).toEqual([{ tables: 0 }]);
        expect(await pendingMigrations(db.url)).toContain('0001_init');
      },
      { migrated: false },
    );
    expect(empty).toMatchObject([{ verdict: 'note', hint, detail: expect.stringContaining('0001_init') }]);
  });

  it('is newer than this version', async () => {
    const newer = await find((db) =>
      db.pool.query(
        "INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at) VALUES ('x', 'x', '9999_later', now())",
      ),
    );
    expect(newer).toMatchObject([
      {
        verdict: 'fault',
        detail: expect.stringMatching(/at most migration \d+_\w+, but it has 9999_later/),
        hint: expect.stringContaining('newest version'),
      },
    ]);
  });

  it('is not mentioned where there is no database to look at', async () => {
    expect(await examineSchema({})).toEqual([]);
    expect(await examineSchema({ DATABASE_URL: 'postgres://alice:hidden@127.0.0.1:1/funnel' })).toEqual([]);
  });
});

const addresses = [
  'postgres://alice:hidden@127.0.0.1:1/funnel',
  'postgres://alice@127.0.0.1:1/funnel?password=hidden',
  'postgres://alice:hidden@/funnel?sslmode=verify-full&sslrootcert=/nowhere/ca.crt',
  'postgres://alice:hidden@127.0.0.1:port/funnel',
  'postgres://alice:hid/hidden@127.0.0.1/funnel',
  'hidden',
];

it.each(addresses)('reports a fault of %s, without its password', async (address) => {
  const finding = await examineDatabase({ DATABASE_URL: address });
  expect(finding).toMatchObject({ verdict: 'fault', hint: expect.stringContaining('DATABASE_URL') });
  expect(JSON.stringify(finding)).not.toContain('hidden');
});

it.each([
  'redis://alice:hidden@127.0.0.1:1',
  'rediss://:hidden@127.0.0.1:1',
  'rediss://:hidden@127.0.0.1:1?sslrootcert=/nowhere/ca.crt',
  'redis://alice:hidden@127.0.0.1:port',
  'http://alice:hidden@127.0.0.1',
])('reports a fault of the queue at %s, without its password', async (address) => {
  const finding = await examineQueue({ REDIS_URL: address });
  expect(finding).toMatchObject({ verdict: 'fault', hint: expect.stringContaining('REDIS_URL') });
  expect(JSON.stringify(finding)).not.toContain('hidden');
});

it.runIf(hasRedis)('names a Redis that evicts keys, and one that is full, although both answer', async () => {
  const memory = ['--maxmemory', '300kb', '--maxmemory-policy'];
  for (const [policy, hint] of [
    ['allkeys-lru', /set maxmemory-policy noeviction/],
    ['noeviction', /^Redis is full/],
  ] as const) {
    const server = await startRedis({ args: [...memory, policy] });
    const finding = await examineQueue({ REDIS_URL: server.url }).finally(server.stop);
    expect(finding).toMatchObject({ verdict: 'fault', hint: expect.stringMatching(hint) });
  }
});

describe('batches that fail', () => {
  it('are named with their errors, and nothing is said when there are none', async () => {
    const { url, drop } = await createTestDatabase();
    const db = createDb(url);
    onTestFinished(async () => {
      await db.close();
      await drop();
    });
    expect(await examineBatches({ DATABASE_URL: url })).toEqual([]);
    await db.pool.query(
      `INSERT INTO propagations (target, stage_id, failures, error) VALUES ('trials', 'abc', 3, 'no such row'), ('trials', 'def', 0, NULL)`,
    );
    expect(await examineBatches({ DATABASE_URL: url })).toEqual([
      expect.objectContaining({
        verdict: 'fault',
        detail: 'the batch "trials" of abc failed 3 times in a row: no such row',
      }),
    ]);
  });
});
