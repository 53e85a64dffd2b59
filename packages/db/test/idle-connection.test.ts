import { inspect } from 'node:util';
import { expect, test, vi } from 'vitest';
import { createDb, pingDatabase } from '../src/index.ts';
import { createTestDatabase } from '../src/testing/index.ts';

test('an idle connection that breaks is told of in a line, without the connection and its password, and replaced', async () => {
  const database = await createTestDatabase();
  const told: Error[] = [];
  const db = createDb(database.url, { max: 1, onError: (error) => void told.push(error) });
  const other = createDb(database.url, { max: 1 });
  try {
    await pingDatabase(db);
    await other.pool.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
    );
    await vi.waitFor(() => expect(told).toHaveLength(1), 30_000);
    expect(told[0]).toMatchObject({ code: 'UNAVAILABLE', message: expect.stringContaining('terminating') });
    const text = inspect(told[0], { depth: 10, showHidden: true });
    expect(text).not.toContain(new URL(database.url).password);
    expect(JSON.stringify({ ...told[0] }).length).toBeLessThan(1000);
    await pingDatabase(db);
  } finally {
    await Promise.all([db.close(), other.close()]);
    await database.drop();
  }
});
