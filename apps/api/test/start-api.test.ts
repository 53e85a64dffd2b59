import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createDb, type Db, findToken, listAudit, listTokens, revokeToken, saveToken } from '@funnel/db';
import { createTestDatabase, openTestDb, type TestDatabase } from '@funnel/db/testing';
import { sweepContext } from '@funnel/tracing';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ensureEnvironmentTokens, hashToken } from '../src/access/tokens.ts';
import { startApi } from '../src/start-api.ts';
import { oneTrial } from './build.ts';

const logger = pino({ level: 'silent' });
const tokens = { admin: 'an-admin-token-of-the-environment', metrics: 'a-metrics-token-of-the-environment' };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
/** The name of a token of the environment. */
const nameOf = (kind: string, secret: string) => `environment-${kind}-${hashToken(secret).slice(0, 8)}`;

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

  it('are written to the audit log in the name of the environment', async () => {
    const { items } = await listAudit(db, { limit: 100 });
    expect(items.map(({ actor, action, subject }) => [actor, action, subject]).reverse()).toEqual([
      ['environment', 'createToken', nameOf('admin', 'a'.repeat(48))],
      ['environment', 'createToken', nameOf('metrics', 'b'.repeat(48))],
      ['environment', 'createToken', nameOf('admin', 'c'.repeat(48))],
      ['environment', 'revokeToken', nameOf('admin', 'a'.repeat(48))],
    ]);
  });

  it('stay revoked when an earlier secret comes back, which then replaces no other', async () => {
    await ensureEnvironmentTokens(db, { admin: 'a'.repeat(48) });
    expect(await roleOf('a'.repeat(48))).toBeNull();
    expect(await roleOf('c'.repeat(48))).toBe('admin');
  });

  it('stay revoked when a person has revoked them', async () => {
    await revokeToken(db, nameOf('admin', 'c'.repeat(48)));
    await ensureEnvironmentTokens(db, { admin: 'c'.repeat(48) });
    expect(await roleOf('c'.repeat(48))).toBeNull();
  });

  it('are refused in words when another token has the same secret', async () => {
    const hash = hashToken('d'.repeat(48));
    await saveToken(db, { name: 'alice', role: 'submit', hash });
    await expect(ensureEnvironmentTokens(db, { admin: 'd'.repeat(48) })).rejects.toThrow(
      'FUNNEL_ADMIN_TOKEN: Expected a new secret, but the token called alice has the same. Set FUNNEL_ADMIN_TOKEN to a secret of its own',
    );
    const tokens = { admin: 'e'.repeat(48), metrics: 'e'.repeat(48) };
    await expect(ensureEnvironmentTokens(db, tokens)).rejects.toThrow(
      `FUNNEL_METRICS_TOKEN: Expected a new secret, but the token called ${nameOf('admin', 'e'.repeat(48))} has the same`,
    );
  });

  it('have names that no person can give to a token', async () => {
    for (const name of ['environment-admin-01234567', 'environment', 'local', 'cli'])
      await expect(saveToken(db, { name, role: 'read', hash: hashToken(name) })).rejects.toMatchObject({
        code: 'INVALID_TRANSITION',
      });
  });
});

it.each([
  ['no token', {}, null, null, 'local'],
  [
    'only the token of the environment',
    { admin: 'a'.repeat(48) },
    null,
    'a'.repeat(48),
    nameOf('admin', 'a'.repeat(48)),
  ],
  [
    'both, with that of the environment',
    { admin: 'a'.repeat(48) },
    'b'.repeat(48),
    'a'.repeat(48),
    nameOf('admin', 'a'.repeat(48)),
  ],
  ['both, with the other', { admin: 'a'.repeat(48) }, 'b'.repeat(48), 'b'.repeat(48), 'alice'],
])('with %s, the audit log names the token of the request', async (_, environment, other, shown, actor) => {
  const own = await createTestDatabase();
  onTestFinished(() => own.drop());
  const db = createDb(own.url);
  onTestFinished(() => db.close());
  if (other) await saveToken(db, { name: 'alice', role: 'admin', hash: hashToken(other) });
  const api = await startApi({
    ...{ databaseUrl: own.url, port: 0, engineVersion: 'test', logger },
    tokens: environment,
  });
  onTestFinished(() => api.close());
  const submit = async (token: string | null) =>
    (
      await fetch(`${api.url}/v1/sweeps`, {
        method: 'POST',
        headers: { ...(token && bearer(token)), 'content-type': 'application/json' },
        body: JSON.stringify(oneTrial),
      })
    ).status;
  expect(await submit('f'.repeat(48))).toBe(401);
  expect(await submit(shown)).toBe(201);
  const { items } = await listAudit(db, { limit: 100 });
  expect(items.filter(({ action }) => action === 'createSweep').map((entry) => entry.actor)).toEqual([actor]);
});
