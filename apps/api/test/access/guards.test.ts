import { routes } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isLoopback } from '../../src/access/hosts.ts';
import { addToken, build, fingerprint, oneTrial, type TestApp, tokenOf } from '../build.ts';

let api: TestApp;
beforeAll(async () => {
  api = await build({ allowedHosts: ['funnel.test'], rateLimit: 200 });
});
afterAll(() => api.close());

describe('on loopback, without tokens', () => {
  test.each(['localhost', 'localhost:7070', '127.0.0.1:7070', '[::1]:7070', 'LOCALHOST', 'funnel.test'])(
    '%s is a name to call it by',
    async (host) => {
      expect((await api.app.inject({ url: '/v1/sweeps', headers: { host } })).statusCode).toBe(200);
    },
  );

  test.each(['evil.test', 'localhost.evil.test', '127.0.0.1.evil.test:7070', '192.168.0.1'])(
    'a rebound name (%s) is not',
    async (host) => {
      for (const url of ['/v1/sweeps', '/', '/docs/', '/openapi.json']) {
        const response = await api.app.inject({ url, headers: { host } });
        expect(response.json()).toMatchObject({ status: 421, code: 'HOST_NOT_ALLOWED' });
      }
    },
  );

  test('another site cannot make a browser change anything', async () => {
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

  test('the dashboard can', async () => {
    const response = await api.app.inject({
      method: 'POST',
      url: '/v1/sweeps/plan',
      payload: oneTrial,
      headers: { origin: 'http://localhost:7070', host: 'localhost:7070' },
    });
    expect(response.statusCode).toBe(200);
  });

  test('no site may read answers: there is no CORS', async () => {
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

describe('every answer', () => {
  test.each(['/v1/sweeps', '/v1/sweeps/x', '/nothing', '/docs/', '/', routes.getOpenApi.url])(
    'of %s carries the headers that keep browsers safe',
    async (url) => {
      const { headers } = await api.app.inject(url);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
      });
      expect(headers['content-security-policy']).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
      expect(headers).not.toHaveProperty('x-powered-by');
      expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    },
  );
});

test('a client that calls too often is asked to wait', async () => {
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

describe('behind a proxy', () => {
  test('there must be a token, whatever the address that it listens on', async () => {
    await expect(build({ trustProxy: true })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  test('a caller is whom the proxy saw, not whom the caller says to be', async () => {
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
  '%j is not',
  (host) => {
    expect(isLoopback(host)).toBe(false);
  },
);
