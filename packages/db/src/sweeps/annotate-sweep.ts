import { type AnnotateSweep, AppError, type StoredSweepStatus } from '@funnel/contracts';
import { text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { transaction } from '../connection/transaction.ts';
import { propagate } from '../lifecycle/propagate.ts';

/**
 * Replaces the notes, the tags, or both. The audit log gets the tags, and only the length of the notes: it is not a second place for texts
 * that their author may want to remove. Errors: NOT_FOUND.
 */
export const annotateSweep = (db: Db, id: string, { notes, tags }: AnnotateSweep): Promise<void> =>
  transaction(db, async (tx) => {
    const [row] = await tx.query(
      { status: text<StoredSweepStatus>() },
      `UPDATE sweeps SET notes = coalesce($2, notes), tags = coalesce($3::text[], tags) WHERE id = $1 RETURNING status`,
      [id, notes ?? null, tags ?? null],
    );
    if (!row) throw new AppError('NOT_FOUND', `Expected a sweep, but there is none with id ${id}`);
    const details = {
      ...(notes !== undefined && { charactersOfNotes: notes.length }),
      ...(tags !== undefined && { tags }),
    };
    await tx.audit({ action: 'annotateSweep', subject: id, details });
    await propagate(tx, { changes: [], events: [{ type: 'sweep', sweepId: id, status: row.status }] });
  });
