/** Each client has Idempotency-Keys of its own. Keys that older versions stored stay valid. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Db, submitSweep } from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { definition, prepared } from './support/submit.ts';
import { query } from './support/tables.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

const sweep = definition();
const send = (client: string, key: string, bodyHash = 'same') =>
  submitSweep(db, { ...prepared(sweep, client), idempotency: { key, bodyHash } });

/** Submits, and stores the key as an older version did: without its client. */
const sendToOlder = async (client: string, key: string): Promise<string> => {
  const { sweepId } = await send(client, key);
  await query(db, 'UPDATE idempotency_keys SET key = $2 WHERE sweep_id = $1', [sweepId, key]);
  return sweepId;
};

test('the same key of another client gives another sweep, for an equal body and for another one', async () => {
  const first = await send('token a', 'monday');
  const equal = await send('token b', 'monday');
  const different = await send('10.0.0.1', 'monday', 'other');
  expect([first, equal, different].map(({ created }) => created)).toEqual([true, true, true]);
  expect(await send('token a', 'monday')).toEqual({ sweepId: first.sweepId, created: false });
  expect(await send('token b', 'monday')).toEqual({ sweepId: equal.sweepId, created: false });
  await expect(send('10.0.0.1', 'monday')).rejects.toMatchObject({
    code: 'IDEMPOTENCY_CONFLICT',
    details: { sweepId: different.sweepId },
  });
});

test('a key of an older version belongs to the client of its sweep', async () => {
  const sweepId = await sendToOlder('token a', 'old');
  expect(await send('token a', 'old')).toEqual({ sweepId, created: false });
  expect((await send('token b', 'old')).created).toBe(true);
  await expect(send('token a', 'old', 'other')).rejects.toMatchObject({ details: { sweepId } });
});

test('a key of an older version whose client nobody knows belongs to all addresses, and to no token', async () => {
  const sweepId = await sendToOlder('127.0.0.1', 'oldest');
  await query(db, 'UPDATE sweeps SET client = NULL WHERE id = $1', [sweepId]);
  expect(await send('127.0.0.1', 'oldest')).toEqual({ sweepId, created: false });
  expect(await send('10.0.0.1', 'oldest')).toEqual({ sweepId, created: false });
  expect((await send('token a', 'oldest')).created).toBe(true);
});
