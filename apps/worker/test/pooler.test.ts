/** Workers behind PgBouncer in transaction mode, as docs/scaling.md configures it. */
import { Writable } from 'node:stream';
import { createDb, type Db } from '@funnel/db';
import { hasPgbouncer, startPooler, warnWithoutPgbouncer } from '@funnel/db/testing';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startWorker } from '../src/index.ts';
import { openTestDatabase, results, submit, sweepEnded, undisturbedResults } from './fixtures.ts';

warnWithoutPgbouncer('a worker behind a pooler');

const behindPooler = async (): Promise<{ readonly db: Db; readonly pooled: Db }> => {
  const db = await openTestDatabase();
  const pooler = await startPooler(db.url);
  const pooled = createDb(pooler.url, { direct: db.url });
  onTestFinished(async () => {
    await pooled.close();
    await pooler.stop();
  });
  return { db, pooled };
};

/** A log whose lines of level warn and above can be read. */
const openLog = () => {
  const lines: { readonly msg: string; readonly error?: string }[] = [];
  const stream = new Writable({
    write: (line, _encoding, written) => {
      lines.push(JSON.parse(String(line)));
      written();
    },
  });
  return { lines, log: pino({ level: 'warn' }, stream) };
};

const options = { slots: 2, simulation: {} };

describe.runIf(hasPgbouncer)('behind PgBouncer in transaction mode', () => {
  test('two workers with the queue in the database complete a sweep, each epoch once, without a warning', async () => {
    const { db, pooled } = await behindPooler();
    const sweepId = await submit(pooled);
    const { lines, log } = openLog();
    for (const id of ['first', 'second']) {
      const worker = await startWorker({ ...options, id, databaseUrl: pooled.url, directUrl: db.url, log });
      onTestFinished(worker.stop);
    }
    await sweepEnded(db, sweepId);
    expect(await results(db)).toEqual(await undisturbedResults());
    const { rows } = await db.pool.query(
      'SELECT count(*)::int AS expired FROM attempts WHERE outcome <> $1',
      ['completed'],
    );
    expect(rows).toEqual([{ expired: 0 }]);
    expect(lines).toEqual([]);
  });

  test('a worker whose queue would be at the pooler does not start, and says what to set', async () => {
    const { pooled } = await behindPooler();
    const { log } = openLog();
    await expect(startWorker({ ...options, databaseUrl: pooled.url, log })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('write the address of PostgreSQL itself into DATABASE_DIRECT_URL'),
    });
    await expect(
      startWorker({ ...options, databaseUrl: pooled.url, directUrl: pooled.url, log }),
    ).rejects.toMatchObject({ message: expect.stringMatching(/^Expected DATABASE_DIRECT_URL to lead to/) });
    await expect(
      startWorker({ ...options, databaseUrl: pooled.url, queueUrl: pooled.url, log }),
    ).rejects.toMatchObject({ message: expect.stringMatching(/^Expected REDIS_URL to lead to/) });
  });
});
