/**
 * Which searches are due, and who decides. Whatever may make a decision due adds one to `marked`. A process takes a due search for twenty seconds,
 * makes the decisions that are due, and says with `releaseSearch` how far it saw. If it is killed, the search is due again after that time.
 *
 * The row holds the lease, because behind a pooler nobody can hold a lock between transactions, and nothing is computed inside of one.
 */
import { bool, int4, orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { appliedMigration, checkMigration } from '../connection/schema-version.ts';
import { reading, type Tx, transaction } from '../connection/transaction.ts';
import type { TakenSearch } from '../types.ts';

/** SQL: the end of a lease that begins now. */
export const heldUntil = `clock_timestamp() + interval '20 seconds'`;

/**
 * SQL: search `k` is open, and sweep `w` runs. No operation on the sweep goes on in batches: a retry counts the trials when it begins, and
 * a new sweep has rows that are not connected yet. `actions`: a condition on these operations `a`.
 */
export const isOpen = (k: string, w: string, actions = 'true'): string =>
  `(${k}.ended IS NULL AND ${w}.status = 'running' AND NOT EXISTS (SELECT FROM sweep_actions a WHERE a.sweep_id = ${w}.id AND ${actions}))`;

const due = `SELECT k.sweep_id FROM searches k JOIN sweeps w ON w.id = k.sweep_id
  WHERE k.marked > k.done AND k.held_until <= clock_timestamp() AND ${isOpen('k', 'w')}`;

/** A decision may be due, for example after a retry. */
export const markSearch = async (tx: Tx, sweepId: string): Promise<void> => {
  const rows = await tx.query(
    { marked: int4() },
    'UPDATE searches SET marked = marked + 1 WHERE sweep_id = $1 AND ended IS NULL RETURNING marked',
    [sweepId],
  );
  if (rows.length > 0) tx.wake('searches');
};

/**
 * Takes the due search that was held the longest time ago. Null: none is due, or other processes have them all. Errors: SCHEMA_MISMATCH.
 */
export const takeDueSearch = (db: Db): Promise<TakenSearch | null> =>
  transaction(db, async (tx) => {
    const [state] = await tx.query(
      { applied: orNull(text()), any: bool() },
      `SELECT ${appliedMigration} AS applied, EXISTS (${due}) AS any`,
    );
    if (!state!.any) return null;
    checkMigration(state!.applied);
    const [taken] = await tx.query(
      { sweep_id: text(), marked: int4() },
      `UPDATE searches SET held_until = ${heldUntil}
       WHERE sweep_id = (${due} ORDER BY k.held_until, k.sweep_id LIMIT 1 FOR UPDATE OF k SKIP LOCKED)
       RETURNING sweep_id, marked`,
    );
    return taken ? { sweepId: taken.sweep_id, marked: taken.marked } : null;
  });

/**
 * Ends the lease. All decisions are made that were due when the search was taken; if it was marked since, it is due again. After a failure,
 * do not call this: the search is due again when the lease has run out.
 */
export const releaseSearch = (db: Db, { sweepId, marked }: TakenSearch): Promise<void> =>
  reading(db).run(
    'UPDATE searches SET done = greatest(done, $2), held_until = clock_timestamp() WHERE sweep_id = $1',
    [sweepId, marked],
  );
