/**
 * The effect of a stage's end on the stages that depend on it.
 *
 * The stage in `depends_on` must have completed. Every surrogate of a transfer attack (a stage whose classifier the attack uses) must have
 * ended with a result, and at least one must be usable. The attack leaves out surrogates that diverged or collapsed, because they would do
 * so again. A surrogate or a `depends_on` that failed or was cancelled has no result.
 */
import type { StageStatus } from '@funnel/contracts';
import { bool, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { maxAtOnce, propagateLater, propagateLaterIf } from './propagations.ts';
import { idsOf, lockOrder, move, type StageChange } from './transitions.ts';

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

/** SQL: the transfer attacks `s` that wait for one of the stages `ids`: for its classifier, or for it as a surrogate. */
export const transferAttacksOf = (s: string, ids: string) =>
  `((${s}.status = 'waiting' AND ${s}.surrogates <> '{}' AND ${s}.depends_on = ANY(${ids}::text[])) OR ${waitsForSurrogate(s, ids)})`;

/**
 * Several transactions may end the surrogates of one attack at once. Each locks the attack in one statement and reads its surrogates in the
 * next one. The later transaction thus sees the stages that the earlier one ended.
 */
const lockWaiting = async (tx: Tx, attacks: readonly string[]): Promise<readonly string[]> => {
  const rows = await tx.query(
    { id: text() },
    `SELECT s.id FROM stages s WHERE s.id = ANY($1) AND s.status = 'waiting' ORDER BY ${lockOrder('s')} FOR NO KEY UPDATE`,
    [attacks],
  );
  return idsOf(rows);
};

/** Releases those of the stages that wait for nothing any more. */
export const releaseFree = (tx: Tx, ids: readonly string[]): Promise<readonly StageChange[]> =>
  move(
    tx,
    'release',
    `SELECT s.id FROM stages s WHERE s.id = ANY($1) AND s.status = 'waiting' AND ${isFree('s')}`,
    [ids],
  );

/** Releases those of the transfer attacks that wait for nothing any more, and skips those that have no usable surrogate. */
export const updateTransferAttacks = async (
  tx: Tx,
  attacks: readonly string[],
): Promise<readonly StageChange[]> => {
  const waiting = await lockWaiting(tx, attacks);
  const ready = await releaseFree(tx, waiting);
  const skipped = await move(
    tx,
    'skip',
    `SELECT s.id, coalesce(g.skip_cause, g.status) AS skip_cause, g.error_code,
       'No surrogate has a usable result (0 of ' || cardinality(s.surrogates) || '): ' || coalesce(g.error_message, g.status) AS error_message
     FROM stages s JOIN stages g ON g.id = s.surrogates[1]
     WHERE s.id = ANY($1) AND s.status = 'waiting' AND ${hasNoSurrogate('s')}`,
    [waiting],
  );
  return [...ready, ...skipped];
};

/** Updates the transfer attacks that wait for these stages; all of them later, if they are more than `limit`. */
const updateTransferAttacksOf = async (
  tx: Tx,
  ids: readonly string[],
  limit: number,
): Promise<readonly StageChange[]> => {
  const attacks = await tx.query(
    { id: text() },
    `SELECT s.id FROM stages s WHERE ${transferAttacksOf('s', '$1')} LIMIT $2`,
    [ids, limit + 1],
  );
  if (attacks.length === 0) return [];
  if (attacks.length <= limit) return updateTransferAttacks(tx, idsOf(attacks));
  await propagateLater(
    tx,
    'transfer-attacks',
    ids.map((stageId) => ({ stageId, doneTo: '' })),
  );
  return [];
};

/** Releases up to `limit` stages that waited only for these; the others later. */
const releaseWaiting = async (
  tx: Tx,
  ids: readonly string[],
  limit: number,
): Promise<readonly StageChange[]> => {
  const waits = `s.status = 'waiting' AND s.surrogates = '{}'`;
  const released = await move(
    tx,
    'release',
    `SELECT s.id FROM stages s WHERE s.depends_on = ANY($1) AND ${waits} LIMIT $2`,
    [ids, limit],
  );
  await propagateLaterIf(
    tx,
    'dependants',
    ids,
    `EXISTS (SELECT FROM stages s WHERE s.depends_on = k.id AND ${waits})`,
  );
  return released;
};

/** Releases the stages that waited only for these: some now, and the others later if they are many. */
export const releaseDependants = async (tx: Tx, ids: readonly string[]): Promise<readonly StageChange[]> => [
  ...(await releaseWaiting(tx, ids, maxAtOnce)),
  ...(await updateTransferAttacksOf(tx, ids, maxAtOnce)),
];

/** SQL: the columns of a skip because of stage `a`. A stage that was skipped itself passes its own reason on. */
const reasonOf = (a: string): string => `coalesce(${a}.skip_cause, ${a}.status) AS skip_cause,
  coalesce(${a}.error_code, upper(coalesce(${a}.skip_cause, ${a}.status))) AS error_code,
  CASE WHEN ${a}.status = 'skipped' THEN ${a}.error_message
    ELSE format('The %s stage %s that it needs %s: %s', ${a}.kind, ${a}.id, ${a}.status, coalesce(${a}.error_message, ${a}.status)) END AS error_message`;

/** Skips up to `limit` stages that depend on these, directly or through other stages; the others later. */
const skipWaiting = async (
  tx: Tx,
  ids: readonly string[],
  limit: number,
): Promise<readonly StageChange[]> => {
  const skipped = await move(
    tx,
    'skip',
    `WITH RECURSIVE below AS (
       SELECT s.id, ${reasonOf('a')} FROM stages a JOIN stages s ON s.depends_on = a.id WHERE a.id = ANY($1) AND s.status = 'waiting'
       UNION ALL
       SELECT s.id, b.skip_cause, b.error_code, b.error_message FROM below b JOIN stages s ON s.depends_on = b.id WHERE s.status = 'waiting'
     ) SELECT * FROM below LIMIT $2`,
    [ids, limit],
  );
  await propagateLaterIf(
    tx,
    'dependants',
    [...ids, ...idsOf(skipped)],
    `EXISTS (SELECT FROM stages s WHERE s.depends_on = k.id AND s.status = 'waiting')`,
  );
  return skipped;
};

/** Skips up to `limit` transfer attacks that have one of these as a surrogate, which failed or was cancelled; the others later. */
const skipTransferAttacks = async (
  tx: Tx,
  ids: readonly string[],
  limit: number,
): Promise<readonly StageChange[]> => {
  const attacks = await move(
    tx,
    'skip',
    `SELECT s.id, ${reasonOf('a')}
     FROM (SELECT s.id, s.surrogates FROM stages s WHERE ${waitsForSurrogate('s', '$1')} LIMIT $2) AS s
     JOIN stages a ON a.id = (SELECT min(g) FROM unnest(s.surrogates) AS g WHERE g = ANY($1))`,
    [ids, limit],
  );
  await propagateLaterIf(
    tx,
    'dependants',
    ids,
    `EXISTS (SELECT FROM stages s WHERE ${waitsForSurrogate('s', 'ARRAY[k.id]')})`,
  );
  return attacks;
};

/**
 * Treats the transfer attacks that have one of these ended stages as a surrogate. If its end is a result (diverged, collapsed), the attack
 * goes on with its other surrogates; otherwise it is skipped.
 */
const endSurrogates = async (
  tx: Tx,
  ids: readonly string[],
  limit: number,
): Promise<readonly StageChange[]> => {
  const rows = await tx.query(
    { id: text(), unusable: bool() },
    `SELECT a.id, ${isUnusable('a')} AS unusable FROM stages a WHERE a.id = ANY($1)`,
    [ids],
  );
  const [results, others] = [rows.filter((row) => row.unusable), rows.filter((row) => !row.unusable)];
  return [
    ...(results.length === 0 ? [] : await updateTransferAttacksOf(tx, idsOf(results), limit)),
    ...(others.length === 0 ? [] : await skipTransferAttacks(tx, idsOf(others), limit)),
  ];
};

/**
 * Skips all stages that depend on these ended stages, directly or through other stages, and treats the transfer attacks for which one of
 * these was a surrogate: some now, and the others later if they are many.
 */
export const skipDependants = async (tx: Tx, ids: readonly string[]): Promise<readonly StageChange[]> => {
  const skipped = await skipWaiting(tx, ids, maxAtOnce);
  return [...skipped, ...(await endSurrogates(tx, [...ids, ...idsOf(skipped)], maxAtOnce))];
};

/**
 * The next `limit` dependants of ended stages. Locks the stages, so that none is reopened meanwhile. `missing`: stages that are deleted,
 * or that another transaction has locked.
 */
export const continueDependants = async (
  tx: Tx,
  ids: readonly string[],
  limit: number,
): Promise<{ readonly changes: readonly StageChange[]; readonly missing: readonly string[] }> => {
  const rows = await tx.query(
    { id: text(), status: text<StageStatus>(), unusable: bool() },
    `SELECT s.id, s.status, ${isUnusable('s')} AS unusable FROM stages s WHERE s.id = ANY($1) ORDER BY s.id FOR SHARE SKIP LOCKED`,
    [ids],
  );
  const found = new Set(idsOf(rows));
  const ended = rows.filter(({ status }) => !['waiting', 'ready', 'running'].includes(status));
  const completed = ended.filter(({ status }) => status === 'completed');
  const others = ended.filter(({ status }) => status !== 'completed');
  const failed = others.filter((row) => !row.unusable);
  const skipped = await skipWaiting(tx, idsOf(others), limit);
  const changes = [
    ...(await releaseWaiting(tx, idsOf(completed), limit)),
    ...skipped,
    ...(await skipTransferAttacks(tx, idsOf(failed), limit)),
    ...(await endSurrogates(tx, idsOf(skipped), limit)),
  ];
  return { changes, missing: ids.filter((id) => !found.has(id)) };
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
