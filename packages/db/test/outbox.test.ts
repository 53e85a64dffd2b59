/** The outbox between PostgreSQL and the queue: a stage that became ready is told of, whoever dies in between. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import { createDb, failAttempt, type Relay, reconcile, startRelay } from '../src/index.ts';
import { relayOnce } from '../src/lifecycle/outbox.ts';
import { transitions } from '../src/lifecycle/transitions.ts';
import { leaseOf } from './support/attempts.ts';
import { query, takeOutbox } from './support/rows.ts';
import { db, seed, shareDb } from './support/shared-db.ts';
import { claim, drain, finish } from './support/stand-in.ts';
import { submit } from './support/submit.ts';

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

describe('a relay', () => {
  test('tells of what each transaction made ready, in its own process and without being asked', async () => {
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

  test('leaves the rows to the next round when the queue is away, and to another process when its own dies', async () => {
    await takeOutbox(db);
    await submit(db, { seeds: [seed] });
    const [stage] = await readyStages();
    await expect(relayOnce(db, () => Promise.reject(new Error('the queue is away')))).rejects.toThrow('away');
    expect(await rows()).toBe(1);
    const other = createDb(db.url);
    const { told, notify } = queue();
    const relay: Relay = startRelay(other, { notify, onError: () => {} });
    await query(db, `UPDATE duties SET at = now() - interval '1 minute' WHERE name = 'reconcile'`);
    await reconcile(other, { maxAttempts: 3, leaseSeconds: 15 }); // wakes the relay of its process
    await vi.waitFor(() => expect(told).toContain(stage));
    await relay.close();
    await other.close();
    await drain(db);
  });

  test('shares the rows with another one: each row is told of by one of them', async () => {
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

  test('tells of a stage that waits for its backoff when that is over, not before', async () => {
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

  test('a queue that loses everything is told again, once, however long nobody relays', async () => {
    await submit(db, { seeds: [seed], space: { gamma: [1, 2, 3] } });
    await finish(db, (await claim(db))!);
    await takeOutbox(db); // told, and lost by the queue
    const ready = await readyStages();
    for (let i = 0; i < 3; i++) {
      await query(db, `UPDATE duties SET at = now() - interval '1 minute' WHERE name = 'reconcile'`);
      await reconcile(db, { maxAttempts: 3, leaseSeconds: 15 });
    }
    expect((await takeOutbox(db)).sort()).toEqual(ready);
    await drain(db);
  });
});

describe('the status of a stage', () => {
  const source = fileURLToPath(new URL('../src', import.meta.url));
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !file.startsWith('generated') && !file.startsWith('testing'),
  );

  test('is written by the table of transitions alone', () => {
    /** What stands between SET and the first FROM, WHERE or RETURNING is written; conditions after it are not. */
    const writers = files.filter((file) =>
      readFileSync(`${source}/${file}`, 'utf8')
        .split('`')
        .some((text) => {
          const statement = text.match(
            /UPDATE\s+stages\b[\s\S]*?SET([\s\S]*?)(?:\bFROM\b|\bWHERE\b|\bRETURNING\b|$)/i,
          );
          return (statement && /\bstatus\s*=/.test(statement[1]!)) || /INSERT\s+INTO\s+stages\b/i.test(text);
        }),
    );
    expect(writers).toEqual(['lifecycle/transitions.ts']);
  });

  test('every transition to ready says since when, and each one has a reason', () => {
    for (const { to, sets, when } of Object.values(transitions)) {
      if ([to].flat().includes('ready')) expect(sets).toMatch(/\bready_at = now\(\)/);
      expect(when.length).toBeGreaterThan(10);
    }
  });

  test('is one of a closed set, in the tables too', async () => {
    await submit(db, { seeds: [seed] });
    for (const [table, column] of [
      ['stages', 'status'],
      ['trials', 'status'],
      ['sweeps', 'status'],
    ])
      await expect(query(db, `UPDATE ${table} SET ${column} = 'undone'`)).rejects.toMatchObject({
        code: '23514',
      });
    await drain(db);
  });
});
