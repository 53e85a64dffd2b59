import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { isLoopback } from '../../src/access/hosts.ts';
import { addToken, build, fingerprint, oneTrial, type TestApp, tokenOf } from '../build.ts';

let api: TestApp;
beforeAll(async () => {
  api = await build({ allowedHosts: ['funnel.test'], limits: { requestsPerMinute: 200 } });
});
afterAll(() => api.close());

describe('on loopback, without tokens', () => {
  test.each(['localhost', 'localhost:7070', '127.0.0.1:7070', '[::1]:7070', 'LOCALHOST', 'funnel.test'])(
    '%s is allowed in Host',
    async (host) => {
      expect((await api.app.inject({ url: '/v1/sweeps', headers: { host } })).statusCode).toBe(200);
    },
  );

  test.each(['evil.test', 'localhost.evil.test', '127.0.0.1.evil.test:7070', '192.168.0.1'])(
    'a rebound name (%s) is refused',
    async (host) => {
      for (const url of ['/v1/sweeps', '/', '/docs/', '/openapi.json']) {
        const response = await api.app.inject({ url, headers: { host } });
        expect(response.json()).toMatchObject({ status: 421, code: 'HOST_NOT_ALLOWED' });
      }
    },
  );

  test('a page of another site can change nothing', async () => {
    const { id } = (await api.app.inject({ method: 'POST', url: '/v1/sweeps', payload: oneTrial })).json();
    const before = await fingerprint(api.db);
    for (const origin of ['https://evil.test', 'null', 'http://localhost:9999', 'http://localhost.evil.test'])
      for (const request of [
        { method: 'POST', url: `/v1/sweeps/${id}/cancel` },
        { method: 'DELETE', url: `/v1/sweeps/${id}` },
        { method: 'POST', url: '/v1/sweeps', payload: oneTrial },
      ] as const) {
        const response = await api.app.inject({ ...request, headers: { origin, host: 'localhost:7070' } });
        expect(response.json()).toMatchObject({ status: 403, code: 'CROSS_ORIGIN' });
      }
    expect(await fingerprint(api.db)).toBe(before);
  });

  test('the dashboard can change things', async () => {
    const response = await api.app.inject({
      method: 'POST',
      url: '/v1/sweeps/plan',
      payload: oneTrial,
      headers: { origin: 'http://localhost:7070', host: 'localhost:7070' },
    });
    expect(response.statusCode).toBe(200);
  });

  test('no other site may read answers: there is no CORS', async () => {
    for (const method of ['GET', 'OPTIONS'] as const) {
      const response = await api.app.inject({
        method,
        url: '/v1/sweeps',
        headers: { origin: 'https://evil.test', 'access-control-request-method': 'POST' },
      });
      expect(Object.keys(response.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    }
  });
});

test('a client that calls too often gets a 429 with Retry-After', async () => {
  const codes: number[] = [];
  for (let i = 0; i < 210; i++) {
    const response = await api.app.inject({ url: '/healthz', remoteAddress: '10.0.0.9' });
    codes.push(response.statusCode);
    if (response.statusCode === 429) {
      expect(Number(response.headers['retry-after'])).toBeGreaterThan(0);
      expect(response.json()).toMatchObject({ code: 'RATE_LIMITED' });
      break;
    }
  }
  expect(codes.at(-1)).toBe(429);
  expect(codes.length).toBeGreaterThan(200);
  expect((await api.app.inject({ url: '/healthz', remoteAddress: '10.0.0.10' })).statusCode).toBe(200);
});

test('requests of an address and of a token are counted separately, in windows of a minute', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const own = await build({ limits: { requestsPerMinute: 3 }, prepare: (db) => addToken(db, 'read') });
  onTestFinished(async () => {
    vi.useRealTimers();
    await own.close();
  });
  const call = (remoteAddress: string, url = '/v1/sweeps') =>
    own.app.inject({ url, remoteAddress, headers: { authorization: `Bearer ${tokenOf('read')}` } });
  const statuses = [await call('10.0.0.1'), await call('10.0.0.1'), await call('10.0.0.2')];
  expect(statuses.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);

  vi.setSystemTime(Date.now() + 20_000);
  const refused = await call('10.0.0.2');
  expect(refused.json()).toMatchObject({
    status: 429,
    code: 'RATE_LIMITED',
    detail: 'Expected at most 3 requests of token a read in a minute (FUNNEL_RATE_LIMIT), but got more',
  });
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(30);
  expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(40);
  expect(Object.keys(refused.headers).filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
  // The address has one request left, for a route that needs no token.
  expect((await call('10.0.0.2', '/healthz')).statusCode).toBe(200);
  expect((await call('10.0.0.2', '/healthz')).json().detail).toContain('at most 3 requests of 10.0.0.2');

  vi.setSystemTime(Date.now() + 40_000);
  expect((await call('10.0.0.2')).statusCode).toBe(200);
});

describe('behind a proxy', () => {
  test('a token is required on every address', async () => {
    await expect(build({ trustProxy: true })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('the address of a caller is the one that the proxy saw', async () => {
    const proxied = await build({ trustProxy: true, prepare: (db) => addToken(db, 'submit') });
    try {
      const { statusCode } = await proxied.app.inject({
        method: 'POST',
        url: '/v1/sweeps',
        payload: oneTrial,
        headers: { 'x-forwarded-for': '6.6.6.6, 10.1.1.1', authorization: `Bearer ${tokenOf('submit')}` },
      });
      expect(statusCode).toBe(201);
      const { rows } = await proxied.db.pool.query('SELECT address FROM audit_log');
      expect(rows).toEqual([{ address: '10.1.1.1' }]);
    } finally {
      await proxied.close();
    }
  });
});

test.each(['127.0.0.1', '127.1.2.3', 'localhost', '::1', '[::1]'])('%s is loopback', (host) => {
  expect(isLoopback(host)).toBe(true);
});
test.each(['0.0.0.0', '::', '', '10.0.0.1', '127.0.0.1.evil.test', 'localhost.evil.test', '1270.0.0.1'])(
  '%j is not loopback',
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);
