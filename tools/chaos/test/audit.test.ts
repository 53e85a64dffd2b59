/** The audit reads the tables while the last fault may still keep PostgreSQL down. */
import { rm } from 'node:fs/promises';
import { createDb } from '@funnel/db';
import { createTestDatabase } from '@funnel/db/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { countOf } from '../src/audit.ts';
import { auditSearches } from '../src/audit-search.ts';
import { makeFolder, openDatabase } from '../src/services.ts';

test.each(['SIGQUIT', 'SIGINT'] as const)('waits while PostgreSQL restarts after %s', async (signal) => {
  const folder = await makeFolder('audit');
  const database = await openDatabase(folder);
  const db = createDb(database.url);
  onTestFinished(async () => {
    await db.close();
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  });
  const started = 'SELECT extract(epoch FROM pg_postmaster_start_time()) AS n';
  const before = await countOf(db, started);
  expect(await database.end(signal)).toBe(true);
  // Until this moment the old server may still answer.
  await vi.waitFor(() => expect(db.pool.query('SELECT 1')).rejects.toThrow(), {
    timeout: 30_000,
    interval: 1,
  });
  expect(await countOf(db, started)).toBeGreaterThan(before);
});

test('throws at once when waiting cannot help', async () => {
  const folder = await makeFolder('audit');
  const database = await openDatabase(folder);
  const db = createDb(database.url);
  onTestFinished(async () => {
    await db.close();
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  });
  await expect(countOf(db, 'SELECT count(*) AS n FROM no_such_table')).rejects.toThrow('no_such_table');
});

test('every rule can be checked, and holds in an empty database', async () => {
  const { url, drop } = await createTestDatabase();
  const db = createDb(url);
  onTestFinished(async () => {
    await db.close();
    await drop();
  });
  expect((await auditSearches(db, [])).findings).toEqual([]);
});
