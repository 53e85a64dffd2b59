/** The stages that get new attempts after a retry: failed stages, and stages that were skipped because of them. */
import { text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { isFree } from './dependants.ts';
import { propagateLater, propagateLaterIf } from './propagations.ts';
import { scheduleStages } from './scheduling.ts';
import { idsOf, lockOrder, move, type StageChange } from './transitions.ts';

/** SQL: stage `s` failed, or was skipped because another one had failed. */
const hasFailed = (s: string): string =>
  `(${s}.status = 'failed' OR (${s}.status = 'skipped' AND ${s}.skip_cause = 'failed'))`;

/** SQL: ids of the stages that those among `$1` depend on that meet `condition`. */
const inputsOf = (condition: string): string => `
  SELECT s.depends_on AS id FROM stages s WHERE s.id = ANY($1) AND ${condition}
  UNION SELECT unnest(s.surrogates) FROM stages s WHERE s.id = ANY($1) AND ${condition}`;

/**
 * Locks the unfinished stages that these depend on. An attempt that ends one of them then ends either before these are reopened, and their
 * new status says so, or afterwards, and finds them waiting.
 */
const lockInputs = (tx: Tx, ids: readonly string[]): Promise<void> =>
  tx.run(
    `SELECT FROM stages a WHERE a.status IN ('waiting', 'ready', 'running') AND a.id IN (${inputsOf(hasFailed('s'))})
     ORDER BY ${lockOrder('a')} FOR NO KEY UPDATE`,
    [ids],
  );

/** Has those skipped again that depend on a stage that failed again in the meantime. */
const skipAgain = async (tx: Tx, ids: readonly string[]): Promise<void> => {
  const inputs = await tx.query(
    { id: text() },
    `SELECT a.id FROM stages a WHERE a.status NOT IN ('waiting', 'ready', 'running', 'completed') AND a.id IN (${inputsOf(`s.status = 'waiting'`)})`,
    [ids],
  );
  await propagateLater(
    tx,
    'dependants',
    inputs.map(({ id }) => ({ stageId: id, doneTo: '' })),
  );
};

/** Reopens those of the stages that failed, or were skipped because another one had failed. */
export const reopenFailed = async (tx: Tx, ids: readonly string[]): Promise<readonly StageChange[]> => {
  if (ids.length === 0) return [];
  await lockInputs(tx, ids);
  const reopened = await move(
    tx,
    'reopen',
    `SELECT s.id, CASE WHEN ${isFree('s')} THEN 'ready' ELSE 'waiting' END AS status
     FROM stages s WHERE s.id = ANY($1) AND ${hasFailed('s')}`,
    [ids],
  );
  await skipAgain(tx, idsOf(reopened));
  return reopened;
};

/** SQL: ids of the stages that were skipped because stage `k` had failed, and that a live sweep needs. */
const skippedBelow = (k: string): string => `
  SELECT s.id FROM (
    SELECT id FROM stages WHERE depends_on = ${k}.id AND status = 'skipped' AND skip_cause = 'failed'
    UNION ALL
    SELECT id FROM stages WHERE status = 'skipped' AND skip_cause = 'failed' AND surrogates <> '{}' AND surrogates && ARRAY[${k}.id]
  ) AS s
  WHERE EXISTS (SELECT FROM sweep_stages l JOIN sweeps w ON w.id = l.sweep_id WHERE l.stage_id = s.id AND w.status IN ('running', 'paused'))`;

/**
 * Reopens the stages of any live sweep that were skipped because these had failed, directly or through other stages: `limit` of them now,
 * and the others later.
 */
export const reopenSkipped = async (
  tx: Tx,
  ids: readonly string[],
  limit: number,
): Promise<readonly StageChange[]> => {
  if (ids.length === 0) return [];
  const below = await tx.query(
    { id: text() },
    `WITH RECURSIVE below AS (
       SELECT k.id COLLATE "C" AS id, true AS given FROM unnest($1::text[]) AS k (id)
       UNION
       SELECT s.id, false FROM below CROSS JOIN LATERAL (${skippedBelow('below')}) AS s
     ) SELECT id FROM below WHERE NOT given LIMIT $2`,
    [ids, limit],
  );
  const reopened = await reopenFailed(tx, idsOf(below));
  await scheduleStages(tx, idsOf(reopened));
  await propagateLaterIf(tx, 'skipped', [...ids, ...idsOf(reopened)], `EXISTS (${skippedBelow('k')})`);
  return reopened;
};
