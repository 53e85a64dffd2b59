/** What clients use of the service: counts of their bytes, and the limits of each client. */
import { defaultLimits, RetentionPolicy } from '@funnel/contracts';
import { expect, test } from 'vitest';
import {
  type ClientUse,
  cancelSweep,
  collectGarbage,
  deleteSweep,
  failAttempt,
  readBlob,
  readClientUse,
  retrySweep,
  storeSubmission,
  submitSweep,
} from '../src/index.ts';
import { leaseOf } from './support/attempts.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, finish } from './support/simulated-trainer.ts';
import { definition, prepared } from './support/submit.ts';
import { query, wrongCounts } from './support/tables.ts';

shareDb();

/** Submits a sweep of one trial. Its estimate is 1,000 bytes, of which it trains all six epochs, unless the database has some. */
const submitAs = (
  client: string,
  limits: Partial<typeof defaultLimits> = {},
  gamma = 1,
  ofSeed: number = seed,
) => {
  const submission = prepared(definition({ seeds: [ofSeed], space: { gamma: [gamma] } }), client);
  return submitSweep(db, {
    ...submission,
    buildPlan: (known) => {
      const built = submission.buildPlan(known);
      const estimate = { parameters: 1, trainerBytes: 1, storedBytes: 1000, attackQueries: 1 };
      return { ...built, plan: { ...built.plan, estimate } };
    },
    share: { client, limits: { ...defaultLimits, ...limits } },
  });
};

const storedBy = async (client: string): Promise<number> => {
  const [row] = await query<{ bytes: number }>(
    db,
    'SELECT coalesce(sum(octet_length(bytes)), 0)::bigint AS bytes FROM blobs WHERE client = $1',
    [client],
  );
  return row!.bytes;
};
const use = async (client: string): Promise<ClientUse> => readClientUse(db, client);
const nothing: ClientUse = { submissions: 0, sweeps: 0, stored: 0, expected: 0 };

test('the bytes of a client are those of the checkpoints that its sweeps stored, until they are deleted', async () => {
  const { sweepId } = await submitAs('a');
  expect(await use('a')).toEqual({ ...nothing, sweeps: 1, expected: 1000 });
  await finish(db, (await claim(db))!); // two of the six epochs
  const middle = await use('a');
  expect(middle).toEqual({ ...nothing, sweeps: 1, stored: await storedBy('a'), expected: (1000 * 4) / 6 });
  expect(middle.stored).toBeGreaterThan(0);
  await drain(db);
  expect(await use('a')).toEqual({ ...nothing, stored: await storedBy('a') });

  // Another client that uses the same stages pays only for what it adds.
  const other = await submitAs('b', {}, 2);
  expect((await use('b')).expected).toBeCloseTo((1000 * 4) / 6, 9);
  await drain(db);
  expect((await use('b')).stored).toBe(await storedBy('b'));
  expect(await wrongCounts(db)).toEqual([]);

  const everything = RetentionPolicy.parse({ keepDays: 0, keepBest: 0, keepSweeps: [sweepId] });
  await collectGarbage(db, everything, { dryRun: false });
  expect(await use('b')).toEqual(nothing);
  expect((await use('a')).stored).toBe(await storedBy('a'));
  await deleteSweep(db, sweepId);
  await deleteSweep(db, other.sweepId);
  expect(await use('a')).toEqual(nothing);
});

test('a client at its limit of bytes is refused, with the numbers, and another client is not', async () => {
  const limits = { ownBytes: 1500 };
  const first = await submitAs('a', limits, 3);
  await expect(submitAs('a', limits, 4)).rejects.toMatchObject({
    code: 'TOO_MANY_OWN_BYTES',
    message:
      'Expected at most 1.46 KiB of checkpoints for the sweeps of one token or address (FUNNEL_MAX_BYTES_PER_TOKEN), but those of this one store 0 B, may store 1000 B more until they end, and this sweep may add 667 B',
  });
  const second = await submitAs('b', limits, 4);
  // A cancelled sweep stores nothing more.
  await cancelSweep(db, first.sweepId);
  const third = await submitAs('a', limits, 5);
  for (const { sweepId } of [second, third]) await cancelSweep(db, sweepId);
});

test('a client with its number of sweeps is refused until one has ended, and another client is not', async () => {
  const limits = { ownSweeps: 2 };
  const [first, second] = [await submitAs('a', limits, 6), await submitAs('a', limits, 7)];
  const tooMany = {
    code: 'TOO_MANY_OWN_SWEEPS',
    message:
      'Expected at most 2 unfinished sweeps of one token or address (FUNNEL_MAX_SWEEPS_PER_TOKEN), but this one has 2 already',
  };
  await expect(submitAs('a', limits, 8)).rejects.toMatchObject(tooMany);
  const stored = {
    size: 'large',
    ...{ definition: definition(), engineVersion: 'engine-1', bodyHash: 'hash' },
    limits: { ...defaultLimits, ...limits },
  } as const;
  await expect(storeSubmission(db, { ...stored, client: 'a' })).rejects.toMatchObject(tooMany);
  expect(await storeSubmission(db, { ...stored, client: 'b' })).toMatchObject({ isNew: true });
  expect(await use('b')).toMatchObject({ submissions: 1 });
  await query(db, 'DELETE FROM submissions');
  const other = await submitAs('b', limits, 8);
  await cancelSweep(db, first.sweepId);
  const third = await submitAs('a', limits, 9);
  for (const { sweepId } of [second, other, third]) await cancelSweep(db, sweepId);
});

test('a retry of an ended sweep counts and is refused like a submission, even if two come at once', async () => {
  const failed: string[] = [];
  for (const more of [1, 2, 3]) {
    const { sweepId } = await submitAs('a', {}, 1, seed + more * 1_000_000);
    await failAttempt(db, { ...leaseOf((await claim(db))!), code: 'X', message: 'x', maxAttempts: 1 });
    failed.push(sweepId);
  }
  const before = await use('a');
  expect(before).toMatchObject({ sweeps: 0, expected: 0 });
  const limits = { ...defaultLimits, ownSweeps: 1 };
  const answers = await Promise.allSettled(failed.slice(0, 2).map((id) => retrySweep(db, id, limits)));
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(answers.find(({ status }) => status === 'rejected')).toMatchObject({
    reason: { code: 'TOO_MANY_OWN_SWEEPS', message: expect.stringContaining('this one has 1 already') },
  });
  expect(await use('a')).toMatchObject({ sweeps: 1, expected: 1000 });

  const last = failed[2]!;
  const room = (ownBytes: number) => ({ ...defaultLimits, ownBytes: before.stored + ownBytes });
  await expect(retrySweep(db, last, room(1999))).rejects.toMatchObject({ code: 'TOO_MANY_OWN_BYTES' });
  expect(await use('a')).toMatchObject({ sweeps: 1 });
  await retrySweep(db, last, room(2000));
  expect(await use('a')).toMatchObject({ sweeps: 2, expected: 2000 });
  for (const id of failed) await cancelSweep(db, id).catch(() => {});
});

test('a blob is read part by part', async () => {
  const bytes = Buffer.alloc(2.5 * 2 ** 20, 'abcdefg');
  const [row] = await query<{ sha256: string }>(
    db,
    `INSERT INTO blobs (sha256, bytes) VALUES (encode(sha256($1), 'hex'), $1) RETURNING sha256`,
    [bytes],
  );
  const { size, parts } = await readBlob(db, row!.sha256);
  const read = [];
  for await (const part of parts) read.push(part);
  expect(size).toBe(bytes.length);
  expect(read.map((part) => part.length)).toEqual([2 ** 20, 2 ** 20, 2 ** 19]);
  expect(Buffer.concat(read).equals(bytes)).toBe(true);
  await query(db, 'DELETE FROM blobs WHERE sha256 = $1', [row!.sha256]);
  await expect(readBlob(db, row!.sha256)).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
