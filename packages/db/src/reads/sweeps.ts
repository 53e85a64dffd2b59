/** Sweeps, with their progress. */
import {
  AppError,
  type StageKind,
  type StageStatus,
  type StoredDefinition,
  type StoredSweepStatus,
  type Sweep,
  type SweepDetail,
  type SweepStatus,
  type TrialStatus,
} from '@funnel/contracts';
import { int4, jsonb, orNull, type RowOf, text, texts, timestamptz } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading, type Tx } from '../connection/transaction.ts';
import { readCounts, type SweepCounts } from '../lifecycle/propagate.ts';
import type { ActionName } from '../sweeps/sweep-actions.ts';
import type { Page } from '../types.ts';
import { type Best, bestConfigurations, overviewOf } from './overviews.ts';
import { isText, pageOf, readCursor } from './pages.ts';
import { countTrials, measureEpochs, progressOf, searchOf, workColumns } from './sweep-work.ts';
import { type Turns, turnsOf } from './turns.ts';
import { waitsOfSweep } from './waits.ts';

const sweepColumns = {
  ...workColumns,
  definition: jsonb<StoredDefinition>(),
  client: orNull(text()),
  tags: texts(),
  created_at: timestamptz(),
  finished_at: orNull(timestamptz()),
  action: orNull(text<ActionName>()),
  action_done: orNull(int4()),
  action_total: orNull(int4()),
};

type SweepRow = RowOf<typeof sweepColumns>;

/** SQL: a stage of a paused sweep `w` runs until its next checkpoint. Stages that another running sweep needs go on, and do not count. */
const stillPausing = `EXISTS (
  SELECT FROM stages s JOIN sweep_stages l ON l.stage_id = s.id
  WHERE s.status = 'running' AND s.sweep_id IS NULL AND l.sweep_id = w.id)`;

/** SQL: a trainer still runs a stage that was cancelled with the sweep `w`. */
const stillCancelling = `EXISTS (
  SELECT FROM attempts a JOIN sweep_stages l ON l.stage_id = a.stage_id
  WHERE a.outcome = 'cancelled' AND a.ended_at IS NULL AND l.sweep_id = w.id)`;

const sweepList = `w.id, w.name, w.definition, w.plan, w.client, w.priority, w.tags, w.created_at, w.finished_at,
  a.action, a.done AS action_done, a.total AS action_total, k.configurations, k.proposed, k.ended AS search_end, CASE
    WHEN a.action = 'delete' THEN 'deleting'
    WHEN a.action = 'retry' AND w.status = 'running' THEN 'retrying'
    WHEN w.status = 'paused' AND (a.action = 'pause' OR ${stillPausing}) THEN 'pausing'
    WHEN w.status = 'cancelled' AND (a.action IN ('cancel', 'delete') OR ${stillCancelling}) THEN 'cancelling'
    ELSE w.status END AS status`;

/**
 * SQL: the sweeps, each with its unfinished action and its search. Of several, a deletion is shown first, because it waits for the others, then a pause,
 * a resumption or a cancellation, then a retry, and `connect` last.
 */
const sweepsWithActions = `sweeps w LEFT JOIN LATERAL (
    SELECT * FROM sweep_actions WHERE sweep_id = w.id
    ORDER BY action <> 'delete', action = 'connect', action = 'retry' LIMIT 1) AS a ON true
  LEFT JOIN searches k ON k.sweep_id = w.id`;

const trialCounts = (counts: SweepCounts): Sweep['trials'] => {
  const entries = [...counts].filter(([subject]) => subject.startsWith('trial:'));
  return Object.fromEntries(
    entries.map(([subject, count]) => [subject.slice('trial:'.length) as TrialStatus, count]),
  );
};

type Details = { readonly counts: SweepCounts; readonly best: Best | null; readonly turns: Turns };

const sweepOf = (row: SweepRow, { counts, best, turns }: Details): Sweep => {
  const search = searchOf(row, counts);
  const { seconds, behind } = turns.of(row, counts);
  return {
    id: row.id,
    name: row.name,
    status: row.status,
    createdAt: row.created_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    trials: trialCounts(counts),
    plan: row.plan,
    epochsTrained: counts.get('trained') ?? 0,
    epochs: measureEpochs(row, counts),
    progress: progressOf(row, counts),
    etaSeconds: seconds === null ? null : Math.round(seconds),
    ...(behind && { behind }),
    ...(search && { search }),
    overview: overviewOf(row, best),
    priority: row.priority,
    tags: row.tags,
    action:
      row.action === null
        ? null
        : { name: row.action, done: row.action_done ?? 0, total: row.action_total ?? 0 },
  };
};

export type SweepsQuery = {
  readonly limit: number;
  readonly cursor?: string;
  readonly status?: StoredSweepStatus;
  /** A part of the name, in upper or lower case, or the start of the id. */
  readonly search?: string;
  /** The sweeps that have all of these tags. (Default: all sweeps) */
  readonly tag?: readonly string[];
};

/** A pattern of names that contain `text`, with the special characters of patterns escaped. */
const containing = (text: string): string => `%${text.replace(/[\\%_]/g, '\\$&')}%`;

/** Newest first. */
export const listSweeps = async (
  db: Db,
  { limit, cursor, status, search, tag = [] }: SweepsQuery,
): Promise<Page<Sweep>> => {
  const tx = reading(db);
  const rows = await tx.query(
    sweepColumns,
    `SELECT ${sweepList} FROM ${sweepsWithActions}
     WHERE ($1::text IS NULL OR w.id < $1) AND ($2::text IS NULL OR w.status = $2) AND ($3::text IS NULL OR w.name ILIKE $3 OR starts_with(w.id, $5))
       AND w.tags @> $6::text[]
     ORDER BY w.id DESC LIMIT $4`,
    [
      cursor ? readCursor(cursor, isText) : null,
      status ?? null,
      search ? containing(search) : null,
      limit + 1,
      search ?? null,
      tag,
    ],
  );
  const counts = await readCounts(
    tx,
    rows.map((row) => row.id),
  );
  const best = await bestConfigurations(tx, rows);
  const turns = await turnsOf(tx, rows);
  return pageOf(
    rows,
    limit,
    (row) => sweepOf(row, { counts: counts.get(row.id)!, best: best.get(row.id) ?? null, turns }),
    (last) => last.id,
  );
};

/** Errors: NOT_FOUND. */
export const getSweep = async (db: Db, id: string): Promise<SweepDetail> => {
  const tx = reading(db);
  const [row] = await tx.query(
    { ...sweepColumns, notes: text() },
    `SELECT ${sweepList}, w.notes FROM ${sweepsWithActions} WHERE w.id = $1`,
    [id],
  );
  if (!row) throw new AppError('NOT_FOUND', `Expected a sweep, but there is none with id ${id}`);
  const counts = (await readCounts(tx, [id])).get(id)!;
  const stages = [...counts].flatMap(([subject, count]) => {
    const [what, kind, status] = subject.split(':');
    return what === 'stage' ? [{ kind: kind as StageKind, status: status as StageStatus, count }] : []; // `lifecycle` writes subjects of this form
  });
  const waitsFor = row.status === 'running' ? await waitsOfSweep(tx, id) : [];
  const best = (await bestConfigurations(tx, [row])).get(id) ?? null;
  const { definition, notes } = row;
  const details = { counts, best, turns: await turnsOf(tx, [row]) };
  return { ...sweepOf(row, details), definition, notes, stages, waitsFor: [...waitsFor] };
};

/** The trials that have all of their results, and those that there are and that a search will still decide. Undefined without such a sweep. */
export const readTrialCounts = async (
  tx: Tx,
  id: string,
): Promise<{ status: SweepStatus; measured: number; trials: number } | undefined> => {
  const [row] = await tx.query(
    sweepColumns,
    `SELECT ${sweepList} FROM ${sweepsWithActions} WHERE w.id = $1`,
    [id],
  );
  if (!row) return undefined;
  const counts = (await readCounts(tx, [id])).get(id)!;
  const trials = countTrials(counts) + (searchOf(row, counts)?.trialsToCome ?? 0);
  return { status: row.status, measured: counts.get('trial:completed') ?? 0, trials };
};

/** Errors: NOT_FOUND when there is no such sweep. */
export const assertSweep = async (db: Db, id: string): Promise<void> => {
  const rows = await reading(db).query({}, 'SELECT FROM sweeps WHERE id = $1', [id]);
  if (rows.length === 0) throw new AppError('NOT_FOUND', `Expected a sweep, but there is none with id ${id}`);
};
