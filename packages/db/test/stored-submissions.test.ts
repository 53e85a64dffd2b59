/** Submissions that wait in the database for a process that takes them. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import {
  type Db,
  getSubmission,
  listSubmissions,
  postponeSubmission,
  refuseSubmission,
  renewSubmission,
  storeSubmission,
  submitSweep,
  takeSubmission,
  withdrawSubmission,
} from '../src/index.ts';
import { openTestDb } from '../src/testing/index.ts';
import { definition, prepared } from './support/submit.ts';
import { query, wrongCounts } from './support/tables.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());
beforeEach(() => query(db, 'DELETE FROM submissions'));

const sweep = definition();
const store = async (options: {
  client?: string;
  size?: 'medium' | 'large';
  key?: string;
  hash?: string;
}) => {
  const { client = 'a', size = 'large', hash = 'hash', key } = options;
  const request = { client, size, definition: sweep, engineVersion: 'engine-1', bodyHash: hash };
  const stored = await storeSubmission(db, key === undefined ? request : { ...request, key });
  if ('sweepId' in stored) throw new Error('Expected a stored submission, but got a sweep');
  return stored;
};
const take = (size: 'medium' | 'large' = 'large') => takeSubmission(db, size, 60);

describe('the queue', () => {
  test('runs one submission of each size at a time, and clients take turns', async () => {
    const first = await store({});
    const second = await store({});
    const other = await store({ client: 'b' });
    const medium = await store({ size: 'medium' });
    expect((await getSubmission(db, other.id)).ahead).toBe(2);
    const taken = (await take())!;
    expect(taken).toMatchObject({ id: first.id, attempt: 1, definition: sweep, engineVersion: 'engine-1' });
    expect(await take()).toBeNull();
    expect((await take('medium'))?.id).toBe(medium.id);
    await refuseSubmission(db, taken, { code: 'SWEEP_TOO_LARGE', message: 'x', details: {} });
    expect((await take())?.id).toBe(other.id);
    const { items } = await listSubmissions(db, { limit: 10 });
    expect(items.map(({ id, status, ahead }) => [id, status, ahead])).toEqual([
      [first.id, 'refused', 0],
      [second.id, 'waiting', 1],
      [other.id, 'running', 0],
      [medium.id, 'running', 0],
    ]);
  });

  test('gives a submission to another process when its lease has run out, and the first one writes nothing', async () => {
    const { id } = await store({});
    const lost = (await take())!;
    await renewSubmission(db, lost, -1);
    const taken = (await take())!;
    expect(taken).toMatchObject({ id, attempt: 2 });
    const sweeps = await query(db, 'SELECT id FROM sweeps');
    await expect(submitSweep(db, { ...prepared(sweep), ticket: lost })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(await query(db, 'SELECT id FROM sweeps')).toEqual(sweeps);
    await renewSubmission(db, lost, 1000);
    await refuseSubmission(db, lost, { code: 'INTERNAL', message: 'x', details: {} });
    expect((await getSubmission(db, id)).status).toBe('running');
    const { sweepId } = await submitSweep(db, { ...prepared(sweep), ticket: taken });
    expect(await getSubmission(db, id)).toMatchObject({ status: 'completed', sweepId });
    expect(await wrongCounts(db)).toEqual([]);
  });

  test('lets a submission that found the database busy wait', async () => {
    const { id } = await store({});
    await postponeSubmission(db, (await take())!, 1000);
    expect(await take()).toBeNull();
    expect((await getSubmission(db, id)).status).toBe('waiting');
    await query(db, 'UPDATE submissions SET due_at = now()');
    expect((await take())?.attempt).toBe(2);
  });

  test('takes at most twenty submissions of one client', async () => {
    for (let i = 0; i < 20; i++) await store({});
    await expect(store({})).rejects.toMatchObject({ code: 'TOO_MANY_OWN_SUBMISSIONS' });
    await store({ client: 'b' });
  });
});

describe('a key', () => {
  test('gives the same submission, and later its sweep', async () => {
    const first = await store({ key: 'k' });
    expect(first.isNew).toBe(true);
    expect(await store({ key: 'k' })).toEqual({ id: first.id, isNew: false });
    await expect(store({ key: 'k', hash: 'other' })).rejects.toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    const ticket = (await take())!;
    expect(ticket.idempotencyKey).toBe('k');
    const idempotency = { key: 'k', bodyHash: 'hash' };
    const { sweepId } = await submitSweep(db, { ...prepared(sweep, 'a'), idempotency, ticket });
    const request = { client: 'a', size: 'large', definition: sweep, engineVersion: 'engine-1' } as const;
    expect(await storeSubmission(db, { ...request, bodyHash: 'hash', key: 'k' })).toEqual({ sweepId });
  });

  test('belongs to its client', async () => {
    const first = await store({ key: 'shared' });
    const other = await store({ client: 'b', key: 'shared', hash: 'other' });
    expect(other.isNew).toBe(true);
    expect(other.id).not.toBe(first.id);
    expect(await store({ client: 'b', key: 'shared', hash: 'other' })).toEqual({
      id: other.id,
      isNew: false,
    });
    expect((await take())!).toMatchObject({ id: first.id, client: 'a', idempotencyKey: 'shared' });
  });

  test('that an older version stored reaches the process as the client sent it', async () => {
    await store({ client: 'old', key: 'plain' });
    await query(db, `UPDATE submissions SET key = 'plain'`);
    expect((await take())!.idempotencyKey).toBe('plain');
  });

  test('of a refused submission may be used again', async () => {
    const { id } = await store({ key: 'r' });
    await refuseSubmission(db, (await take())!, {
      code: 'SWEEP_TOO_LARGE',
      message: 'too large',
      details: {},
    });
    expect((await getSubmission(db, id)).refusal).toEqual({
      code: 'SWEEP_TOO_LARGE',
      message: 'too large',
      details: {},
    });
    expect((await store({ key: 'r' })).isNew).toBe(true);
  });
});

test('a submission that is withdrawn while it runs writes no sweep', async () => {
  const { id } = await store({});
  const ticket = (await take())!;
  await withdrawSubmission(db, id);
  await expect(submitSweep(db, { ...prepared(sweep), ticket })).rejects.toMatchObject({
    code: 'UNAVAILABLE',
  });
  await expect(getSubmission(db, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  const done = await store({});
  await submitSweep(db, { ...prepared(sweep), ticket: (await take())! });
  await expect(withdrawSubmission(db, done.id)).rejects.toMatchObject({ code: 'INVALID_TRANSITION' });
});
