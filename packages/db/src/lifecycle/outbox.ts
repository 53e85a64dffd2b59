/**
 * The outbox: which stages became ready, written by the transaction that made them ready. After the commit, a relay of the same process tells
 * the queue and deletes the rows; what it leaves behind, because it was killed or the queue was away, the relay of any other process takes when its
 * reconciler wakes it. A notification may come twice, never not at all.
 */
import type { Db } from '../connection/db.ts';
import { transaction } from '../connection/transaction.ts';

/** Rows of one round: bounds what a queue that was away for long gets at once. */
const maxRows = 1000;

/** Tells `notify` of the stages that are due. Rows that another relay is working on are skipped. Resolves to the number of rows. */
export const relayOnce = (db: Db, notify: (stageIds: readonly string[]) => Promise<void>): Promise<number> =>
  transaction(db, async (tx) => {
    const rows = await tx.query<{ id: number; stage_id: string }>(
      `SELECT id, stage_id FROM outbox WHERE due_at <= now() ORDER BY id LIMIT ${maxRows} FOR UPDATE SKIP LOCKED`,
    );
    if (rows.length === 0) return 0;
    await notify([...new Set(rows.map((row) => row.stage_id))]);
    await tx.query('DELETE FROM outbox WHERE id = ANY($1)', [rows.map((row) => row.id)]);
    return rows.length;
  });

export type Relay = {
  /** Looks into the outbox soon; calls while it is looking make it look once more. Never throws. */
  readonly wake: () => void;
  /** Waits for the round under way. */
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
      await round;
    },
  };
};
