/**
 * What the end of a stage means for the stages that depend on it.
 *
 * `depends_on` must have completed. Of the surrogates of a transfer attack (stages whose classifiers it makes its images on) each must have
 * ended in a result. A surrogate that diverged or collapsed would do so again: it is left out, and at least one must be usable. A
 * surrogate that failed or was cancelled has no result, like a `depends_on` that did.
 */
import type { StageKind, StageStatus } from '@funnel/contracts';
import { orNull, type RowOf, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { idsOf, lockOrder, move, type StageChange } from './transitions.ts';

/** An ended stage. `cause`: why it was skipped, or else its own end. */
export const endColumns = {
  id: text(),
  kind: text<StageKind>(),
  status: text<StageStatus>(),
  cause: text<StageStatus>(),
  code: orNull(text()),
  message: orNull(text()),
};
export type End = RowOf<typeof endColumns>;

/** SQL: the SELECT list of `endColumns`, for stage `s`. */
export const endList = (s: string) =>
  `${s}.id, ${s}.kind, ${s}.status, coalesce(${s}.skip_cause, ${s}.status) AS cause, ${s}.error_code AS code, ${s}.error_message AS message`;

/** SQL: stage `g` has ended in a result without networks, or depends on one that has. */
const isUnusable = (g: string) => `coalesce(${g}.skip_cause, ${g}.status) IN ('diverged', 'collapsed')`;

/** SQL: stage `s` waits for a surrogate among the ids `values`. Written so that it finds the partial index. */
const waitsForSurrogate = (s: string, values: string) =>
  `(${s}.status = 'waiting' AND ${s}.surrogates <> '{}' AND ${s}.surrogates && ${values}::text[])`;

/** SQL: everything that stage `s` depends on has ended with a result. */
export const isFree = (s: string) => `(
  (${s}.depends_on IS NULL OR EXISTS (SELECT FROM stages a WHERE a.id = ${s}.depends_on AND a.status = 'completed'))
  AND (${s}.surrogates = '{}' OR (
    SELECT bool_or(g.status = 'completed') AND bool_and(g.status = 'completed' OR ${isUnusable('g')})
    FROM stages g WHERE g.id = ANY(${s}.surrogates))))`;

/** SQL: all surrogates of stage `s` have ended, and none is usable. */
export const hasNoSurrogate = (s: string) => `(
  ${s}.surrogates <> '{}' AND (SELECT bool_and(${isUnusable('g')}) FROM stages g WHERE g.id = ANY(${s}.surrogates)))`;

/**
 * Several transactions may end the surrogates of one attack at once. Each locks the attack in one statement and looks at it in the next:
 * so the later transaction sees what the earlier one ended.
 */
const lockTransferAttacks = async (tx: Tx, ids: readonly string[]): Promise<readonly string[]> => {
  const rows = await tx.query(
    { id: text() },
    `SELECT s.id FROM stages s
     WHERE (s.status = 'waiting' AND s.surrogates <> '{}' AND s.depends_on = ANY($1)) OR ${waitsForSurrogate('s', '$1')}
     ORDER BY ${lockOrder('s')} FOR NO KEY UPDATE`,
    [ids],
  );
  return rows.map((row) => row.id);
};

/** Releases the transfer attacks for which `ids` were the last to end, and skips those that are left without a usable surrogate. */
const updateTransferAttacks = async (tx: Tx, ids: readonly string[]): Promise<readonly StageChange[]> => {
  const attacks = await lockTransferAttacks(tx, ids);
  if (attacks.length === 0) return [];
  const ready = await move(
    tx,
    'release',
    `SELECT s.id FROM stages s WHERE s.id = ANY($1) AND s.status = 'waiting' AND ${isFree('s')}`,
    [attacks],
  );
  const skipped = await move(
    tx,
    'skip',
    `SELECT s.id, coalesce(g.skip_cause, g.status) AS skip_cause, g.error_code,
       'None of the ' || cardinality(s.surrogates) || ' classifiers that it makes its images on has a usable result: ' || coalesce(g.error_message, g.status) AS error_message
     FROM stages s JOIN stages g ON g.id = s.surrogates[1]
     WHERE s.id = ANY($1) AND s.status = 'waiting' AND ${hasNoSurrogate('s')}`,
    [attacks],
  );
  return [...ready, ...skipped];
};

/** Releases the stages that waited for these and for nothing else. */
export const releaseDependants = async (tx: Tx, ids: readonly string[]): Promise<readonly StageChange[]> => [
  ...(await move(
    tx,
    'release',
    `SELECT id FROM stages WHERE depends_on = ANY($1) AND status = 'waiting' AND surrogates = '{}'`,
    [ids],
  )),
  ...(await updateTransferAttacks(tx, ids)),
];

/** SQL: the skip of each stage `id` that `from` selects, for the cause in `$2`–`$4`. */
const skipTarget = (from: string) =>
  `SELECT id, $2::text AS skip_cause, $3::text AS error_code, $4::text AS error_message FROM ${from}`;

/**
 * Skips the stages that depend on `end`, and those that depend on them. A transfer attack that has one of them as a surrogate goes on with
 * the others where the end is a result (diverged, collapsed), and is skipped where it is not.
 */
export const skipDependants = async (tx: Tx, end: End): Promise<readonly StageChange[]> => {
  const message = `The ${end.kind} stage ${end.id} that it needs ${end.status}: ${end.message ?? end.cause}`;
  const cause = [end.cause, end.code ?? end.cause.toUpperCase(), message];
  const skipped = await move(
    tx,
    'skip',
    skipTarget(`(
       WITH RECURSIVE below AS (
         SELECT id FROM stages WHERE depends_on = ANY($1) AND status = 'waiting'
         UNION
         SELECT s.id FROM stages s JOIN below ON s.depends_on = below.id WHERE s.status = 'waiting'
       ) SELECT id FROM below) AS below`),
    [[end.id], ...cause],
  );
  const without = [end.id, ...idsOf(skipped)];
  const isResult = end.cause === 'diverged' || end.cause === 'collapsed';
  const attacks = isResult
    ? await updateTransferAttacks(tx, without)
    : await move(tx, 'skip', skipTarget(`stages s WHERE ${waitsForSurrogate('s', '$1')}`), [
        without,
        ...cause,
      ]);
  return [...skipped, ...attacks];
};

/**
 * Completes the stages among `ids` whose last epoch a longer run of their chain has recorded: no attempt is needed. Resolves to the changes,
 * with those of their dependants.
 */
export const passRecorded = async (tx: Tx, ids: readonly string[]): Promise<readonly StageChange[]> => {
  if (ids.length === 0) return [];
  const passed = await move(
    tx,
    'pass',
    `SELECT s.id, p.hash AS checkpoint
     FROM stages s JOIN chains c ON c.hash = s.chain
     JOIN checkpoints p ON p.chain_id = c.id AND p.epoch = s.epochs AND p.step = 0
     WHERE s.id = ANY($1) AND s.status IN ('waiting', 'ready')`,
    [ids],
  );
  return passed.length === 0 ? [] : [...passed, ...(await releaseDependants(tx, idsOf(passed)))];
};
