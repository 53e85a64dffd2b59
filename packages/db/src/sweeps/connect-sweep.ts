/**
 * Connects a new sweep, or a new unit of a search, with the stages that the database had before. A small sweep is connected by the transaction that writes it, a large one
 * by later batches: the action `connect`. The links of the sweep protect its stages from its first commit on: no other sweep's cancellation
 * or deletion ends them, and no collection takes their checkpoints.
 *
 * A stage of another sweep may end before that commit, and then changes nothing here. So each batch does what the end would have done: it
 * makes the dependants ready or skips them, and gives results to the trials. Ends after the commit find the new rows by themselves.
 */
import type { StoredSweepStatus } from '@funnel/contracts';
import { int4, int8, orNull, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { passRecorded, releaseFree, skipDependants } from '../lifecycle/dependants.ts';
import { type Changes, type CountChange, trialCounts } from '../lifecycle/propagate.ts';
import { scheduleStagesOf } from '../lifecycle/scheduling.ts';
import { idsOf, lockOrder, type StageChange } from '../lifecycle/transitions.ts';
import { deriveUnfinished, finishSweeps, lockTrials, sweepsOfEnded } from '../lifecycle/trials.ts';
import { inheritScores, noteCleanAccuracy } from '../scores/scores.ts';

/** Stages of a sweep with these ordinals, from `from` to before `to`. */
export type Ordinals = { readonly from: number; readonly to: number };

/** Trials of a sweep with these numbers, from `from` to before `to`; null: to the last one. */
type Numbers = { readonly from: number; readonly to: number | null };

/** What to connect: stages, the ordinals of their links to the sweep, and the trials that have them all. Null: no trial has. */
export type Part = {
  readonly ids: readonly string[];
  readonly ordinals: Ordinals;
  readonly trials: Numbers | null;
};

/**
 * Locks the unfinished stages among these, and those that these wait for. The end of a stage holds the same lock: when it has it first, the
 * next statement sees the end; otherwise the end waits and then sees the rows of this transaction.
 */
const lockWithInputs = (tx: Tx, ids: readonly string[]): Promise<void> =>
  tx.run(
    `SELECT FROM stages s
     WHERE s.status IN ('waiting', 'ready', 'running') AND s.id IN (
       SELECT unnest($1::text[])
       UNION
       SELECT unnest(w.surrogates || w.depends_on) FROM stages w WHERE w.id = ANY($1) AND w.status = 'waiting')
     ORDER BY ${lockOrder('s')} FOR NO KEY UPDATE OF s`,
    [ids],
  );

/** Updates the stages that wait for stages that have ended. */
const updateWaiting = async (tx: Tx, ids: readonly string[]): Promise<readonly StageChange[]> => {
  const passed = await passRecorded(tx, ids);
  const released = await releaseFree(tx, ids);
  const ended = await tx.query(
    { id: text() },
    `SELECT a.id FROM stages a
     WHERE a.status IN ('failed', 'skipped', 'diverged', 'collapsed') AND a.id IN (
       SELECT unnest(s.surrogates || s.depends_on) FROM stages s WHERE s.id = ANY($1) AND s.status = 'waiting')
     ORDER BY a.id`,
    [ids],
  );
  const skipped = ended.length === 0 ? [] : await skipDependants(tx, idsOf(ended));
  return [...passed, ...released, ...skipped];
};

/** The number of the first trial that needs the stage with this ordinal. Null: the sweep has no such stage. */
const firstTrial = async (tx: Tx, sweepId: string, ordinal: number): Promise<number | null> => {
  if (ordinal === 0) return 0;
  const [row] = await tx.query(
    { number: orNull(int4()) },
    `SELECT min(t.number) AS number
     FROM sweep_stages l JOIN trial_stages ts ON ts.stage_id = l.stage_id JOIN trials t ON t.id = ts.trial_id
     WHERE l.sweep_id = $1 AND l.ordinal = $2 AND l.direct AND t.sweep_id = $1`,
    [sweepId, ordinal],
  );
  return row!.number;
};

/**
 * The trials whose last new stage has one of these ordinals. The ordinals follow the trials, so the batches up to this one have all stages of
 * these trials.
 */
export const trialsOf = async (tx: Tx, sweepId: string, { from, to }: Ordinals): Promise<Numbers | null> => {
  const first = await firstTrial(tx, sweepId, from);
  return first === null ? null : { from: first, to: await firstTrial(tx, sweepId, to) };
};

const countStages = async (
  tx: Tx,
  sweepId: string,
  { from, to }: Ordinals,
): Promise<readonly CountChange[]> => {
  const rows = await tx.query(
    { subject: text(), delta: int8() },
    `SELECT 'stage:' || s.kind || ':' || s.status AS subject, count(*) AS delta
     FROM sweep_stages l JOIN stages s ON s.id = l.stage_id
     WHERE l.sweep_id = $1 AND l.ordinal >= $2 AND l.ordinal < $3 AND l.direct GROUP BY 1`,
    [sweepId, from, to],
  );
  return rows.map((row) => ({ sweepId, ...row }));
};

const statusOf = async (tx: Tx, sweepId: string): Promise<StoredSweepStatus> => {
  const [row] = await tx.query(
    { status: text<StoredSweepStatus>() },
    'SELECT status FROM sweeps WHERE id = $1',
    [sweepId],
  );
  return row!.status;
};

/**
 * Connects stages. Every sweep-wide effect of an end counts from the moment at which the part is done, so `propagate` must run before
 * `sweep_actions` says that it is (`stageSweeps`). Resolves to what to propagate.
 */
export const connectStages = async (
  tx: Tx,
  sweepId: string,
  { ids, ordinals, trials: numbers }: Part,
): Promise<Changes> => {
  await lockWithInputs(tx, ids);
  const changes = await updateWaiting(tx, ids);
  await scheduleStagesOf(tx, sweepId, ids);
  await noteCleanAccuracy(tx, ids);
  const trials = numbers === null ? [] : await lockTrials(tx, sweepId, numbers.from, numbers.to);
  await inheritScores(tx, trials);
  const derived = await deriveUnfinished(tx, trials);
  await finishSweeps(tx, sweepsOfEnded(derived));
  return {
    changes,
    counts: [...(await countStages(tx, sweepId, ordinals)), ...trialCounts(derived)],
    events: [{ type: 'sweep', sweepId, status: await statusOf(tx, sweepId) }],
  };
};
