/** An API behind PgBouncer in transaction mode, as docs/scaling.md configures it. */
import { createClient } from '@funnel/client';
import { createTestDatabase, hasPgbouncer, startPooler, warnWithoutPgbouncer } from '@funnel/db/testing';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startApi } from '../src/start-api.ts';
import { oneTrial } from './build.ts';

warnWithoutPgbouncer('an API behind a pooler');

const behindPooler = async () => {
  const database = await createTestDatabase();
  const pooler = await startPooler(database.url);
  onTestFinished(async () => {
    await pooler.stop();
    await database.drop();
  });
  return { databaseUrl: pooler.url, directUrl: database.url };
};

const options = { port: 0, engineVersion: 'test', logger: pino({ level: 'silent' }) };

describe.runIf(hasPgbouncer)('behind PgBouncer in transaction mode', () => {
  test('it takes a sweep, streams the event of its cancellation, and is ready', async () => {
    const api = await startApi({ ...options, ...(await behindPooler()) });
    onTestFinished(api.close);
    const client = createClient({ url: api.url });
    const { id } = await client.createSweep({ body: { ...oneTrial, attacks: ['fgsm'] } });
    const stop = new AbortController();
    const seen: unknown[] = [];
    for await (const { event } of client.events({ sweep: id, lastEventId: '0-0', signal: stop.signal })) {
      if (seen.push(event) === 1) await client.cancelSweep({ params: { id } });
      if (event.type === 'sweep' && event.status === 'cancelled') break;
    }
    expect(seen.length).toBeGreaterThan(1);
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
  });

  test('it does not start without the address of PostgreSQL itself, and says which variable has it', async () => {
    const { databaseUrl } = await behindPooler();
    await expect(startApi({ ...options, databaseUrl })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('write the address of PostgreSQL itself into DATABASE_DIRECT_URL'),
    });
  });
});
