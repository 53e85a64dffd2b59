/** From the first token on, every request needs one. */
import { revokeToken, saveToken } from '@funnel/db';
import { openTestDb } from '@funnel/db/testing';
import { expect, onTestFinished, test } from 'vitest';
import { createTokenGate, hashToken, shareRuns } from '../../src/access/tokens.ts';
import { buildApp } from '../../src/app.ts';
import { addToken, build, createFakeQueue, tokenOf } from '../build.ts';

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
    const answers = await Promise.all(Array.from({ length: requests }, gate.tokensNeeded));
    expect(answers).toEqual(Array.from({ length: requests }, () => needed));
    return queries - before;
  };
  expect(await costOf(1, false)).toBe(1);
  expect(await costOf(100, false)).toBe(2);
  await saveToken(db, { name: 'first', role: 'read', hash: hashToken('first') });
  expect(await costOf(1, true)).toBe(1);
  expect(await costOf(100, true)).toBe(0);
});

test('while the database is away, the answer stays as it was', async () => {
  const db = await openTestDb();
  const gate = await createTokenGate(db, gateOptions);
  expect(await gate.tokensNeeded()).toBe(false);
  await db.close();
  expect(await gate.tokensNeeded()).toBe(false);
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
