/**
 * The outbox: which stages became ready, written by the transaction that made them ready. After the commit, a relay of the same process tells
 * the queue and deletes the rows. When it is killed, or the queue is away, the rows stay: a reconciler wakes the relay of its own process, which
 * takes them. A stage is announced at least once; a second notification harms nothing, because a claim decides who gets the stage.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { int8, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';

/** Rows of one round: bounds what the queue gets at once after it was away for long. */
const maxRows = 1000;

/** Seconds for which a round keeps its rows from other relays. The rows of a process that was killed come back after it. */
const holdSeconds = 15;

/** Milliseconds for which `close` waits for a round. */
const closeTimeoutMs = 1000;

/**
 * One round: takes rows that are due and that no other relay has, calls `notify` with their stages, and deletes them. Resolves to the number of
 * rows. When `notify` rejects, the rows are due again at once, and its error is thrown. No transaction is open while the queue answers: it
 * would hold back the event stream, which reads up to the oldest open transaction.
 */
export const relayOnce = async (
  db: Db,
  notify: (stageIds: readonly string[]) => Promise<void>,
): Promise<number> => {
  const database = reading(db);
  const rows = await database.query(
    { id: int8(), stage_id: text() },
    `UPDATE outbox SET due_at = now() + make_interval(secs => ${holdSeconds})
     WHERE id = ANY(ARRAY(SELECT id FROM outbox WHERE due_at <= now() ORDER BY id LIMIT ${maxRows} FOR UPDATE SKIP LOCKED))
     RETURNING id, stage_id`,
  );
  if (rows.length === 0) return 0;
  const ids = rows.map((row) => row.id);
  try {
    await notify([...new Set(rows.map((row) => row.stage_id))]);
  } catch (error) {
    await database.run('UPDATE outbox SET due_at = now() WHERE id = ANY($1)', [ids]).catch(() => {}); // else after `holdSeconds`
    throw error;
  }
  await database.run('DELETE FROM outbox WHERE id = ANY($1)', [ids]);
  return rows.length;
};

export type Relay = {
  /** Starts a round, or one more after the round under way. Never throws. */
  readonly wake: () => void;
  /** Waits for the round under way, but at most a second: the queue may not answer. Rows that it leaves are due again after `holdSeconds`. */
  readonly close: () => Promise<void>;
};

export type RelayOptions = {
  /** Tells the queue that stages are ready; rejects when it is away. */
  readonly notify: (stageIds: readonly string[]) => Promise<void>;
  /** The rows stay, and the next round takes them. */
  readonly onError: (error: unknown) => void;
};

/** Relays the outbox whenever a transaction of `db` that wrote to it has committed. */
export const startRelay = (db: Db, { notify, onError }: RelayOptions): Relay => {
  let isWoken = false;
  let isClosed = false;
  let round: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    while (isWoken && !isClosed) {
      isWoken = false;
      try {
        if ((await relayOnce(db, notify)) === maxRows) isWoken = true;
      } catch (error) {
        if (!isClosed) onError(error);
      }
    }
    round = null;
  };
  const wake = (): void => {
    isWoken = true;
    if (!isClosed) round ??= run();
  };
  const forget = db.onOutbox(wake);
  return {
    wake,
    close: async () => {
      isClosed = true;
      forget();
      const late = new AbortController();
      const timeout = sleep(closeTimeoutMs, undefined, { signal: late.signal }).catch(() => {});
      await Promise.race([round, timeout]).finally(() => late.abort());
    },
  };
};
