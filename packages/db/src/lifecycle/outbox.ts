/**
 * The outbox lists stages that became ready. The transaction that made them ready writes the rows. After the commit, a relay in the same
 * process notifies the queue and deletes the rows. If the process is killed or the queue is away, the rows stay; a reconciler wakes the
 * relay of its own process, which takes them. Every stage is announced at least once. A second notification does no harm, because a claim
 * decides who gets the stage.
 */
import { int8, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';
import { type Rounds, startRounds } from './rounds.ts';

/** Rows of one round: limits the notifications at once after the queue was away for long. */
const maxRows = 1000;

/** Seconds for which a round keeps its rows from other relays. If the process is killed, the rows are due again after this time. */
const holdSeconds = 15;

/**
 * One round: takes rows that are due and that no other relay has, calls `notify` with their stages, and deletes them. Resolves to the
 * number of rows. If `notify` rejects, the rows are due again at once, and the function throws the error. No transaction is open while the
 * queue answers, because an open transaction would hold back the event stream, which reads only up to the oldest one.
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
    await database.run('UPDATE outbox SET due_at = now() WHERE id = ANY($1)', [ids]).catch(() => {}); // if this fails, they are due after `holdSeconds`
    throw error;
  }
  await database.run('DELETE FROM outbox WHERE id = ANY($1)', [ids]);
  return rows.length;
};

export type RelayOptions = {
  /** Tells the queue that stages are ready; rejects when it is away. */
  readonly notify: (stageIds: readonly string[]) => Promise<void>;
  /** Called when a round fails. The rows stay, and the next round takes them. */
  readonly onError: (error: unknown) => void;
};

/**
 * Relays the outbox whenever a transaction of `db` that wrote to it has committed. When it is closed while the queue does not answer, the
 * remaining rows are due again after `holdSeconds`.
 */
export const startRelay = (db: Db, { notify, onError }: RelayOptions): Rounds =>
  startRounds(db, {
    table: 'outbox',
    round: async () => (await relayOnce(db, notify)) === maxRows,
    onError,
  });
