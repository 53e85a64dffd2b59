/**
 * The status of a trial follows from its stages, and the status of a sweep from its trials.
 * - `running`: a stage of the trial is running;
 * - `waiting`: no stage is running, but some have not ended;
 * - otherwise the worst end of its stages. A skipped stage counts as the end for which it was skipped. A trial that had not ended when its
 * sweep was cancelled is `cancelled`. It stays `cancelled` even if another sweep completes its stages.
 */
import type { StoredSweepStatus, TrialStatus } from '@funnel/contracts';
import { orNull, type RowOf, text, texts } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { scheduleLeftBehind } from './scheduling.ts';
import { idsOf, type StageChange } from './transitions.ts';

/** Trials of one sweep whose status changed in the same way. */
export type TrialChange = {
  readonly sweepId: string;
  readonly from: TrialStatus;
  readonly to: TrialStatus;
  readonly trials: readonly string[];
};

/** The sweeps with a trial that has ended. */
export const sweepsOfEnded = (changes: readonly TrialChange[]): readonly string[] => [
  ...new Set(changes.filter(({ to }) => to !== 'waiting' && to !== 'running').map(({ sweepId }) => sweepId)),
];

/** SQL: the status of trial `t` that follows from its stages. */
const derivedStatus = `(
  SELECT CASE
    WHEN bool_or(s.status = 'running') THEN 'running'
    WHEN bool_or(s.status IN ('waiting', 'ready')) THEN 'waiting'
    WHEN bool_or(coalesce(s.skip_cause, s.status) = 'failed') THEN 'failed'
    WHEN bool_or(coalesce(s.skip_cause, s.status) = 'diverged') THEN 'diverged'
    WHEN bool_or(coalesce(s.skip_cause, s.status) = 'collapsed') THEN 'collapsed'
    WHEN bool_or(coalesce(s.skip_cause, s.status) = 'cancelled') THEN 'cancelled'
    ELSE 'completed'
  END
  FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id WHERE ts.trial_id = t.id)`;

const changeColumns = {
  sweep_id: text(),
  from: text<TrialStatus>(),
  to: text<TrialStatus>(),
  trials: texts(),
};

/** SQL: sets the status of the trials `t` that meet `condition` to the value of `status`. */
const update = (condition: string, status: string, reopen = false): string => `
  WITH derived AS (
    SELECT t.id, t.status AS was, ${status} AS now FROM trials t WHERE ${condition}
  ), changed AS (
    UPDATE trials SET status = derived.now,
      finished_at = CASE WHEN derived.now IN ('waiting', 'running') THEN NULL ELSE now() END
    FROM derived
    WHERE trials.id = derived.id AND derived.now <> derived.was
      -- New attempts for another sweep do not reopen a failed trial, but their end becomes its status.
      AND (${reopen} OR NOT (derived.was = 'failed' AND derived.now IN ('waiting', 'running')))
    RETURNING trials.id, trials.sweep_id, derived.was, derived.now
  )
  SELECT sweep_id, was AS "from", now AS "to", array_agg(id ORDER BY id) AS trials
  FROM changed GROUP BY sweep_id, was, now ORDER BY sweep_id`;

const changes = (rows: readonly RowOf<typeof changeColumns>[]): TrialChange[] =>
  rows.map(({ sweep_id, ...row }) => ({ sweepId: sweep_id, ...row }));

/** Where a transaction can find the trials whose status it derives. */
type Source = { readonly stages: readonly string[] } | { readonly trials: readonly string[] };

/**
 * Locks the trials of the source with one of the statuses, and sets them to `status` (SQL). Derives in a second statement. So when two
 * transactions end the last two stages of a trial, the later one sees both ends.
 */
const derive = async (
  tx: Tx,
  source: Source,
  statuses: readonly TrialStatus[],
  status = derivedStatus,
  reopen = false,
): Promise<readonly TrialChange[]> => {
  const [condition, ids] =
    'stages' in source
      ? ['id IN (SELECT trial_id FROM trial_stages WHERE stage_id = ANY($1))', source.stages]
      : ['id = ANY($1)', source.trials];
  if (ids.length === 0) return [];
  const locked = await tx.query(
    { id: text() },
    `SELECT id FROM trials WHERE ${condition} AND status = ANY($2) ORDER BY id FOR NO KEY UPDATE`,
    [ids, statuses],
  );
  if (locked.length === 0) return [];
  return changes(await tx.query(changeColumns, update('t.id = ANY($1)', status, reopen), [idsOf(locked)]));
};

const unfinished = ['waiting', 'running', 'failed'] as const satisfies readonly TrialStatus[];

/** Derives the status of the trials that share the changed stages. Resolves to the trials that changed. */
export const deriveTrials = async (
  tx: Tx,
  stageChanges: readonly StageChange[],
): Promise<readonly TrialChange[]> => {
  const begun = stageChanges.filter(({ to }) => to === 'running');
  // A stage is cancelled when no live sweep needs it. The cancellation of a sweep also ends its trials; those of other sweeps have failed.
  const cancelled = stageChanges.filter(({ to }) => to === 'cancelled');
  const others = stageChanges.filter(({ to }) => to !== 'running' && to !== 'cancelled');
  return [
    ...(await derive(tx, { stages: idsOf(begun) }, ['waiting'], `'running'`)),
    ...(await derive(tx, { stages: idsOf(others) }, unfinished)),
    ...(await derive(tx, { stages: idsOf(cancelled) }, ['failed'])),
  ];
};

/** The same for trials that share a stage whose change was left for later. `isCancelled`: that stage is cancelled now. */
export const deriveLater = (
  tx: Tx,
  trials: readonly string[],
  isCancelled: boolean,
): Promise<readonly TrialChange[]> => derive(tx, { trials }, isCancelled ? ['failed'] : unfinished);

/** A stage that becomes ready changes nothing for its trials. Nor does a reopened stage: a trial that has ended stays as it is. */
const concernsTrials = ({ from, to }: StageChange): boolean =>
  from === 'running' || (to !== 'ready' && to !== 'waiting');

/**
 * Splits changes of stages: the trials of those in `now` are at most `limit`; each of those in `later` has more, or there is no room
 * for its trials.
 */
export const splitByTrials = async (
  tx: Tx,
  stageChanges: readonly StageChange[],
  limit: number,
): Promise<{ readonly now: readonly StageChange[]; readonly later: readonly StageChange[] }> => {
  const concerned = stageChanges.filter(concernsTrials);
  if (concerned.length === 0) return { now: [], later: [] };
  const rows = await tx.query(
    { id: text() },
    `SELECT few.id FROM (
       SELECT id, n, sum(n) FILTER (WHERE n <= $2) OVER (ORDER BY place) AS total
       FROM unnest($1::text[]) WITH ORDINALITY AS k (id, place) CROSS JOIN LATERAL (
         SELECT count(*) AS n FROM (SELECT FROM trial_stages ts WHERE ts.stage_id = k.id LIMIT $2 + 1) AS first
       ) AS shared
     ) AS few WHERE n <= $2 AND total <= $2`,
    [idsOf(concerned), limit],
  );
  const few = new Set(idsOf(rows));
  return {
    now: concerned.filter(({ id }) => few.has(id)),
    later: concerned.filter(({ id }) => !few.has(id)),
  };
};

/** Opens the failed trials with the numbers from `from` to before `to` again, if their stages get new attempts. */
export const reopenTrials = async (
  tx: Tx,
  sweepId: string,
  from: number,
  to: number,
): Promise<readonly TrialChange[]> => {
  const failed = await tx.query(
    { id: text() },
    `SELECT id FROM trials WHERE sweep_id = $1 AND number >= $2 AND number < $3 AND status = 'failed'`,
    [sweepId, from, to],
  );
  return derive(tx, { trials: idsOf(failed) }, ['failed'], derivedStatus, true);
};

/** Locks the trials of a sweep with these numbers, from `from` to before `to` (null: all from `from` on). Resolves to their ids. */
export const lockTrials = async (
  tx: Tx,
  sweepId: string,
  from: number,
  to: number | null,
): Promise<readonly string[]> => {
  const rows = await tx.query(
    { id: text() },
    `SELECT id FROM trials WHERE sweep_id = $1 AND number >= $2 AND ($3::int IS NULL OR number < $3)
     ORDER BY id FOR NO KEY UPDATE`,
    [sweepId, from, to],
  );
  return rows.map((row) => row.id);
};

/** Derives the status of those of these locked trials that have not ended. */
export const deriveUnfinished = async (
  tx: Tx,
  trialIds: readonly string[],
): Promise<readonly TrialChange[]> => {
  if (trialIds.length === 0) return [];
  const condition = `t.id = ANY($1) AND t.status IN ('waiting', 'running')`;
  return changes(await tx.query(changeColumns, update(condition, derivedStatus), [trialIds]));
};

/** SQL: the status of a sweep `w` whose trials have all ended. */
const endOfSweep = `CASE
    WHEN NOT EXISTS (SELECT FROM trials WHERE sweep_id = w.id AND status IN ('failed', 'diverged', 'collapsed', 'cancelled')) THEN 'completed'
    WHEN EXISTS (SELECT FROM trials WHERE sweep_id = w.id AND status = 'completed') THEN 'completed-with-failures'
    ELSE 'failed' END`;

export type FinishedSweep = { readonly sweepId: string; readonly status: StoredSweepStatus };

const finishedColumns = { id: text(), status: orNull(text<StoredSweepStatus>()) };

/**
 * Ends those of the sweeps whose last trial has ended. A sweep whose retry goes on has not: failed trials wait for it. Nor has one whose
 * search is open: a decision may be due now, so it is marked. Corrects the status of a sweep that has ended before, when another sweep gives one of its
 * trials a result. Locks the sweeps first, so that when two transactions end the last two trials of a sweep, the later one sees both ends.
 * Resolves to the sweeps whose status changed.
 */
export const finishSweeps = async (tx: Tx, ids: readonly string[]): Promise<readonly FinishedSweep[]> => {
  if (ids.length === 0) return [];
  await tx.run(
    `SELECT FROM sweeps WHERE id = ANY($1) AND status <> 'cancelled' ORDER BY id FOR NO KEY UPDATE`,
    [ids],
  );
  const rows = await tx.query(
    finishedColumns,
    `WITH marked AS (
       UPDATE searches SET marked = marked + 1 WHERE sweep_id = ANY($1) AND ended IS NULL RETURNING sweep_id
     ), finished AS (
       UPDATE sweeps SET status = ended.status, finished_at = coalesce(finished_at, now())
       FROM (
         SELECT w.id, ${endOfSweep} AS status FROM sweeps w
         WHERE w.id = ANY($1) AND w.status <> 'cancelled'
           AND NOT EXISTS (SELECT FROM trials WHERE sweep_id = w.id AND status IN ('waiting', 'running'))
           AND NOT EXISTS (SELECT FROM sweep_actions WHERE sweep_id = w.id AND action = 'retry')
           AND NOT EXISTS (SELECT FROM searches WHERE sweep_id = w.id AND ended IS NULL)
       ) AS ended
       WHERE sweeps.id = ended.id AND sweeps.status <> ended.status
       RETURNING sweeps.id, sweeps.status
     )
     SELECT id, status FROM finished UNION ALL SELECT sweep_id, NULL FROM marked`,
    [ids],
  );
  const finished = rows.flatMap(({ id, status }) => (status === null ? [] : [{ sweepId: id, status }]));
  if (finished.length < rows.length) tx.wake('searches');
  if (finished.length > 0)
    await scheduleLeftBehind(
      tx,
      finished.map(({ sweepId }) => sweepId),
    );
  return finished;
};
