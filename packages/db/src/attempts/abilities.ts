/**
 * What workers have, compared with what stages need: SQL for the claim and for the pages. A worker that has said nothing about itself takes
 * every stage. In all of these, `w` is the alias of a worker, and `n` the alias of a row with the columns of `needs`.
 */
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';
import type { Abilities } from '../types.ts';

/** SQL: the service has the whole data set, so every worker can fetch it. */
export const isStored = (n: string): string =>
  `EXISTS (SELECT FROM datasets k WHERE k.identity = ${n}.digest AND k.completed_at IS NOT NULL)`;

/** SQL: the worker has the data set, with enough images, or can fetch it. Row 0 of `needs` has no digest. */
export const hasData = (w: string, n: string): string => `(
  ${w}.datasets IS NULL OR ${n}.digest = '' OR ${isStored(n)} OR EXISTS (
    SELECT FROM jsonb_to_recordset(${w}.datasets) AS d (digest text, images int) WHERE d.digest = ${n}.digest AND d.images >= ${n}.images))`;

/** SQL: the worker computes with the version of the engine for which the stage was planned. */
export const hasEngine = (w: string, n: string): string =>
  `(${w}.engine_version IS NULL OR ${n}.engine_version IN ('', ${w}.engine_version))`;

/**
 * SQL: the trainers of the worker have too little memory. Either they have less than the stage needs at least, or the stage ran out of memory
 * on this worker, or on one with the same backend and at least as much memory.
 */
export const lacksMemory = (w: string, n: string): string => `(
  coalesce(${w}.trainer_bytes < ${n}.memory_bytes, false) OR EXISTS (
    SELECT FROM refusals r WHERE r.need_id = ${n}.id AND r.lack = 'memory'
      AND (r.worker_id = ${w}.id OR (r.backend = ${w}.backend AND r.trainer_bytes >= ${w}.trainer_bytes))))`;

/** Minutes after which a worker that had no disk space tries again: it cannot say how much space a stage needs. */
const diskMinutes = 5;

/** SQL: the worker can run the stages with this need, as far as anybody knows. */
export const isAble = (w: string, n: string): string => `(
  ${hasEngine(w, n)} AND ${hasData(w, n)} AND NOT ${lacksMemory(w, n)} AND NOT EXISTS (
    SELECT FROM refusals r WHERE r.worker_id = ${w}.id AND r.need_id = ${n}.id
      AND (r.lack <> 'disk' OR r.at > now() - interval '${diskMinutes} minutes')))`;

/**
 * SQL: the needs of the ready stages of a sweep, each with the place of its first stage. Looks up the first stage of each need in the index
 * `stages_ready_idx`, so the cost grows with the number of different needs, not with the number of stages.
 */
export const readyNeeds = (sweep: string): string => {
  const selectFirst = (condition: string): string =>
    `SELECT s.need_id, s.ordinal FROM stages s WHERE s.sweep_id = ${sweep} AND s.status = 'ready' ${condition} ORDER BY s.need_id, s.ordinal LIMIT 1`;
  return `WITH RECURSIVE found AS (
      (${selectFirst('')})
      UNION ALL
      SELECT next.need_id, next.ordinal FROM found CROSS JOIN LATERAL (${selectFirst('AND s.need_id > found.need_id')}) AS next
    ) SELECT need_id, ordinal FROM found`;
};

/** The values of `Abilities` in the order of the columns `engine_version`, `trainer_bytes`, `datasets`. */
export const abilityValues = ({ engineVersion, trainerBytes, datasets }: Abilities): readonly unknown[] => [
  engineVersion,
  trainerBytes === null ? null : Math.floor(trainerBytes),
  datasets === null ? null : JSON.stringify(datasets),
];

/** Writes what a worker has, after it changed. The worker then tries again the stages that it handed back for their data. */
export const announceAbilities = async (db: Db, workerId: string, abilities: Abilities): Promise<void> => {
  await reading(db).run(
    `WITH changed AS (UPDATE workers SET engine_version = $2, trainer_bytes = $3, datasets = $4 WHERE id = $1 RETURNING id)
     DELETE FROM refusals WHERE worker_id IN (SELECT id FROM changed) AND lack = 'data'`,
    [workerId, ...abilityValues(abilities)],
  );
};
