/** A queue in a PostgreSQL of its own, which REDIS_URL names: with TLS and a password, as for the database. */
import { inspect } from 'node:util';
import { createDb, queueAddress } from '@funnel/db';
import {
  createTestDatabase,
  hasOpenssl,
  type SecureServer,
  startSecureServer,
  type TestDatabase,
  warnWithoutOpenssl,
} from '@funnel/db/testing';
import { createStageQueue } from '@funnel/queue';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startApi } from '../src/start-api.ts';
import { oneTrial } from './build.ts';

warnWithoutOpenssl('TLS to the queue');

describe.runIf(hasOpenssl)('the queue in another PostgreSQL', () => {
  let server: SecureServer;
  let database: TestDatabase;
  beforeAll(async () => {
    [server, database] = await Promise.all([startSecureServer(), createTestDatabase()]);
  });
  afterAll(() => Promise.all([server?.stop(), database?.drop()]));

  const withAuthority = (sslmode: string, password?: string): string =>
    server.url({ sslmode, sslrootcert: server.certificates.authority }, password);

  it('gets notifications from the API over TLS, and listeners receive them', async () => {
    const queueUrl = withAuthority('require'); // the service treats `require` like `verify-full`
    const api = await startApi({
      databaseUrl: database.url,
      queueUrl,
      port: 0,
      engineVersion: 'test',
      logger: pino({ level: 'silent' }),
    });
    const listener = await createStageQueue(
      queueAddress(queueUrl, { url: database.url, name: 'DATABASE_URL' }),
    );
    const watching = createDb(server.plain, { max: 1 });
    try {
      const received: string[] = [];
      await listener.listen(async (id) => void received.push(id), { concurrency: 1 });
      const ready = await fetch(`${api.url}/readyz`);
      expect(await ready.json()).toEqual({ status: 'ok', database: 'ok', queue: 'ok' });
      const { status } = await fetch(`${api.url}/v1/sweeps`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(oneTrial),
      });
      expect(status).toBe(201);
      await vi.waitFor(() => expect(received.length).toBeGreaterThan(0), { timeout: 10_000 });
      const { rows } = await watching.pool.query<{ name: string; ssl: boolean }>(
        "SELECT application_name AS name, bool_and(ssl) AS ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'scientist' GROUP BY 1 ORDER BY 1",
      );
      expect(rows.map(({ name }) => name)).toEqual(
        expect.arrayContaining(['funnel queue listener', 'funnel queue sender']),
      );
      expect(rows.every(({ ssl }) => ssl)).toBe(true);
    } finally {
      await Promise.all([api.close(), listener.close(), watching.close()]);
    }
  });

  it.each([
    ['a wrong password', () => withAuthority('verify-full', 'not the secret'), /check both in REDIS_URL/],
    [
      'an authority that is not known',
      () => server.url({ sslmode: 'verify-full' }),
      /name the file of the authority in REDIS_URL \(sslrootcert=/,
    ],
    ['plain text', () => server.url({}), /it may demand TLS \(add \?sslmode=verify-full to REDIS_URL\)/],
  ] as const)('%s is refused: the error says what to do, and contains no secret', async (_, url, words) => {
    const received: unknown[] = [];
    const queue = await createStageQueue({
      ...queueAddress(url(), { url: database.url, name: 'DATABASE_URL' }),
      onError: (error) => void received.push(error),
    });
    const asked = await queue.ping().catch((error: unknown) => error);
    await queue.close();
    expect(asked).toMatchObject({
      code: 'UNAVAILABLE',
      details: { part: 'queue' },
      message: expect.stringMatching(words),
    });
    const told = inspect([asked, received], { depth: 6, showHidden: true });
    for (const secret of [server.secret, encodeURIComponent(server.secret), 'not the secret'])
      expect(told).not.toContain(secret);
  });
});
