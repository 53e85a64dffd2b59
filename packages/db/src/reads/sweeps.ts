/** Sweeps, with their progress. */
import {
  AppError,
  type Plan,
  type SearchEnd,
  type SearchProgress,
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
import { reading } from '../connection/transaction.ts';
import { readCounts, type SweepCounts } from '../lifecycle/propagate.ts';
import type { ActionName } from '../sweeps/sweep-actions.ts';
import type { Page } from '../types.ts';
import { type Best, bestConfigurations, overviewOf } from './overviews.ts';
import { isText, pageOf, readCursor } from './pages.ts';
import { waitsOfSweep } from './waits.ts';

const sweepColumns = {
  id: text(),
  name: text(),
  status: text<SweepStatus>(),
  definition: jsonb<StoredDefinition>(),
  plan: jsonb<Plan>(),
  client: orNull(text()),
  priority: int4(),
  tags: texts(),
  created_at: timestamptz(),
  finished_at: orNull(timestamptz()),
  action: orNull(text<ActionName>()),
  action_done: orNull(int4()),
  action_total: orNull(int4()),
  configurations: orNull(int4()),
  proposed: orNull(int4()),
  search_end: orNull(text<SearchEnd>()),
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

/** The trials that the sweep has. */
const countTrials = (counts: SweepCounts): number => {
  let trials = 0;
  for (const [subject, count] of counts) if (subject.startsWith('trial:')) trials += count;
  return trials;
};

/** The search of the sweep, or undefined if all trials were there at the submission. The plan counts the trials of the whole search. */
const searchOf = (
  { plan, status, configurations, proposed, search_end: ended }: SweepRow,
  counts: SweepCounts,
): SearchProgress | undefined => {
  if (configurations === null || proposed === null) return undefined;
  const isOpen = ended === null && !['cancelled', 'cancelling', 'deleting'].includes(status);
  const trialsToCome = isOpen ? Math.max(0, plan.trials - countTrials(counts)) : 0;
  return { ended, configurations, proposed, trialsToCome };
};

type Work = { readonly total: number; readonly done: number };

/** The epochs that the sweep needs and that were not trained before it, by whichever sweep. A retry may train some of them again. */
const measureEpochs = ({ plan }: SweepRow, counts: SweepCounts): Work => {
  const total = plan.epochs.needed + (plan.awaited?.epochs ?? 0);
  const trained = (counts.get('trained') ?? 0) + (counts.get('trained-elsewhere') ?? 0);
  return { total, done: Math.min(trained, total) };
};

/**
 * The work of this sweep: its epochs, and the attacks that had no result before. Only results count as done: an attack that was skipped does
 * not.
 */
const measurePlan = (row: SweepRow, counts: SweepCounts): Work => {
  const epochs = measureEpochs(row, counts);
  const { total: attacks, cached } = row.plan.stages.attack;
  const before = cached - (row.plan.awaited?.attacks ?? 0);
  const attacksDone = counts.get('stage:attack:completed') ?? 0;
  return {
    total: epochs.total + attacks - before,
    done: epochs.done + Math.max(0, attacksDone - before),
  };
};

/**
 * A search that ends early does as much of the work in its plan as it has trials of those in the plan. The points were not known for the
 * plan, so the real work is a little more or less: trials to come are work that is left in every case, and so is half of a trial while one runs.
 */
const measureWork = (row: SweepRow, counts: SweepCounts): Work => {
  const planned = measurePlan(row, counts);
  const search = searchOf(row, counts);
  if (!search || row.plan.trials === 0) return planned;
  const trials = countTrials(counts);
  const all = trials + search.trialsToCome;
  const total = (planned.total * all) / row.plan.trials;
  const unfinished = (counts.get('trial:waiting') ?? 0) + (counts.get('trial:running') ?? 0);
  const possible = (trials - (unfinished > 0 ? 0.5 : 0)) / Math.max(1, all);
  return { total, done: Math.min(planned.done, total * possible) };
};

/** From 0 to 1; 1 only when every trial completed. */
const progressOf = (row: SweepRow, counts: SweepCounts): number => {
  if (row.status === 'completed') return 1;
  if (row.status === 'failed' || row.status === 'completed-with-failures')
    return (counts.get('trial:completed') ?? 0) / Math.max(1, countTrials(counts));
  const { total, done } = measureWork(row, counts);
  return total === 0 ? 0 : done / total;
};

/** The remaining seconds, if the rest goes as fast as the part that is done. Null before the reconciler has seen a stage run. */
const etaOf = ({ status }: SweepRow, counts: SweepCounts, progress: number): number | null => {
  const active = (counts.get('active') ?? 0) / 1000;
  return status === 'running' && active > 0 && progress > 0 && progress < 1
    ? Math.round((active * (1 - progress)) / progress)
    : null;
};

const trialCounts = (counts: SweepCounts): Sweep['trials'] => {
  const entries = [...counts].filter(([subject]) => subject.startsWith('trial:'));
  return Object.fromEntries(
    entries.map(([subject, count]) => [subject.slice('trial:'.length) as TrialStatus, count]),
  );
};

const sweepOf = (row: SweepRow, counts: SweepCounts, best: Best | null): Sweep => {
  const progress = progressOf(row, counts);
  const search = searchOf(row, counts);
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
    progress,
    etaSeconds: etaOf(row, counts, progress),
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
  return pageOf(
    rows,
    limit,
    (row) => sweepOf(row, counts.get(row.id)!, best.get(row.id) ?? null),
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
  return { ...sweepOf(row, counts, best), definition, notes, stages, waitsFor: [...waitsFor] };
};

/** Errors: NOT_FOUND when there is no such sweep. */
export const assertSweep = async (db: Db, id: string): Promise<void> => {
  const rows = await reading(db).query({}, 'SELECT FROM sweeps WHERE id = $1', [id]);
  if (rows.length === 0) throw new AppError('NOT_FOUND', `Expected a sweep, but there is none with id ${id}`);
};
