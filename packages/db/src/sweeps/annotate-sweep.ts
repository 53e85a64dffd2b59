import { type AnnotateSweep, AppError, maxTags, type StoredSweepStatus } from '@funnel/contracts';
import { int4, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { transaction } from '../connection/transaction.ts';
import { propagate } from '../lifecycle/propagate.ts';

/** SQL: the tags of the row without `removed`, then those of `added` that it does not have. The row is locked, so no change is lost. */
const changedTags = (added: string, removed: string): string =>
  `ARRAY(SELECT t.tag FROM unnest(tags || ${added}::text[]) WITH ORDINALITY AS t (tag, place)
     WHERE t.tag <> ALL(${removed}::text[]) GROUP BY t.tag ORDER BY min(t.place))`;

/**
 * Replaces the notes, the tags, or both, or adds and removes tags. The audit log gets the tags, and only the length of the notes: it is not a
 * second place for texts that their author may want to remove. Errors: NOT_FOUND; INVALID_REQUEST for too many tags.
 */
export const annotateSweep = (db: Db, id: string, change: AnnotateSweep): Promise<void> =>
  transaction(db, async (tx) => {
    const { notes, tags, addTags = [], removeTags = [] } = change;
    const [row] = await tx.query(
      { status: text<StoredSweepStatus>(), count: int4() },
      `UPDATE sweeps SET notes = coalesce($2, notes), tags = coalesce($3::text[], ${changedTags('$4', '$5')})
       WHERE id = $1 RETURNING status, cardinality(tags) AS count`,
      [id, notes ?? null, tags ?? null, addTags, removeTags],
    );
    if (!row) throw new AppError('NOT_FOUND', `Expected a sweep, but there is none with id ${id}`);
    if (row.count > maxTags) {
      const issue = {
        path: 'addTags',
        expected: `at most ${maxTags} tags`,
        received: `${row.count} with the others`,
      };
      throw new AppError('INVALID_REQUEST', `Expected ${issue.expected}, but got ${issue.received}`, {
        issues: [issue],
      });
    }
    const details = {
      ...(notes !== undefined && { charactersOfNotes: notes.length }),
      ...(tags !== undefined && { tags }),
      ...(addTags.length > 0 && { addTags }),
      ...(removeTags.length > 0 && { removeTags }),
    };
    await tx.audit({ action: 'annotateSweep', subject: id, details });
    await propagate(tx, { changes: [], events: [{ type: 'sweep', sweepId: id, status: row.status }] });
  });
