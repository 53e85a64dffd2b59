/** Changes of a stage's status: each conditional on the statuses that the contracts' table allows it to come from. */
import { type StageKind, type StageStatus, stagesBefore } from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';
import type { Cause } from './cause.ts';
import { hasNoSurrogate, isFree, waitsForSurrogate } from './readiness.ts';
import type { StageChange } from './stage-change.ts';

type Row = { id: string; kind: StageKind; was: StageStatus };

export const changesTo = (to: StageStatus, rows: readonly Row[]): StageChange[] =>
  rows.map(({ id, kind, was }) => ({ id, kind, from: was, to }));

/**
 * Ends stages. Their lease, if any, is over; the number of the lease stays, so that a late writer can be told from the next.
 * `checkpoint`: hash of the final state.
 */
export const endStages = async (
  tx: Tx,
  ids: readonly string[],
  to: StageStatus,
  {
    checkpoint = null,
    error = null,
  }: { checkpoint?: string | null; error?: { code: string; message: string } | null } = {},
): Promise<readonly StageChange[]> => {
  const rows = await tx.query<Row>(
    `WITH old AS (
       SELECT id, status FROM stages WHERE id = ANY($1) AND status = ANY($2) ORDER BY id FOR NO KEY UPDATE
     )
     UPDATE stages s SET status = $3, lease_until = NULL, finished_at = now(), step = CASE WHEN $3 = 'completed' THEN 0 ELSE s.step END,
       epoch = CASE WHEN $3 = 'completed' THEN s.epochs ELSE s.epoch END,
       checkpoint = coalesce($4, s.checkpoint), error_code = $5, error_message = $6
     FROM old WHERE s.id = old.id
     RETURNING s.id, s.kind, old.status AS was`,
    [ids, stagesBefore(to), to, checkpoint, error?.code ?? null, error?.message ?? null],
  );
  return changesTo(to, rows);
};

/**
 * Attacks on other classifiers may need several stages, which several transactions may end at once. They are locked first and looked at
 * afterwards, in two statements: the later transaction then sees what the earlier one ended.
 */
const lockTransfers = async (tx: Tx, ids: readonly string[]): Promise<readonly string[]> => {
  const rows = await tx.query<{ id: string }>(
    `SELECT s.id FROM stages s
     WHERE (s.status = 'waiting' AND s.surrogates <> '{}' AND s.depends_on = ANY($1)) OR ${waitsForSurrogate('s', '$1')}
     ORDER BY s.id FOR NO KEY UPDATE`,
    [ids],
  );
  return rows.map((row) => row.id);
};

/** Attacks on other classifiers that these were the last to keep waiting; those that are left without any surrogate are skipped. */
const settleTransfers = async (tx: Tx, ids: readonly string[]): Promise<readonly StageChange[]> => {
  const transfers = await lockTransfers(tx, ids);
  if (transfers.length === 0) return [];
  const ready = await tx.query<Row>(
    `UPDATE stages s SET status = 'ready', ready_at = now() WHERE s.id = ANY($1) AND s.status = 'waiting' AND ${isFree('s')}
     RETURNING s.id, s.kind, 'waiting' AS was`,
    [transfers],
  );
  const skipped = await tx.query<Row>(
    `UPDATE stages s SET status = 'skipped', skip_cause = coalesce(g.skip_cause, g.status), error_code = g.error_code, finished_at = now(),
       error_message = 'None of the ' || cardinality(s.surrogates) || ' classifiers that it makes its images on has a usable result: ' || coalesce(g.error_message, g.status)
     FROM stages g WHERE s.id = ANY($1) AND s.status = 'waiting' AND ${hasNoSurrogate('s')} AND g.id = s.surrogates[1]
     RETURNING s.id, s.kind, 'waiting' AS was`,
    [transfers],
  );
  return [...changesTo('ready', ready), ...changesTo('skipped', skipped)];
};

/** What waited for these, and for nothing else, may start now. */
export const releaseDependants = async (tx: Tx, ids: readonly string[]): Promise<readonly StageChange[]> => {
  const rows = await tx.query<Row>(
    `UPDATE stages SET status = 'ready', ready_at = now() WHERE depends_on = ANY($1) AND status = 'waiting' AND surrogates = '{}'
     RETURNING id, kind, 'waiting' AS was`,
    [ids],
  );
  return [...changesTo('ready', rows), ...(await settleTransfers(tx, ids))];
};

/** Attacks that these were to be surrogates of. */
const skipTransfers = async (
  tx: Tx,
  ids: readonly string[],
  cause: Cause,
): Promise<readonly StageChange[]> => {
  const rows = await tx.query<Row>(
    `WITH old AS (SELECT s.id FROM stages s WHERE ${waitsForSurrogate('s', '$1')} ORDER BY s.id FOR NO KEY UPDATE)
     UPDATE stages s SET status = 'skipped', skip_cause = $2, error_code = $3, error_message = $4, finished_at = now()
     FROM old WHERE s.id = old.id RETURNING s.id, s.kind, 'waiting' AS was`,
    [ids, cause.status, cause.code, cause.message],
  );
  return changesTo('skipped', rows);
};

/**
 * What waited for these, and what waited for that, will never have what it needs. Attacks that these were to be surrogates of go on with
 * the others, where this end is a result; where it is not, they will not have what they need either.
 */
export const skipDependants = async (
  tx: Tx,
  ids: readonly string[],
  cause: Cause,
): Promise<readonly StageChange[]> => {
  const rows = await tx.query<Row>(
    `WITH RECURSIVE below AS (
       SELECT id FROM stages WHERE depends_on = ANY($1) AND status = 'waiting'
       UNION
       SELECT s.id FROM stages s JOIN below ON s.depends_on = below.id WHERE s.status = 'waiting'
     )
     UPDATE stages s SET status = 'skipped', skip_cause = $2, error_code = $3, error_message = $4, finished_at = now()
     FROM below WHERE s.id = below.id AND s.status = 'waiting'
     RETURNING s.id, s.kind, 'waiting' AS was`,
    [ids, cause.status, cause.code, cause.message],
  );
  const ended = [...ids, ...rows.map((row) => row.id)];
  const isResult = cause.status === 'diverged' || cause.status === 'collapsed';
  const transfers = isResult ? await settleTransfers(tx, ended) : await skipTransfers(tx, ended, cause);
  return [...changesTo('skipped', rows), ...transfers];
};

/**
 * Stages among `ids` whose state is recorded (a longer run went through it) are complete without an attempt. Resolves to the changes, with
 * those of their dependants.
 */
export const passRecorded = async (tx: Tx, ids: readonly string[]): Promise<readonly StageChange[]> => {
  if (ids.length === 0) return [];
  const rows = await tx.query<Row>(
    `WITH recorded AS (
       SELECT s.id, s.status, p.hash
       FROM stages s JOIN chains c ON c.hash = s.chain
       JOIN checkpoints p ON p.chain_id = c.id AND p.epoch = s.epochs AND p.step = 0
       WHERE s.id = ANY($1) AND s.status IN ('waiting', 'ready')
     )
     UPDATE stages s SET status = 'completed', checkpoint = r.hash, epoch = s.epochs, step = 0, finished_at = now()
     FROM recorded r WHERE s.id = r.id AND s.status IN ('waiting', 'ready')
     RETURNING s.id, s.kind, r.status AS was`,
    [ids],
  );
  const passed = changesTo('completed', rows);
  if (passed.length === 0) return [];
  return [
    ...passed,
    ...(await releaseDependants(
      tx,
      passed.map((change) => change.id),
    )),
  ];
};

export const idsOf = (changes: readonly StageChange[], to: StageStatus): string[] =>
  changes.filter((change) => change.to === to).map((change) => change.id);
