import { type AuditEntry, type Role, type Route, type RouteName, roles, routes } from '@funnel/contracts';
import { revokeToken } from '@funnel/db';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { addToken, build, fingerprint, oneTrial, type TestApp, tokenOf } from '../build.ts';

let api: TestApp;
beforeAll(async () => {
  api = await build({
    prepare: async (db) => {
      for (const role of roles) await addToken(db, role);
    },
  });
});
afterAll(() => api.close());

const table = Object.entries(routes) as [RouteName, Route][];
const declared = (role: Role | null) => table.filter(([, route]) => route.role === role);

const dataset = {
  name: 'pets',
  digest: 'a'.repeat(64),
  content: { shape: [2, 2, 1], classes: ['cat', 'dog'], train: 2, test: 2 },
  chunks: ['b'.repeat(64)],
};

const bodyOf = (url: string): object => {
  if (url === '/v1/datasets') return dataset;
  if (url.endsWith('/extend')) return { trials: 1 };
  if (url === '/v1/sweeps/:id') return { tags: ['baseline'] };
  if (url.endsWith('/points')) return { point: { gamma: 1 } };
  return url.startsWith('/v1/garbage') ? {} : oneTrial;
};

/** A valid request for an object that does not exist. */
const requestTo = ({ method, url, body }: Route, authorization?: string): InjectOptions => ({
  method,
  url: `${url.replace(/:[a-z]+/gi, 'nothing')}${url === '/v1/compare' ? '?trials=a,b' : ''}`,
  headers: {
    ...(authorization !== undefined && { authorization }),
    ...(body && { 'content-type': 'application/json' }),
  },
  ...(body && { payload: JSON.stringify(bodyOf(url)) }),
});

/** The status, without waiting for a stream to end. */
const call = async (app: FastifyInstance, request: InjectOptions): Promise<number> => {
  const response = await app.inject({ ...request, payloadAsStream: true });
  response.stream().destroy();
  return response.statusCode;
};

describe('without a valid token', () => {
  const credentials: Record<string, string | undefined> = {
    none: undefined,
    'an unknown one': 'Bearer token-of-nobody',
    'an empty one': 'Bearer ',
    'a password': `Basic ${Buffer.from(`admin:${tokenOf('admin')}`).toString('base64')}`,
    'the hash of one': 'Bearer 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae',
    'two at once': `Bearer ${tokenOf('admin')} ${tokenOf('admin')}`,
  };
  const closed = table.filter(([, route]) => route.role !== null);

  test.each(Object.entries(credentials))(
    '(%s) every route that has a role answers 401',
    async (_, authorization) => {
      const before = await fingerprint(api.db);
      for (const [name, route] of closed) {
        const response = await api.app.inject(requestTo(route, authorization));
        expect([name, response.statusCode]).toEqual([name, 401]);
        expect(response.headers['www-authenticate']).toMatch(/^Bearer/);
        expect(response.json()).toMatchObject({ code: 'UNAUTHENTICATED' });
      }
      expect(await fingerprint(api.db)).toBe(before);
    },
  );

  test.each(declared(null))('%s is open', async (_, route) => {
    expect(await call(api.app, requestTo(route))).toBe(200);
  });
});

describe('with a token', () => {
  const pairs = table.flatMap(([name, route]) =>
    route.role === null ? [] : roles.map((held) => ({ name, route, held, needed: route.role as Role })),
  );
  const tooLow = pairs.filter(({ held, needed }) => roles.indexOf(held) < roles.indexOf(needed));
  const enough = pairs.filter(({ held, needed }) => roles.indexOf(held) >= roles.indexOf(needed));

  test('of a lower role, every route answers 403 and nothing is written', async () => {
    const before = await fingerprint(api.db);
    expect(tooLow.length).toBeGreaterThan(5);
    for (const { name, route, held, needed } of tooLow) {
      const response = await api.app.inject(requestTo(route, `Bearer ${tokenOf(held)}`));
      expect([name, response.statusCode]).toEqual([name, 403]);
      expect(response.json().detail).toContain(`Expected the role ${needed}`);
    }
    expect(await fingerprint(api.db)).toBe(before);
  });

  test('of its role or a higher one, every route gives access', async () => {
    for (const { name, route, held } of enough) {
      const status = await call(api.app, requestTo(route, `bearer ${tokenOf(held)}`));
      const given = route.url.startsWith('/v1/datasets/:') ? [200, 400, 404] : [200, 201, 404]; // no digest, no bytes
      expect(given, `${name} as ${held}: ${status}`).toContain(status);
    }
  });

  test('the audit log names the token', async () => {
    const response = await api.app.inject({
      url: '/v1/audit',
      headers: { authorization: `Bearer ${tokenOf('admin')}` },
    });
    const entries = response
      .json<{ items: AuditEntry[] }>()
      .items.filter(({ action }) => action === 'createSweep');
    expect(entries.map(({ actor }) => actor).sort()).toEqual(['a admin', 'a submit']);
    expect(entries[0]).toMatchObject({ address: '127.0.0.1', details: { requestId: expect.any(String) } });
  });

  test('that is revoked, no route gives access; and revoking the last token does not open the service', async () => {
    const own = await build({ prepare: (db) => addToken(db, 'admin') });
    const get = () =>
      own.app.inject({ url: '/v1/sweeps', headers: { authorization: `Bearer ${tokenOf('admin')}` } });
    expect((await get()).statusCode).toBe(200);
    await revokeToken(own.db, 'a admin');
    expect((await get()).statusCode).toBe(401);
    expect((await own.app.inject('/v1/sweeps')).statusCode).toBe(401);
    await own.close();
  });
});

describe('on an address that others can reach', () => {
  test.each(['0.0.0.0', '::', '10.1.2.3', 'funnel.example'])(
    'on %s it does not start without a token',
    async (host) => {
      await expect(build({ host })).rejects.toThrow(/Expected at least one token before listening on/);
    },
  );

  test('it starts with a token, and then requires it', async () => {
    const open = await build({ host: '0.0.0.0', prepare: (db) => addToken(db, 'read') });
    expect((await open.app.inject('/v1/sweeps')).statusCode).toBe(401);
    // Any name is allowed in Host, unless names are configured.
    expect((await open.app.inject({ url: '/healthz', headers: { host: 'funnel.example' } })).statusCode).toBe(
      200,
    );
    await open.close();
  });

  test('it accepts the allowed names in Host, and any name from probes', async () => {
    const named = await build({
      host: '0.0.0.0',
      allowedHosts: ['funnel.example'],
      prepare: (db) => addToken(db, 'read'),
    });
    const status = async (url: string, host: string) => {
      const headers = { host, authorization: `Bearer ${tokenOf('read')}` };
      return (await named.app.inject({ url, headers })).statusCode;
    };
    expect(await status('/v1/sweeps', 'funnel.example')).toBe(200);
    expect(await status('/v1/sweeps', '10.0.0.7:7070')).toBe(421);
    for (const url of ['/healthz', '/readyz', '/metrics'])
      expect(await status(url, '10.0.0.7:7070')).toBe(200);
    await named.close();
  });

  test('FUNNEL_AUTH=required needs a token on loopback too', async () => {
    await expect(build({ auth: 'required' })).rejects.toThrow(/at least one token/);
  });
});

describe('open streams', () => {
  let api: TestApp;
  let url: string;
  beforeAll(async () => {
    api = await build({ watchStreamsSeconds: 0.1 });
    url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(() => api.close());

  const open = async (token?: string) => {
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`${url}/v1/events`, { headers });
    expect(response.status).toBe(200);
    const reader = response.body!.getReader();
    await reader.read(); // the greeting
    return { ended: reader.read().then(({ done }) => done), cancel: () => reader.cancel() };
  };
  /** Whether the stream ended. Its reader gets an error if that happens in the middle of a chunk. */
  const isOver = (ended: Promise<boolean>): Promise<boolean> => ended.catch(() => true);

  test('a stream ends when its token is revoked, and others go on; one opened without a token ends when the first token is made', async () => {
    const anybody = await open();
    await addToken(api.db, 'read');
    await addToken(api.db, 'admin');
    expect(await isOver(anybody.ended)).toBe(true);
    const [reader, admin] = [await open(tokenOf('read')), await open(tokenOf('admin'))];
    await revokeToken(api.db, 'a read');
    expect(await isOver(reader.ended)).toBe(true);
    expect(await Promise.race([admin.ended, fetch(`${url}/healthz`).then(() => 'goes on')])).toBe('goes on');
    await admin.cancel();
  });
});
