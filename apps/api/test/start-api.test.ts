import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Db, findToken, listTokens, revokeToken } from '@funnel/db';
import { createTestDatabase, openTestDb, type TestDatabase } from '@funnel/db/testing';
import { sweepContext } from '@funnel/tracing';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureEnvironmentTokens, hashToken } from '../src/access/tokens.ts';
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

  it('does not listen on an address that others can reach before a token exists', async () => {
    await expect(start({})).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('starts on an empty database with the tokens of its environment, each with its role', async () => {
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

describe('tokens of the environment', () => {
  let db: Db;
  beforeAll(async () => {
    db = await openTestDb();
  });
  afterAll(() => db.close());
  const roleOf = async (secret: string) => (await findToken(db, hashToken(secret)))?.role ?? null;

  it('give access from the first start, also when two processes start at once', async () => {
    const tokens = { admin: 'a'.repeat(48), metrics: 'b'.repeat(48) };
    await Promise.all([ensureEnvironmentTokens(db, tokens), ensureEnvironmentTokens(db, tokens)]);
    await ensureEnvironmentTokens(db, tokens);
    expect(await listTokens(db)).toHaveLength(2);
    expect(await roleOf(tokens.admin)).toBe('admin');
    expect(await roleOf(tokens.metrics)).toBe('read');
  });

  it('are revoked when a new secret of their kind comes', async () => {
    await ensureEnvironmentTokens(db, { admin: 'c'.repeat(48) });
    expect(await roleOf('a'.repeat(48))).toBeNull();
    expect(await roleOf('c'.repeat(48))).toBe('admin');
    expect(await roleOf('b'.repeat(48))).toBe('read');
  });

  it('stay revoked when a person has revoked them', async () => {
    const [token] = (await listTokens(db)).filter(({ revokedAt, role }) => !revokedAt && role === 'admin');
    await revokeToken(db, token!.name);
    await ensureEnvironmentTokens(db, { admin: 'c'.repeat(48) });
    expect(await roleOf('c'.repeat(48))).toBeNull();
  });
});
