/**
 * Only one place writes a stage's status. And the outbox: the queue is told of every stage that became ready, even if a process dies in
 * between.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import {
  createDb,
  type Db,
  eventsAfter,
  failAttempt,
  lastEventId,
  type Rounds,
  reconcile,
  registerWorker,
  startRelay,
} from '../src/index.ts';
import { relayOnce } from '../src/lifecycle/outbox.ts';
import { transitions } from '../src/lifecycle/transitions.ts';
import { leaseOf } from './support/attempts.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query, takeOutbox } from './support/tables.ts';

shareDb();

const queue = () => {
  const told: string[] = [];
  return { told, notify: async (ids: readonly string[]) => void told.push(...ids) };
};
const readyStages = async (): Promise<string[]> =>
  (await query<{ id: string }>(db, `SELECT id FROM stages WHERE status = 'ready' ORDER BY id`)).map(
    ({ id }) => id,
  );
const rows = async (): Promise<number> =>
  (await query<{ n: number }>(db, 'SELECT count(*)::int AS n FROM outbox'))[0]!.n;

const isDue = async (): Promise<boolean> =>
  (await query(db, 'SELECT FROM outbox WHERE due_at <= now()')).length > 0;
const reconcileNow = async (by: Db) => {
  await query(db, `UPDATE duties SET at = now() - interval '1 minute' WHERE name = 'reconcile'`);
  await reconcile(by, { maxAttempts: 3, leaseSeconds: 15 });
};

describe('a relay', () => {
  test('tells the queue of the stages that each transaction of its process made ready, without a call', async () => {
    await takeOutbox(db);
    const { told, notify } = queue();
    const relay = startRelay(db, { notify, onError: (error) => expect.unreachable(String(error)) });
    await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    await vi.waitFor(() => expect(told).toHaveLength(1));
    const initialise = (await claim(db))!;
    expect(told).toEqual([initialise.stageId]);
    await finish(db, initialise);
    const ready = await readyStages();
    await vi.waitFor(() => expect(told.slice(1).sort()).toEqual(ready));
    expect(ready).toHaveLength(2);
    await vi.waitFor(async () => expect(await rows()).toBe(0));
    await relay.close();
    await drain(db);
  });

  test('leaves the rows to the next round if the queue is away, and to another process if its own process dies', async () => {
    await takeOutbox(db);
    await submit(db, { seeds: [seed] });
    const [stage] = await readyStages();
    await expect(relayOnce(db, () => Promise.reject(new Error('the queue is away')))).rejects.toThrow('away');
    expect(await rows()).toBe(1);
    const other = createDb(db.url);
    const { told, notify } = queue();
    const relay: Rounds = startRelay(other, { notify, onError: () => {} });
    await reconcileNow(other); // wakes the relay of its process
    await vi.waitFor(() => expect(told).toContain(stage));
    await relay.close();
    await other.close();
    await drain(db);
  });

  test('shares the rows with other relays: each row is announced by one of them', async () => {
    await takeOutbox(db);
    const ids = Array.from({ length: 2500 }, (_, i) => String(i));
    await query(db, 'INSERT INTO outbox (stage_id, due_at) SELECT unnest($1::text[]), now()', [ids]);
    const { told, notify } = queue();
    const counts = await Promise.all([1, 2, 3, 4].map(() => relayOnce(db, notify)));
    expect(counts.reduce((sum, n) => sum + n, 0)).toBe(told.length);
    while ((await relayOnce(db, notify)) > 0);
    expect(told.map(Number).sort((a, b) => a - b)).toEqual(ids.map(Number));
    expect(await rows()).toBe(0);
  });

  test('tells the queue of a stage after its backoff, not before', async () => {
    await submit(db, { seeds: [seed] });
    const claimed = (await claim(db))!;
    await takeOutbox(db);
    await failAttempt(db, { ...leaseOf(claimed), code: 'X', message: 'x', maxAttempts: 3 });
    const { told, notify } = queue();
    expect(await relayOnce(db, notify)).toBe(0);
    await query(db, 'UPDATE outbox SET due_at = now()');
    expect(await relayOnce(db, notify)).toBe(1);
    expect(told).toEqual([claimed.stageId]);
    await query(db, 'UPDATE stages SET ready_at = now() WHERE id = $1', [claimed.stageId]);
    await drain(db);
  });

  test('a queue that lost everything is told again, only once per stage', async () => {
    await submit(db, { seeds: [seed], space: { gamma: [1, 2, 3] } });
    await finish(db, (await claim(db))!);
    await takeOutbox(db); // the queue was told, and lost it
    const ready = await readyStages();
    for (let i = 0; i < 3; i++) await reconcileNow(db);
    expect((await takeOutbox(db)).sort()).toEqual(ready);
    await drain(db);
  });

  test('does not hold back the event stream while it waits for the queue', async () => {
    await takeOutbox(db);
    const { sweepId } = await submit(db, { seeds: [seed] });
    let answer = (): void => {};
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const notify = vi.fn(() => answered);
    const relayed = relayOnce(db, notify);
    await vi.waitFor(() => expect(notify).toHaveBeenCalledOnce());
    const after = await lastEventId(db);
    await drain(db);
    await vi.waitFor(async () =>
      expect((await eventsAfter(db, { after, sweep: sweepId, limit: 1000 })).at(-1)?.event).toMatchObject({
        type: 'sweep',
        status: 'completed',
      }),
    );
    answer();
    expect(await relayed).toBe(1);
    expect(await relayOnce(db, notify)).toBeGreaterThan(0);
  });

  test('gives its rows to others some time after it was killed', async () => {
    await takeOutbox(db);
    await submit(db, { seeds: [seed] });
    const [stage] = await readyStages();
    void relayOnce(db, () => new Promise(() => {})); // never ends, like a killed relay
    await vi.waitFor(async () => expect(await isDue()).toBe(false));
    const { told, notify } = queue();
    expect(await relayOnce(db, notify)).toBe(0);
    await query(db, `UPDATE outbox SET due_at = due_at - interval '15 s'`);
    expect(await relayOnce(db, notify)).toBe(1);
    expect(told).toEqual([stage]);
    await drain(db);
  });

  test('closes although the queue does not answer', async () => {
    await takeOutbox(db);
    const notify = vi.fn(() => new Promise<void>(() => {}));
    const relay = startRelay(db, { notify, onError: (error) => expect.unreachable(String(error)) });
    await submit(db, { seeds: [seed] });
    await vi.waitFor(() => expect(notify).toHaveBeenCalledOnce());
    await relay.close();
    expect(await rows()).toBe(1);
    await drain(db);
  });

  test('leaves no rows for stages that workers found without the queue', async () => {
    await takeOutbox(db);
    await submit(db, { seeds: [seed], space: { gamma: [1, 2] } });
    await drain(db);
    expect(await rows()).toBe(7);
    await reconcileNow(db);
    expect(await rows()).toBe(0);
  });
});

/** Source files of the whole tree that run in production. `testing` is not among them: it fills tables directly, for load tests. */
const sources = (): { readonly file: string; readonly text: string }[] => {
  const root = fileURLToPath(new URL('../../..', import.meta.url));
  const isSource = (file: string) =>
    /\.(ts|tsx|js|mjs)$/.test(file) && !/(^|\/)(node_modules|generated|dist|test|testing)\//.test(file);
  return ['apps', 'packages', 'tools'].flatMap((top) =>
    readdirSync(`${root}/${top}`, { recursive: true, encoding: 'utf8' })
      .filter(isSource)
      .map((file) => ({ file: `${top}/${file}`, text: readFileSync(`${root}/${top}/${file}`, 'utf8') })),
  );
};

describe('the status of a stage', () => {
  test('is written by the table of transitions alone', () => {
    /** The set columns of a statement are between SET and the first FROM, WHERE or RETURNING. */
    const set =
      /UPDATE\s+"?stages\b[\s\S]*?\bSET\b([\s\S]*?)(?:\bFROM\b|\bWHERE\b|\bRETURNING\b|[`'"]\s*[,;)]|$)/gi;
    const writers = sources().filter(
      ({ text }) =>
        /INSERT\s+INTO\s+"?stages\b/i.test(text) ||
        /\bprisma\.stage\.(create|update|upsert)/.test(text) ||
        [...text.matchAll(set)].some(([, columns]) => /(?<![\w.])"?status"?\s*=|\$\{/.test(columns!)),
    );
    expect(writers.map(({ file }) => file)).toEqual(['packages/db/src/lifecycle/transitions.ts']);
  });

  test('every transition to ready sets the time, and every transition has a reason', () => {
    for (const { to, sets, when } of Object.values(transitions)) {
      if ([to].flat().includes('ready')) expect(sets).toMatch(/\bready_at = now\(\)/);
      expect(when.length).toBeGreaterThan(10);
    }
  });

  test('is one of a closed set, in the tables too', async () => {
    await submit(db, { seeds: [seed] });
    await claim(db);
    await registerWorker(db, {
      id: 'w',
      host: 'h',
      pid: 1,
      version: '0',
      backend: 'cpu',
      device: 'd',
      slots: 1,
    });
    for (const [table, column] of [
      ['stages', 'status'],
      ['trials', 'status'],
      ['sweeps', 'status'],
      ['attempts', 'outcome'],
      ['workers', 'status'],
    ])
      await expect(query(db, `UPDATE ${table} SET ${column} = 'undone'`)).rejects.toMatchObject({
        code: '23514',
      });
  });
});
