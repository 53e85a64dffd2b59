/** Sweeps, with their progress. */
import {
  AppError,
  type Plan,
  type StageKind,
  type StageStatus,
  type Sweep,
  type SweepDefinition,
  type SweepDetail,
  type SweepStatus,
  type TrialStatus,
} from '@funnel/contracts';
import { float8, int4, jsonb, orNull, type RowOf, text, timestamptz } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';
import { readCounts, type SweepCounts } from '../lifecycle/propagate.ts';
import type { Page } from '../types.ts';
import { isText, pageOf, readCursor } from './pages.ts';

const sweepColumns = {
  id: text(),
  name: text(),
  status: text<SweepStatus>(),
  definition: jsonb<SweepDefinition>(),
  plan: jsonb<Plan>(),
  priority: int4(),
  created_at: timestamptz(),
  finished_at: orNull(timestamptz()),
  /** Seconds since the first attempt began, by the database's clock; null before. */
  elapsed: orNull(float8()),
};

type SweepRow = RowOf<typeof sweepColumns>;

const sweepList =
  'id, name, status, definition, plan, priority, created_at, finished_at, extract(epoch FROM now() - started_at)::float8 AS elapsed';

const unfinished = ['waiting', 'ready', 'running'];

/** The work of this sweep: the epochs of its plan, and the attacks that had no result before. */
const measureWork = ({ plan }: SweepRow, counts: SweepCounts) => {
  let attacks = 0;
  let attacksLeft = 0;
  for (const [subject, count] of counts) {
    const [what, kind, status] = subject.split(':');
    if (what !== 'stage' || kind !== 'attack') continue;
    attacks += count;
    if (unfinished.includes(status!)) attacksLeft += count;
  }
  const epochs = plan.epochs.needed;
  const cached = Math.min(plan.stages.attack.cached, attacks);
  const total = epochs + attacks - cached;
  const done = Math.min(counts.get('trained') ?? 0, epochs) + Math.max(0, attacks - cached - attacksLeft);
  return { total, done };
};

/** From 0 to 1. */
const progressOf = (row: SweepRow, counts: SweepCounts): number => {
  if (row.status === 'completed') return 1;
  const { total, done } = measureWork(row, counts);
  return total === 0 ? 0 : done / total;
};

/** The remaining seconds, if the rest goes as fast as the part that is done. */
const etaOf = ({ status, elapsed }: SweepRow, progress: number): number | null =>
  status === 'running' && elapsed !== null && progress > 0 && progress < 1
    ? Math.round((elapsed * (1 - progress)) / progress)
    : null;

const trialCounts = (counts: SweepCounts): Sweep['trials'] => {
  const entries = [...counts].filter(([subject]) => subject.startsWith('trial:'));
  return Object.fromEntries(
    entries.map(([subject, count]) => [subject.slice('trial:'.length) as TrialStatus, count]),
  );
};

const sweepOf = (row: SweepRow, counts: SweepCounts): Sweep => {
  const progress = progressOf(row, counts);
  return {
    id: row.id,
    name: row.name,
    status: row.status,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    trials: trialCounts(counts),
    plan: row.plan,
    epochsTrained: counts.get('trained') ?? 0,
    progress,
    etaSeconds: etaOf(row, progress),
    priority: row.priority,
  };
};

export type SweepsQuery = {
  readonly limit: number;
  readonly cursor?: string;
  readonly status?: SweepStatus;
  /** A part of the name; upper and lower case do not matter. */
  readonly search?: string;
};

/** A pattern of names that contain `text`, with the special characters of patterns escaped. */
const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;

/** Newest first. */
export const listSweeps = async (
  db: Db,
  { limit, cursor, status, search }: SweepsQuery,
): Promise<Page<Sweep>> => {
  const tx = reading(db);
  const rows = await tx.query(
    sweepColumns,
    `SELECT ${sweepList} FROM sweeps
     WHERE ($1::text IS NULL OR id < $1) AND ($2::text IS NULL OR status = $2) AND ($3::text IS NULL OR name ILIKE $3)
     ORDER BY id DESC LIMIT $4`,
    [
      cursor ? readCursor(cursor, isText) : null,
      status ?? null,
      search ? containing(search) : null,
      limit + 1,
    ],
  );
  const counts = await readCounts(
    tx,
    rows.map((row) => row.id),
  );
  return pageOf(
    rows,
    limit,
    (row) => sweepOf(row, counts.get(row.id)!),
    (last) => last.id,
  );
};

/** Errors: NOT_FOUND. */
export const getSweep = async (db: Db, id: string): Promise<SweepDetail> => {
  const tx = reading(db);
  const [row] = await tx.query(sweepColumns, `SELECT ${sweepList} FROM sweeps WHERE id = $1`, [id]);
  if (!row) throw new AppError('NOT_FOUND', `Expected a sweep, but there is none with id ${id}`);
  const counts = (await readCounts(tx, [id])).get(id)!;
  const stages = [...counts].flatMap(([subject, count]) => {
    const [what, kind, status] = subject.split(':');
    return what === 'stage' ? [{ kind: kind as StageKind, status: status as StageStatus, count }] : []; // `lifecycle` writes subjects of this form
  });
  return { ...sweepOf(row, counts), definition: row.definition, stages };
};

/** Errors: NOT_FOUND when there is no such sweep. */
export const assertSweep = async (db: Db, id: string): Promise<void> => {
  const rows = await reading(db).query({}, 'SELECT FROM sweeps WHERE id = $1', [id]);
  if (rows.length === 0) throw new AppError('NOT_FOUND', `Expected a sweep, but there is none with id ${id}`);
};
