/** Who changed what, and from where. Only ever added to. */
import type { AuditEntry } from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';
import { isNumber, pageOf, readCursor } from '../reads/cursor.ts';
import type { Page } from '../types.ts';

export type Change = Readonly<Omit<AuditEntry, 'id' | 'at'>>;

export const writeAudit = async (
  db: Db,
  { actor, action, subject, address, details }: Change,
): Promise<void> => {
  await reading(db).query(
    'INSERT INTO audit_log (actor, action, subject, address, details) VALUES ($1, $2, $3, $4, $5)',
    [actor, action, subject, address, JSON.stringify(details)],
  );
};

/** Newest first. */
export const listAudit = async (
  db: Db,
  { limit, cursor }: { readonly limit: number; readonly cursor?: string },
): Promise<Page<AuditEntry>> => {
  const before = cursor ? readCursor(cursor, isNumber) : null;
  const rows = await reading(db).query<Change & { id: number; at: Date }>(
    'SELECT id, at, actor, action, subject, address, details FROM audit_log WHERE $1::bigint IS NULL OR id < $1 ORDER BY id DESC LIMIT $2',
    [before, limit + 1],
  );
  return pageOf(
    rows,
    limit,
    (row) => ({ ...row, at: row.at.toISOString() }),
    (last) => last.id,
  );
};
