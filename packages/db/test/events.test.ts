import type { FunnelEventRow } from '@funnel/contracts';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import {
  cancelSweep,
  createDb,
  type Db,
  eventsAfter,
  isEventAfter,
  lastEventId,
  onEvents,
} from '../src/index.ts';
import { createTestDatabase, openTestDb, startGate, throughGate } from '../src/testing/index.ts';
import { claim, drain, finish } from './support/simulated-trainer.ts';
import { submit } from './support/submit.ts';
import { query } from './support/tables.ts';

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

const all = (after: string, sweep?: string) => eventsAfter(db, { after, sweep, limit: 1000 });
const insert = `INSERT INTO events (sweep_id, payload) VALUES ($1, '{"type":"sweep"}') RETURNING id`;

describe('the stream', () => {
  test('has all events of a sweep in order, each once', async () => {
    const start = await lastEventId(db);
    const { sweepId } = await submit(db, { seeds: [1], space: { initialiseEpochs: 1, optimiseEpochs: 1 } });
    await finish(db, (await claim(db))!);
    const told = (rows: readonly FunnelEventRow[]) =>
      rows.map(({ event }) =>
        [
          event.type,
          'status' in event ? event.status : 'position' in event ? event.position.epoch : event.attack,
        ].join(' '),
      );
    const first = await all(start);
    expect(told(first)).toEqual([
      'sweep running',
      'stage running',
      'trial running',
      'epoch 1',
      'stage completed',
      'stage ready',
      'trial waiting',
    ]);
    await drain(db);
    const rest = await all(first.at(-1)!.id, sweepId);
    expect(told(rest)).toEqual([
      ...['stage running', 'trial running', 'epoch 1', 'stage completed', 'stage ready', 'trial waiting'],
      ...['stage running', 'trial running', 'epoch 1', 'stage completed', 'stage ready', 'trial waiting'],
      ...[
        'stage running',
        'trial running',
        'evaluation fgsm',
        'stage completed',
        'trial completed',
        'sweep completed',
      ],
    ]);
    expect(await all(start, 'another')).toEqual([]);
    expect(await lastEventId(db)).toBe(rest.at(-1)!.id);
    for (const [i, row] of rest.entries())
      expect(isEventAfter(row.id, i === 0 ? start : rest[i - 1]!.id)).toBe(true);
    expect(rest.find((row) => row.event.type === 'epoch')!.event).toMatchObject({
      sweepId,
      kind: 'optimise',
      epochs: 1,
      metrics: { attackerLoss: 1, defenderLoss: 2 },
    });
    await expect(all('nonsense')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  });

  test('does not skip the events of a transaction that commits late', async () => {
    const start = await lastEventId(db);
    const [early, late] = [new pg.Client(db.url), new pg.Client(db.url)];
    await Promise.all([early.connect(), late.connect()]);
    await late.query('BEGIN');
    await late.query(insert, ['late']);
    await early.query(insert, ['early']);
    expect(await all(start)).toEqual([]);
    await late.query('COMMIT');
    const rows = await query<{ sweep_id: string }>(
      db,
      'SELECT sweep_id FROM events ORDER BY xid, id DESC LIMIT 1',
    );
    expect(rows).toHaveLength(1);
    const seen = await all(start);
    expect(seen).toHaveLength(2);
    expect(isEventAfter(seen[1]!.id, seen[0]!.id)).toBe(true);
    await Promise.all([early.end(), late.end()]);
  });

  test('does not wait for a transaction of another database on the same server', async () => {
    const start = await lastEventId(db);
    const elsewhere = await createTestDatabase();
    const [other, own] = [new pg.Client(elsewhere.url), new pg.Client(db.url)];
    await Promise.all([other.connect(), own.connect()]);
    await other.query('BEGIN');
    await other.query('SELECT pg_current_xact_id()');
    await own.query('BEGIN');
    await own.query(insert, ['own']);
    await query(db, insert, ['after both']);
    expect(await all(start)).toEqual([]); // of this database, the own one still runs
    await own.query('COMMIT');
    const seen = (await all(start)).map(({ id }) => id);
    expect(seen).toHaveLength(2);
    expect(await lastEventId(db)).toBe(seen[1]);
    await Promise.all([other.end(), own.end()]);
    await elsewhere.drop();
  });

  test('has one event for many changes of one transaction', async () => {
    const { sweepId } = await submit(db, { seeds: [2], space: { gamma: { min: 1, max: 100, count: 100 } } });
    const start = await lastEventId(db);
    await cancelSweep(db, sweepId);
    const events = (await all(start)).map((row) => row.event);
    expect(events).toEqual([{ type: 'sweep', sweepId, status: 'cancelled' }]);
  });
});

describe('onEvents', () => {
  test('calls its listener for new events, for pending events and after a reconnection, and not after it is closed', async () => {
    let seen = await lastEventId(db);
    const received: string[] = [];
    let reading = Promise.resolve();
    const wake = () => {
      reading = reading.then(async () => {
        for (const row of await all(seen)) {
          received.push(row.event.sweepId);
          seen = row.id;
        }
      });
    };
    const listening = await onEvents(db, wake);
    const write = async (
      name: string,
      client: { query(sql: string, values?: unknown[]): Promise<unknown> } = db.pool,
    ) => {
      await client.query(
        `WITH e AS (INSERT INTO events (sweep_id, payload) VALUES ($1::text, jsonb_build_object('type', 'sweep', 'sweepId', $1::text))) SELECT pg_notify('funnel_events', '')`,
        [name],
      );
    };
    await write('one');
    await vi.waitFor(() => expect(received).toEqual(['one']), 30_000);

    const older = new pg.Client(db.url);
    await older.connect();
    await older.query('BEGIN');
    await older.query('SELECT pg_current_xact_id()');
    await write('two');
    await older.query('COMMIT'); // sends no notification, because it wrote no event
    await older.end();
    await vi.waitFor(() => expect(received).toEqual(['one', 'two']), 30_000);

    await query(
      db,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'funnel events' AND datname = current_database()`,
    );
    await query(
      db,
      `INSERT INTO events (sweep_id, payload) VALUES ('x', '{"type":"sweep","sweepId":"three"}')`,
    );
    await vi.waitFor(() => expect(received).toEqual(['one', 'two', 'three']), { timeout: 10_000 });
    await listening.close();
    await vi.waitFor(
      async () =>
        expect(
          await query(
            db,
            `SELECT FROM pg_stat_activity WHERE application_name = 'funnel events' AND datname = current_database()`,
          ),
        ).toEqual([]),
      30_000,
    );
    await reading;
  });

  test('closed at any moment of a reconnection, leaves no connection and calls its listener no more', async () => {
    const gate = await startGate(Number(new URL(db.url).port));
    const through = createDb(throughGate(db.url, gate));
    const closed = new Set<number>();
    const late: number[] = [];
    const rounds = Array.from({ length: 12 }, async (_, round) => {
      const listening = await onEvents(through, () => {
        if (closed.has(round)) late.push(round);
      });
      return async () => {
        await listening.close();
        closed.add(round);
      };
    });
    const closers = await Promise.all(rounds);
    gate.slam(); // cuts all connections; they are opened again after 0.25 s to 0.5 s
    await gate.open();
    const before = gate.attempts();
    for (const [round, close] of closers.entries()) {
      // Some close before they reconnect, some meanwhile, and the last ones when the first are connected again.
      await vi.waitFor(
        () => expect(gate.attempts()).toBeGreaterThanOrEqual(before + Math.min(round, 6)),
        30_000,
      );
      await close();
    }
    await vi.waitFor(
      async () =>
        expect(
          await query(
            db,
            `SELECT FROM pg_stat_activity WHERE application_name = 'funnel events' AND datname = current_database()`,
          ),
        ).toEqual([]),
      30_000,
    );
    expect(late).toEqual([]);
    await through.close();
    await gate.close();
  });
});
