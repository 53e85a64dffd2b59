/** Interleaves two transactions: the first one waits at a table while the second one runs until it ends or is blocked. */
import { vi } from 'vitest';
import { createDb, type Db } from '../../src/index.ts';
import { query } from './tables.ts';

type Table = 'sweep_counts' | 'configuration_scores' | 'sweeps' | 'trials';
type Way = 'INSERT' | 'UPDATE' | 'DELETE';

type Gate = {
  /** Resolves when the transactions of `name` wait at the gate, or for a lock. */
  readonly waiting: (name: string) => Promise<void>;
  readonly open: () => Promise<void>;
};

/** Closes a gate: a transaction that writes a row of `table` in this way waits until the gate is opened. */
const closeGate = async (db: Db, table: Table, way: Way): Promise<Gate> => {
  await query(
    db,
    `CREATE OR REPLACE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN PERFORM pg_advisory_xact_lock_shared(hashtext('gate')); RETURN coalesce(new, old); END $$`,
  );
  await query(db, `CREATE TRIGGER gate BEFORE ${way} ON ${table} FOR EACH ROW EXECUTE FUNCTION gate()`);
  const holder = await db.pool.connect();
  await holder.query(`SELECT pg_advisory_lock(hashtext('gate'))`);
  return {
    waiting: (name) =>
      vi.waitFor(
        async () => {
          const rows = await query(
            db,
            `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1 AND wait_event_type = 'Lock'`,
            [name],
          );
          if (rows.length === 0) throw new Error(`Expected ${name} to wait for a lock, but it does not`);
        },
        { timeout: 60_000, interval: 5 },
      ),
    open: async () => {
      await holder.query(`SELECT pg_advisory_unlock(hashtext('gate'))`);
      holder.release();
      await query(db, `DROP TRIGGER gate ON ${table}`);
    },
  };
};

/**
 * The number of transactions of this database that PostgreSQL ended to resolve a deadlock. The number is exact after their connections are
 * closed.
 */
const deadlocks = async (db: Db): Promise<number> => {
  const [row] = await query<{ n: number }>(
    db,
    'SELECT deadlocks AS n FROM pg_stat_database WHERE datname = current_database()',
  );
  return row!.n;
};

type Work<T> = (db: Db) => Promise<T>;

type Meeting<A, B> = {
  readonly table: Table;
  readonly way: Way;
  /** The transaction that waits at the gate. */
  readonly first: Work<A>;
  /** Begins while the first one waits. The gate opens when this one has ended or waits for the first one. */
  readonly second: Work<B>;
};

/** Resolves to the results of both, and to the number of deadlocks. */
export const meet = async <A, B>(
  db: Db,
  { table, way, first, second }: Meeting<A, B>,
): Promise<{ first: A; second: B; deadlocks: number }> => {
  const before = await deadlocks(db);
  const [one, two] = [createDb(db.url, { name: 'first' }), createDb(db.url, { name: 'second' })];
  const gate = await closeGate(db, table, way);
  try {
    const held = first(one);
    held.catch(() => {});
    await gate.waiting('first');
    const meeting = second(two);
    await Promise.race([meeting.catch(() => {}), gate.waiting('second')]);
    await gate.open();
    const [a, b] = await Promise.all([held, meeting]);
    await Promise.all([one.close(), two.close()]);
    // A connection reports its deadlocks when it ends.
    await vi.waitFor(
      async () => {
        const open = await query(
          db,
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name IN ('first', 'second')`,
        );
        if (open.length > 0) throw new Error('Expected the connections to be closed, but they are open');
      },
      { timeout: 60_000, interval: 5 },
    );
    return { first: a, second: b, deadlocks: (await deadlocks(db)) - before };
  } finally {
    await Promise.all([one.close(), two.close()].map((closing) => closing.catch(() => {})));
  }
};
