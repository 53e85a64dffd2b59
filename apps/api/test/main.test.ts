import { createClient } from '@funnel/client';
import { createDb, migrate } from '@funnel/db';
import {
  createTestDatabase,
  hasPgbouncer,
  startPooler,
  type TestDatabase,
  warnWithoutPgbouncer,
} from '@funnel/db/testing';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { listening, runApi, stopped, waiting } from './api-process.ts';
import { oneTrial } from './build.ts';

warnWithoutPgbouncer('a start of the API after a migration through a pooler');

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase({ migrated: false });
});
afterAll(() => database.drop());

describe('the API as a process', () => {
  test('migrates, listens, answers, logs no secret, and ends cleanly on SIGTERM with clients watching', async () => {
    const api = runApi({ DATABASE_URL: database.url, FUNNEL_LOG_LEVEL: 'trace' });
    const url = await listening(api);
    const client = createClient({ url });
    // The service has no token yet, so it knows none.
    const stranger = createClient({ url, token: 'a-secret-nobody-should-see' });
    await expect(stranger.listSweeps()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await client.ready()).toEqual({ status: 'ok', database: 'ok', queue: 'ok' });
    const sweep = await client.createSweep({ body: { ...oneTrial, attacks: ['fgsm'] } });
    expect((await client.getSweep({ params: { id: sweep.id } })).status).toBe('running');
    const watching = await fetch(`${url}/v1/events`); // its headers are here, so the service has let it in
    expect(await stopped(api), api.output()).toBe(0);
    expect(await watching.text()).toContain('retry:');
    expect(api.output()).toContain('"msg":"migrated the database"');
    expect(api.output()).toContain('"route":"createSweep"');
    expect(api.output()).not.toContain('a-secret-nobody-should-see');
    expect(api.output()).not.toContain(new URL(database.url).password || 'no password in the address');
  });

  test.runIf(hasPgbouncer)('starts at once after a migration through a pooler', async () => {
    const own = await createTestDatabase({ migrated: false });
    onTestFinished(() => own.drop());
    const pooler = await startPooler(own.url);
    onTestFinished(pooler.stop);
    expect(await migrate(pooler.url)).toContain('0001_init');
    const api = runApi({ DATABASE_URL: own.url });
    await listening(api);
    expect(api.output()).not.toContain('waits for');
    expect(await stopped(api), api.output()).toBe(0);
  });

  test('names the other process when it waits for a migration', async () => {
    const own = await createTestDatabase();
    onTestFinished(() => own.drop());
    const db = createDb(own.url, { max: 1, name: 'another' });
    // A slow machine may take longer to start the process than a transaction may stand still.
    await db.pool.query(
      'BEGIN; SET LOCAL idle_in_transaction_session_timeout = 0; SELECT pg_advisory_xact_lock(72707369)',
    );
    const api = runApi({ DATABASE_URL: own.url });
    await vi.waitFor(
      () =>
        expect(api.output()).toMatch(
          /waits for another migration \(pid \d+, since \S+, application another\)/,
        ),
      waiting,
    );
    await db.pool.query('COMMIT');
    await db.close();
    await listening(api);
  });

  test.each([
    ['the environment is empty', {}, 2, /DATABASE_URL/],
    ['a variable is wrong', { DATABASE_URL: 'postgres://x', FUNNEL_PORT: 'http' }, 2, /FUNNEL_PORT/],
    [
      'it could be reached by others and nobody has a token',
      { FUNNEL_HOST: '0.0.0.0' },
      1,
      /funnel token create/,
    ],
  ])('does not start when %s', async (_, env: Record<string, string>, code, message) => {
    const withDatabase = code === 1 ? { DATABASE_URL: database.url, ...env } : env;
    const api = runApi(withDatabase);
    expect(await api.ended).toBe(code);
    expect(api.output()).toMatch(message);
  });
});
