/**
 * The effect of a stage's end on the stages that depend on it.
 *
 * The stage in `depends_on` must have completed. Every surrogate of a transfer attack (a stage whose classifier the attack uses) must have
 * ended with a result, and at least one must be usable. The attack leaves out surrogates that diverged or collapsed, because they would do
 * so again. A surrogate or a `depends_on` that failed or was cancelled has no result.
 */
import type { StageKind, StageStatus } from '@funnel/contracts';
import { orNull, type RowOf, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { idsOf, lockOrder, move, type StageChange } from './transitions.ts';

/** An ended stage. `cause`: the end for which it was skipped, or else its own end. */
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

/** SQL: stage `g` has ended with a result without networks, or depends on such a stage. */
const isUnusable = (g: string) => `coalesce(${g}.skip_cause, ${g}.status) IN ('diverged', 'collapsed')`;

/** SQL: stage `s` waits for a surrogate among the ids `values`. The form of the condition lets PostgreSQL use the partial index. */
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
 * Several transactions may end the surrogates of one attack at once. Each locks the attack in one statement and reads its surrogates in the
 * next one. The later transaction thus sees the stages that the earlier one ended.
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

/** Releases the transfer attacks that waited only for `ids`, and skips the attacks that have no usable surrogate. */
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
       'No surrogate has a usable result (0 of ' || cardinality(s.surrogates) || '): ' || coalesce(g.error_message, g.status) AS error_message
     FROM stages s JOIN stages g ON g.id = s.surrogates[1]
     WHERE s.id = ANY($1) AND s.status = 'waiting' AND ${hasNoSurrogate('s')}`,
    [attacks],
  );
  return [...ready, ...skipped];
};

/** Releases the stages that waited only for these. */
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
 * Skips all stages that depend on `end`, directly or through other stages. Then treats the transfer attacks that have one of these stages
 * as a surrogate: if the end is a result (diverged, collapsed), the attack goes on with its other surrogates; otherwise it is skipped too.
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
 * Completes the stages among `ids` whose last epoch a longer run of their chain has recorded. They need no attempt. Resolves to the changes
 * of these stages and of the stages that depend on them.
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
