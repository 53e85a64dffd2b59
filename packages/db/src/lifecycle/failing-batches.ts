/**
 * Batches that fail: the rows of `propagations` and `sweep_actions` whose last batch threw an error, because of a bug or a trigger. Such a
 * batch has changed nothing. It is tried again after 2, 4, 8, … s, and at last once an hour, so other rows have their turn, and the service
 * goes on by itself when the cause is mended. Log, `/metrics` and `funnel doctor` say that it fails.
 */
import { AppError } from '@funnel/contracts';
import { int4, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';

/** The longest pause between two tries, in seconds. */
const maxPauseSeconds = 3600;

/** SQL: the columns of a row after another failure. `error`: a parameter. */
const afterFailure = (error: string): string => `failures = failures + 1, error = ${error},
  due_at = clock_timestamp() + make_interval(secs => least(${maxPauseSeconds}, 2 ^ least(failures + 1, 30)))`;

/** The row says what failed, but not with a message of a megabyte. */
const maxError = 500;

/** Failures after which a deletion no longer waits for an action: the third try comes 6 s after the first one. */
const maxAwaitedFailures = 3;

/**
 * SQL: a deletion of the sweep waits for action `a`. It would wait for ever for one whose batches always fail. It deletes what such an action
 * would have changed, and repairs schedule the stages that other sweeps need.
 */
export const isAwaited = (a: string): string =>
  `(${a}.action <> 'delete' AND ${a}.failures < ${maxAwaitedFailures})`;

/** Whether a batch failed by itself. Otherwise it will work when another version or another operation has ended. */
const isOwn = (error: unknown): boolean =>
  !(error instanceof AppError) || (error.code !== 'SCHEMA_MISMATCH' && error.details.isBusy !== true);

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, maxError);

/** Lets the rows of a failed batch of `propagations` pause. */
export const pausePropagations = async (
  db: Db,
  { target, ids }: { readonly target: string; readonly ids: readonly number[] },
  error: unknown,
): Promise<void> => {
  if (!isOwn(error)) return;
  await reading(db).run(
    `UPDATE propagations SET ${afterFailure('$3')} WHERE target = $1 AND id = ANY($2::bigint[])`,
    [target, ids, messageOf(error)],
  );
};

/** Lets an action on a sweep pause after a failed batch. */
export const pauseAction = async (
  db: Db,
  { sweepId, action }: { readonly sweepId: string; readonly action: string },
  error: unknown,
): Promise<void> => {
  if (!isOwn(error)) return;
  await reading(db).run(
    `UPDATE sweep_actions SET ${afterFailure('$3')} WHERE sweep_id = $1 AND action = $2`,
    [sweepId, action, messageOf(error)],
  );
};

/**
 * SQL: the sweeps for which batches are left. Until these are done, a stage of such a sweep may wait for one that has ended, or be scheduled
 * for a sweep that has ended.
 */
export const unfinishedSweeps = `
  SELECT sweep_id FROM sweep_actions
  UNION SELECT l.sweep_id FROM propagations p JOIN sweep_stages l ON l.stage_id = p.stage_id`;

const columns = { what: text(), subject: text(), failures: int4(), error: text() };

/** `what`: the action or the target. `subject`: the id of the sweep or of the stage. */
export type FailingBatch = {
  readonly what: string;
  readonly subject: string;
  readonly failures: number;
  readonly error: string;
};

/** The first hundred batches that fail, those with the most failures first. */
export const listFailingBatches = (db: Db): Promise<readonly FailingBatch[]> =>
  reading(db).query(
    columns,
    `SELECT action AS what, sweep_id AS subject, failures, coalesce(error, '') AS error FROM sweep_actions WHERE failures > 0
     UNION ALL SELECT target, stage_id, failures, coalesce(error, '') FROM propagations WHERE failures > 0
     ORDER BY failures DESC, 1, 2 LIMIT 100`,
  );
