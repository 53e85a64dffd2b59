/**
 * Pause, resume, cancel, retry and delete change every stage of a sweep. The request changes the sweep, its running stages and the first stages;
 * the rest follows in batches, each in a transaction of its own. So a request takes no longer for a hundred thousand trials than for a
 * hundred, and no lock is held for long. `sweep_actions` says how far each action is. A large new sweep is connected with other sweeps in
 * the same way.
 */
import { bool, int4, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { isAwaited, pauseAction } from '../lifecycle/failing-batches.ts';
import { announceSweep, type Changes, propagate } from '../lifecycle/propagate.ts';
import { scheduleStagesOf } from '../lifecycle/scheduling.ts';
import { isBusy, limitWaits, tryLockStructure } from '../lifecycle/structure-lock.ts';
import { reopenTrials } from '../lifecycle/trials.ts';
import { cancelStages, cancelTrials } from './cancel-stages.ts';
import { connectStages, type Ordinals, type Part, trialsOf } from './connect-sweep.ts';
import { deleteBatch } from './delete-sweep.ts';
import { countTrials, retryStages } from './retry-stages.ts';

export type ActionName = 'connect' | 'pause' | 'resume' | 'cancel' | 'delete' | 'retry';

/** Stages or trials of one batch: it takes about half a second. */
const batchSize = 2000;

type Progress = { readonly done: number; readonly total: number };

/** The stages of the sweep with the ordinals from `from` to before `to`. */
const stagesBetween = async (
  tx: Tx,
  sweepId: string,
  from: number,
  to: number,
): Promise<readonly string[]> => {
  const rows = await tx.query(
    { stage_id: text() },
    'SELECT stage_id FROM sweep_stages WHERE sweep_id = $1 AND ordinal >= $2 AND ordinal < $3',
    [sweepId, from, to],
  );
  return rows.map((row) => row.stage_id);
};

/**
 * The stages of a batch of an action on the whole sweep. The first batch has those with negative ordinals too: stages of other sweeps that a
 * search waits for.
 */
const stagesOfBatch = (tx: Tx, sweepId: string, from: number, to: number): Promise<readonly string[]> =>
  stagesBetween(tx, sweepId, from > 0 ? from : -(2 ** 31), to);

/** The stages with these ordinals, to be connected. */
const partOf = async (tx: Tx, sweepId: string, ordinals: Ordinals): Promise<Part> => ({
  ids: await stagesBetween(tx, sweepId, ordinals.from, ordinals.to),
  ordinals,
  trials: await trialsOf(tx, sweepId, ordinals),
});

/** The new value of `done`: the action has ended when this is `total` or more. And what to propagate. */
type Batch = Changes & { readonly done: number };

const scheduleBatch = async (tx: Tx, sweepId: string, { done }: Progress): Promise<Batch> => {
  const end = done + batchSize;
  await scheduleStagesOf(tx, sweepId, await stagesOfBatch(tx, sweepId, done, end));
  return { done: end, changes: [] };
};

const batches: Readonly<Record<ActionName, (tx: Tx, sweepId: string, progress: Progress) => Promise<Batch>>> =
  {
    connect: async (tx, sweepId, { done, total }) => {
      const to = Math.min(done + batchSize, total);
      const part = await partOf(tx, sweepId, { from: done, to });
      const changes = await connectStages(tx, sweepId, part);
      await announceSweep(tx, sweepId);
      return { done: to, ...changes };
    },
    pause: scheduleBatch,
    resume: async (tx, sweepId, progress) => {
      const batch = await scheduleBatch(tx, sweepId, progress);
      await announceSweep(tx, sweepId);
      return batch;
    },
    /**
     * Later stages first: a stage is then rarely cancelled before a stage that waits for it. The trials come last, because attempts lock stages
     * before trials.
     */
    cancel: async (tx, sweepId, { done, total }) => {
      const end = total - done;
      const changes = await cancelStages(tx, sweepId, await stagesOfBatch(tx, sweepId, end - batchSize, end));
      if (end > batchSize) return { done: done + batchSize, changes };
      const { counts, isLast } = await cancelTrials(tx, sweepId, batchSize);
      return { done: isLast ? total : total - 1, changes, counts };
    },
    delete: async (tx, sweepId, { done, total }) => {
      const links = await deleteBatch(tx, sweepId, batchSize);
      if (links !== null) return { done: Math.min(done + links, total - 1), changes: [] };
      return { done: total, changes: [], events: [{ type: 'sweep', sweepId, status: 'deleted' }] };
    },
    /** Earlier stages first, so that a stage is reopened after those that it depends on; then the trials, which count into `total`. */
    retry: async (tx, sweepId, { done, total }) => {
      const end = Math.min(done + batchSize, total);
      const stages = total - (await countTrials(tx, sweepId));
      const reopened = await retryStages(
        tx,
        sweepId,
        await stagesOfBatch(tx, sweepId, done, Math.min(end, stages)),
      );
      const trials = await reopenTrials(tx, sweepId, Math.max(0, done - stages), end - stages);
      return { ...reopened, done: end, trials, mayEnd: end < total ? [] : [sweepId] };
    },
  };

type NewSweep = {
  /** The number of its stages. */
  readonly total: number;
  /** Connects the sweep in this transaction; otherwise batches do it. */
  readonly isNow: boolean;
  /** What this transaction has changed before. */
  readonly before: Required<Pick<Changes, 'changes' | 'counts'>>;
};

/** From now until `endConnection`, the counts of the sweep contain none of its stages with these ordinals (`stageSweeps`). */
export const beginConnection = (tx: Tx, sweepId: string, { from, to }: Ordinals): Promise<void> =>
  tx.run(`INSERT INTO sweep_actions (sweep_id, action, done, total) VALUES ($1, 'connect', $2, $3)`, [
    sweepId,
    from,
    to,
  ]);

export const endConnection = (tx: Tx, sweepId: string): Promise<void> => endAction(tx, sweepId, 'connect');

/** Connects a new sweep with the stages that the database had, and propagates all changes. */
export const connectSweep = async (
  tx: Tx,
  sweepId: string,
  { total, isNow, before }: NewSweep,
): Promise<void> => {
  const ordinals = { from: 0, to: total };
  await beginConnection(tx, sweepId, ordinals);
  const {
    changes,
    counts = [],
    events,
  } = isNow
    ? await connectStages(tx, sweepId, await partOf(tx, sweepId, ordinals))
    : { changes: [], events: [{ type: 'sweep', sweepId, status: 'running' }] as const };
  await propagate(tx, {
    changes: [...before.changes, ...changes],
    counts: [...before.counts, ...counts],
    events: events ?? [],
    maxTrials: batchSize,
  });
  if (isNow) await endConnection(tx, sweepId);
};

/**
 * Begins an action with its first batch. It replaces the unfinished actions of the sweep, except that the sweep goes on being connected, that
 * a deletion waits for all others that do not always fail, and that a retry goes on beside a pause and a resumption. `hasStructure`: this transaction has the
 * structure lock. Without it the action begins later. Resolves to what to propagate.
 */
export const beginAction = async (
  tx: Tx,
  sweepId: string,
  action: ActionName,
  hasStructure: boolean,
): Promise<Changes> => {
  if (action !== 'delete')
    await tx.run(
      `DELETE FROM sweep_actions WHERE sweep_id = $1 AND action <> 'connect' AND (action <> 'retry' OR $2)`,
      [sweepId, action === 'cancel' || action === 'retry'],
    );
  const [row] = await tx.query(
    { total: int4(), waits: bool() },
    `SELECT coalesce(max(ordinal) + 1, 1) AS total,
       $2::boolean AND EXISTS (SELECT FROM sweep_actions a WHERE a.sweep_id = $1 AND ${isAwaited('a')}) AS waits
     FROM sweep_stages WHERE sweep_id = $1`,
    [sweepId, action === 'delete'],
  );
  const waits = action === 'delete' && row!.waits;
  const total = row!.total + (action === 'retry' ? await countTrials(tx, sweepId) : 0);
  const later: Batch = { done: 0, changes: [] };
  const { done, ...changes } =
    hasStructure && !waits ? await batches[action](tx, sweepId, { done: 0, total }) : later;
  if (done < total)
    await tx.run('INSERT INTO sweep_actions (sweep_id, action, done, total) VALUES ($1, $2, $3, $4)', [
      sweepId,
      action,
      done,
      total,
    ]);
  return { ...changes, maxTrials: batchSize };
};

/** A search decides nothing while an action on its sweep goes on. */
const endAction = async (tx: Tx, sweepId: string, action: ActionName): Promise<void> => {
  await tx.run('DELETE FROM sweep_actions WHERE sweep_id = $1 AND action = $2', [sweepId, action]);
  tx.wake('searches');
};

/** SQL: some action does not pause after a failure. */
const anyDue = 'EXISTS (SELECT FROM sweep_actions WHERE due_at <= clock_timestamp())';

/** Deletions come last, and only after the other actions of their sweep for which they wait. */
const nextAction = `
  SELECT sweep_id, action, done, total FROM sweep_actions a
  WHERE due_at <= clock_timestamp()
    AND (action <> 'delete' OR NOT EXISTS (SELECT FROM sweep_actions b WHERE b.sweep_id = a.sweep_id AND ${isAwaited('b')}))
  ORDER BY action = 'delete', continued_at LIMIT 1 FOR UPDATE`;

type Turn = { readonly sweepId: string; readonly action: ActionName };

/** Calls `onTurn` with the action before it does the batch. */
const continueOnce = async (tx: Tx, onTurn: (turn: Turn) => void): Promise<boolean> => {
  const [unfinished] = await tx.query({ any: bool() }, `SELECT ${anyDue} AS any`);
  if (!unfinished!.any || !(await tryLockStructure(tx))) return false;
  await limitWaits(tx);
  const [row] = await tx.query(
    { sweep_id: text(), action: text<ActionName>(), done: int4(), total: int4() },
    nextAction,
  );
  if (!row) return false;
  const { sweep_id: sweepId, action, total } = row;
  onTurn({ sweepId, action });
  const { done, ...changes } = await batches[action](tx, sweepId, row);
  const advance = (): Promise<void> =>
    done < total
      ? tx.run(
          `UPDATE sweep_actions SET done = $3, continued_at = clock_timestamp(), failures = 0, error = NULL
           WHERE sweep_id = $1 AND action = $2`,
          [sweepId, action, done],
        )
      : endAction(tx, sweepId, action);
  // A sweep ends only after its retry. And the counts of a sweep contain the stages of a batch only after the batch (`stageSweeps`).
  if (action !== 'connect') await advance();
  await propagate(tx, { ...changes, maxTrials: batchSize });
  if (action === 'connect') await advance();
  return true;
};

/**
 * Does the next batch of one unfinished action. Resolves to false if there is none, if another operation has the structure lock, or if a large
 * submission has reopened a stage of the batch and has not ended yet. If the batch fails, its action pauses. Errors: those of the batch.
 */
export const continueActions = async (db: Db): Promise<boolean> => {
  let turn: Turn | undefined;
  try {
    return await transaction(db, (tx) =>
      continueOnce(tx, (next) => {
        turn = next;
      }),
    );
  } catch (error) {
    if (isBusy(error)) return false;
    if (turn) await pauseAction(db, turn, error);
    throw error;
  }
};
