import {
  AppError,
  type StageKind,
  type StageStatus,
  type Sweep,
  type SweepDetail,
  type SweepStatus,
} from '@funnel/contracts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';
import { readCounts } from '../lifecycle/counts.ts';
import type { Page } from '../types.ts';
import { isText, pageOf, readCursor } from './cursor.ts';
import { type SweepRow, sweepColumns, sweepResource } from './sweep-resource.ts';

export type SweepsQuery = {
  readonly limit: number;
  readonly cursor?: string;
  readonly status?: SweepStatus;
  /** Part of the name, in any case. */
  readonly search?: string;
};

/** What a pattern would take as special is taken as it stands. */
const contains = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;

/** Newest first. */
export const listSweeps = async (
  db: Db,
  { limit, cursor, status, search }: SweepsQuery,
): Promise<Page<Sweep>> => {
  const tx = reading(db);
  const rows = await tx.query<SweepRow>(
    `SELECT ${sweepColumns} FROM sweeps
     WHERE ($1::text IS NULL OR id < $1) AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR name ILIKE $3)
     ORDER BY id DESC LIMIT $4`,
    [cursor ? readCursor(cursor, isText) : null, status ?? null, search ? contains(search) : null, limit + 1],
  );
  const counts = await readCounts(
    tx,
    rows.map((row) => row.id),
  );
  return pageOf(
    rows,
    limit,
    (row) => sweepResource(row, counts.get(row.id)!),
    (last) => last.id,
  );
};

/** Errors: NOT_FOUND. */
export const getSweep = async (db: Db, id: string): Promise<SweepDetail> => {
  const tx = reading(db);
  const [row] = await tx.query<SweepRow>(`SELECT ${sweepColumns} FROM sweeps WHERE id = $1`, [id]);
  if (!row) throw new AppError('NOT_FOUND', `Expected a sweep, but there is none with id ${id}`);
  const counts = (await readCounts(tx, [id])).get(id)!;
  const stages = [...counts].flatMap(([subject, count]) => {
    const [what, kind, status] = subject.split(':');
    return what === 'stage' ? [{ kind: kind as StageKind, status: status as StageStatus, count }] : []; // as the writers of counts name them
  });
  return { ...sweepResource(row, counts), definition: row.definition, stages };
};

/** Errors: NOT_FOUND. */
export const assertSweep = async (db: Db, id: string): Promise<void> => {
  const rows = await reading(db).query('SELECT FROM sweeps WHERE id = $1', [id]);
  if (rows.length === 0) throw new AppError('NOT_FOUND', `Expected a sweep, but there is none with id ${id}`);
};
