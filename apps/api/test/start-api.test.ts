import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createTestDatabase, type TestDatabase } from '@funnel/db/testing';
import { sweepContext } from '@funnel/tracing';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi } from '../src/start-api.ts';
import { oneTrial } from './build.ts';

const logger = pino({ level: 'silent' });
const tokens = { admin: 'an-admin-token-of-the-environment', metrics: 'a-metrics-token-of-the-environment' };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('the API as a process of a container', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());
  const start = (options: Partial<Parameters<typeof startApi>[0]>) =>
    startApi({
      databaseUrl: database.url,
      host: '0.0.0.0',
      port: 0,
      engineVersion: 'test',
      logger,
      ...options,
    });

  it('does not listen where others can reach it until there is a token', async () => {
    await expect(start({})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('starts on an empty database with the tokens of its environment, each for its role', async () => {
    const api = await start({ tokens });
    const url = api.url.replace('0.0.0.0', '127.0.0.1');
    const get = async (path: string, token?: string) =>
      (await fetch(`${url}${path}`, { headers: token ? bearer(token) : {} })).status;
    const create = async (token: string) =>
      (
        await fetch(`${url}/v1/sweeps`, {
          method: 'POST',
          headers: { ...bearer(token), 'content-type': 'application/json' },
          body: JSON.stringify(oneTrial),
        })
      ).status;
    try {
      expect(await get('/healthz')).toBe(200);
      expect(await get('/metrics')).toBe(401);
      expect(await get('/metrics', tokens.metrics)).toBe(200);
      expect(await create(tokens.metrics)).toBe(403);
      expect(await create(tokens.admin)).toBe(201);
    } finally {
      await api.close();
    }
  });

  it('sends the submission of a sweep as the root of its trace, once', async () => {
    const spans: { name: string; traceId: string; spanId: string; parentSpanId?: string }[] = [];
    const collector = createServer(async (request, response) => {
      let text = '';
      for await (const chunk of request) text += chunk;
      spans.push(...JSON.parse(text).resourceSpans[0].scopeSpans[0].spans);
      response.end('{}');
    });
    await new Promise<void>((resolve) => {
      collector.listen(0, '127.0.0.1', resolve);
    });
    const tracesUrl = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
    const api = await start({ host: '127.0.0.1', tokens, tracesUrl });
    const submit = async (): Promise<string> => {
      const response = await fetch(`${api.url}/v1/sweeps`, {
        method: 'POST',
        headers: { ...bearer(tokens.admin), 'content-type': 'application/json', 'idempotency-key': 'twice' },
        body: JSON.stringify({ ...oneTrial, name: 'traced' }),
      });
      return ((await response.json()) as { id: string }).id;
    };
    const id = await submit();
    expect(await submit()).toBe(id);
    await api.close();
    collector.close();
    expect(spans).toEqual([expect.objectContaining({ name: 'submit', ...sweepContext(id) })]);
    expect(spans[0]).not.toHaveProperty('parentSpanId');
  });
});
