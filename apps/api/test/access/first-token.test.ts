/** From the first token on, every request needs one. */
import { revokeToken, saveToken } from '@funnel/db';
import { openTestDb } from '@funnel/db/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createTokenGate, hashToken, shareRuns } from '../../src/access/tokens.ts';
import { buildApp } from '../../src/app.ts';
import { addToken, build, createFakeQueue, oneTrial, tokenOf } from '../build.ts';

const gateOptions = { required: false, host: '127.0.0.1' };

test('the request after the first token needs it, in every process', async () => {
  const api = await build();
  const other = await buildApp({ db: api.db, queue: createFakeQueue(), engineVersion: 'test' });
  onTestFinished(async () => {
    await other.close();
    await api.close();
  });
  const statuses = async () => [
    (await api.app.inject('/v1/sweeps')).statusCode,
    (await other.inject('/v1/sweeps')).statusCode,
  ];
  expect(await statuses()).toEqual([200, 200]);
  await addToken(api.db, 'read');
  expect(await statuses()).toEqual([401, 401]);
  const authorization = `Bearer ${tokenOf('read')}`;
  expect((await other.inject({ url: '/v1/sweeps', headers: { authorization } })).statusCode).toBe(200);
});

test('a service whose tokens are all revoked stays closed when it starts again', async () => {
  const api = await build({
    prepare: async (db) => {
      await addToken(db, 'admin');
      await revokeToken(db, 'a admin');
    },
  });
  onTestFinished(api.close);
  expect((await api.app.inject('/v1/sweeps')).statusCode).toBe(401);
});

test('costs one query for requests that come together, and none when a token is known', async () => {
  let queries = 0;
  const db = await openTestDb({
    onStatement: () => {
      queries++;
    },
  });
  onTestFinished(db.close);
  const gate = await createTokenGate(db, gateOptions);
  /** The queries of so many requests at once. */
  const costOf = async (requests: number, needed: boolean): Promise<number> => {
    const before = queries;
    const answers = await Promise.all(Array.from({ length: requests }, () => gate.tokensNeeded()));
    expect(answers).toEqual(Array.from({ length: requests }, () => needed));
    return queries - before;
  };
  expect(await costOf(1, false)).toBe(1);
  expect(await costOf(100, false)).toBe(2);
  await saveToken(db, { name: 'first', role: 'read', hash: hashToken('first') });
  expect(await costOf(1, true)).toBe(1);
  expect(await costOf(100, true)).toBe(0);
});

test('a token that the service does not know is refused, also while no token is needed', async () => {
  const api = await build();
  onTestFinished(api.close);
  const get = async (authorization: string, url = '/v1/sweeps') =>
    (await api.app.inject({ url, headers: { authorization } })).json();
  for (const wrong of ['Bearer funnel_of_another_service', 'Bearer “abc”', 'bearer', 'Bearer '])
    expect(await get(wrong)).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  expect(await get('Bearer funnel_of_another_service')).toMatchObject({
    detail: expect.stringMatching(/^Expected no token/),
    hint: 'Send no token: unset FUNNEL_TOKEN.',
  });
  expect(await get('Basic of-a-proxy')).toMatchObject({ items: [] });
});

test('while the database is away, a token that worked shows the metrics, and nothing else', async () => {
  const api = await build({ auth: 'required', prepare: (db) => addToken(db, 'read') });
  onTestFinished(() => api.app.close());
  const get = async (url: string, token = tokenOf('read')) =>
    (await api.app.inject({ url, headers: { authorization: `Bearer ${token}` } })).statusCode;
  expect(await get('/metrics')).toBe(200);
  await api.db.close();
  const metrics = await api.app.inject({
    url: '/metrics',
    headers: { authorization: `Bearer ${tokenOf('read')}` },
  });
  expect(metrics.statusCode).toBe(200);
  expect(metrics.body.split('\n')).toContain('funnel_part_up{part="database"} 0');
  expect(await get('/metrics', 'never-seen')).toBe(503);
  expect(await get('/v1/sweeps')).toBe(503);
});

test('a revoked token is forgotten as soon as the database says so', async () => {
  const db = await openTestDb();
  await addToken(db, 'read');
  const gate = await createTokenGate(db, gateOptions);
  const find = () => gate.findCaller(hashToken(tokenOf('read')), { whileAway: true });
  expect(await find()).toMatchObject({ role: 'read' });
  await revokeToken(db, 'a read');
  expect(await find()).toBeNull();
  await db.close();
  await expect(find()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
});

test('while the database is away, nobody knows whether a token is needed; /metrics goes by the last answer', async () => {
  const db = await openTestDb();
  const gate = await createTokenGate(db, gateOptions);
  expect(await gate.tokensNeeded()).toBe(false);
  await db.close();
  await expect(gate.tokensNeeded()).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  expect(await gate.tokensNeeded({ whileAway: true })).toBe(false);
});

test('a caller without a token gets no access because the database was away when it was asked', async () => {
  const api = await build({ prepare: (db) => addToken(db, 'admin') });
  onTestFinished(api.close);
  // The first statement of the process meets a database that restarts, and the next one a database that is back.
  const connect = vi.spyOn(api.db.pool, 'connect').mockImplementationOnce(() => {
    throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  });
  onTestFinished(() => connect.mockRestore());
  const submission = { method: 'POST', url: '/v1/sweeps', payload: oneTrial } as const;
  expect((await api.app.inject(submission)).statusCode).toBe(503);
  expect((await api.app.inject(submission)).statusCode).toBe(401);
  const { rows } = await api.db.pool.query('SELECT actor FROM audit_log');
  expect(rows).toEqual([]);
});

test('a call never gets the result of a run that began before it', async () => {
  const ends: (() => void)[] = [];
  let begun = 0;
  const call = shareRuns(async () => {
    const run = ++begun;
    await new Promise<void>((resolve) => ends.push(resolve));
    if (run === 1) throw new Error('the first run fails');
    return run;
  });
  const first = call();
  const [second, third] = [call(), call()];
  expect(begun).toBe(1);
  ends[0]!();
  await expect(first).rejects.toThrow('the first run fails');
  await expect.poll(() => begun).toBe(2);
  const fourth = call();
  ends[1]!();
  expect(await Promise.all([second, third])).toEqual([2, 2]);
  await expect.poll(() => begun).toBe(3);
  ends[2]!();
  expect(await fourth).toBe(3);
});
