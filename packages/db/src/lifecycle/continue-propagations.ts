/**
 * Continues what the transactions of attempts have left (`propagations.ts`): one batch after the other, each in a transaction of its own.
 * Every API process and worker can do it, and one of them does it at a time. A batch goes by the status that a stage has now, so it does no
 * harm to do it twice, or after the stage has changed again. If the process is killed, its batch is undone, and another process does it.
 */
import type { StageKind, StageStatus } from '@funnel/contracts';
import { bool, orNull, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { appliedMigration, checkMigration } from '../connection/schema-version.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { noteCleanAccuracy, scoreStages } from '../scores/scores.ts';
import { continueDependants, transferAttacksOf, updateTransferAttacks } from './dependants.ts';
import { pausePropagations } from './failing-batches.ts';
import { type Changes, propagate } from './propagate.ts';
import {
  isDue,
  type Propagation,
  propagateLater,
  putBack,
  type Taken,
  type Target,
  takePropagations,
} from './propagations.ts';
import { reopenSkipped } from './reopen.ts';
import { type Rounds, startRounds } from './rounds.ts';
import { deriveLater } from './trials.ts';

/** Stages or trials of one batch. Attempts of these trials wait for it. */
const batchSize = 1000;

/** Rows of one batch, for each target. First come the targets that make stages ready. */
const maxRows = new Map<Target, number>([
  ['dependants', batchSize],
  ['skipped', batchSize],
  ['transfer-attacks', 200],
  ['trials', 200],
]);

/** A stage or trial that a row has to change. */
type Next = { readonly stage_id: string; readonly id: string };

/**
 * The next `batchSize` ids that the rows have to change; the rest is left for later. SQL: `candidates` selects ids, as column `id`, for the
 * row `r`; `id > r.done_to` follows from the text.
 */
const nextIds = async (
  tx: Tx,
  target: Target,
  rows: readonly Propagation[],
  candidates: string,
): Promise<readonly Next[]> => {
  const found = await tx.query(
    { stage_id: text(), id: text() },
    `SELECT r.stage_id, next.id
     FROM (SELECT * FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS k (stage_id, done_to, place) ORDER BY place) AS r
     CROSS JOIN LATERAL (${candidates} ORDER BY id LIMIT $3) AS next
     ORDER BY r.place, next.id LIMIT $3`,
    [rows.map((row) => row.stageId), rows.map((row) => row.doneTo), batchSize],
  );
  const last = found.at(-1);
  if (!last || found.length < batchSize) return found;
  const place = rows.findIndex((row) => row.stageId === last.stage_id);
  await propagateLater(tx, target, [{ stageId: last.stage_id, doneTo: last.id }, ...rows.slice(place + 1)]);
  return found;
};

/** What to propagate, and the stages whose rows another transaction keeps this one from doing. */
type Batch = Changes & { readonly missing?: readonly string[] };

const continueTransferAttacks = async (tx: Tx, rows: readonly Propagation[]): Promise<Batch> => {
  const next = await nextIds(
    tx,
    'transfer-attacks',
    rows,
    `SELECT s.id FROM stages s WHERE ${transferAttacksOf('s', 'ARRAY[r.stage_id]')} AND s.id > r.done_to`,
  );
  return { changes: await updateTransferAttacks(tx, [...new Set(next.map(({ id }) => id))]) };
};

const continueTrials = async (tx: Tx, rows: readonly Propagation[]): Promise<Batch> => {
  const next = await nextIds(
    tx,
    'trials',
    rows,
    'SELECT ts.trial_id AS id FROM trial_stages ts WHERE ts.stage_id = r.stage_id AND ts.trial_id > r.done_to',
  );
  const stages = await tx.query(
    { id: text(), kind: text<StageKind>(), status: text<StageStatus>() },
    'SELECT id, kind, status FROM stages WHERE id = ANY($1)',
    [[...new Set(next.map((row) => row.stage_id))]],
  );
  const trials = [...new Set(next.map(({ id }) => id))];
  const completed = (kind: StageKind) =>
    stages.filter((stage) => stage.kind === kind && stage.status === 'completed').map(({ id }) => id);
  await scoreStages(tx, completed('attack'), trials);
  await noteCleanAccuracy(tx, completed('classify'), trials);
  const cancelled = new Set(stages.filter(({ status }) => status === 'cancelled').map(({ id }) => id));
  const trialsOf = (isCancelled: boolean) =>
    next.filter((row) => cancelled.has(row.stage_id) === isCancelled).map(({ id }) => id);
  return {
    changes: [],
    trials: [
      ...(await deriveLater(tx, trialsOf(false), false)),
      ...(await deriveLater(tx, trialsOf(true), true)),
    ],
  };
};

const batches: Readonly<Record<Target, (tx: Tx, rows: readonly Propagation[]) => Promise<Batch>>> = {
  dependants: (tx, rows) =>
    continueDependants(
      tx,
      rows.map((row) => row.stageId),
      batchSize,
    ),
  skipped: async (tx, rows) => ({
    changes: await reopenSkipped(
      tx,
      rows.map((row) => row.stageId),
      batchSize,
    ),
  }),
  'transfer-attacks': continueTransferAttacks,
  trials: continueTrials,
};

/** Takes rows, and calls `onTaken` with them before it does their batch. */
const continueOnce = async (tx: Tx, onTaken: (taken: Taken) => void): Promise<boolean> => {
  const [turn] = await tx.query(
    { applied: orNull(text()), free: bool() },
    `SELECT ${appliedMigration} AS applied, CASE WHEN EXISTS (SELECT FROM propagations p WHERE ${isDue('p')})
       THEN pg_try_advisory_xact_lock(hashtext('funnel propagate')) ELSE false END AS free`,
  );
  if (!turn!.free) return false;
  checkMigration(turn!.applied);
  const taken = await takePropagations(tx, maxRows);
  if (!taken) return false;
  onTaken(taken);
  const { missing = [], ...changes } = await batches[taken.target](tx, taken.rows);
  await putBack(tx, taken.target, missing);
  await propagate(tx, { ...changes, maxTrials: batchSize });
  return missing.length < taken.rows.length;
};

/**
 * Does one batch. Resolves to false if there is nothing to do, or nothing that can be done now. If the batch fails, its rows pause. Errors:
 * SCHEMA_MISMATCH, UNAVAILABLE, and those of the batch.
 */
export const continuePropagation = async (db: Db): Promise<boolean> => {
  let taken: Taken | undefined;
  try {
    return await transaction(db, (tx) =>
      continueOnce(tx, (rows) => {
        taken = rows;
      }),
    );
  } catch (error) {
    if (taken) await pausePropagations(db, taken, error);
    throw error;
  }
};

/** Continues propagations whenever a transaction of `db` has left some, and when the reconciler wakes it. */
export const startPropagation = (db: Db, onError: (error: unknown) => void): Rounds =>
  startRounds(db, { table: 'propagations', round: () => continuePropagation(db), onError });
