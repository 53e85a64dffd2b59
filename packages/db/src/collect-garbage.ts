/**
 * Frees the room of checkpoints that no kept trial needs. Results stay: metrics, evaluations, scores, statuses. A sweep that needs a
 * collected state again trains it again.
 */
import { dropUnused } from './blobs.ts';
import type { Db } from './db.ts';
import { lockStructure } from './schedule.ts';
import { reading, type Tx, transaction } from './transaction.ts';

export type RetentionPolicy = {
  /** Trials of sweeps that ended less than this many days ago are kept. */
  readonly keepDays: number;
  /** So many best trials of every sweep are kept, by robust accuracy in the worst case. */
  readonly keepBest: number;
  /** Only say what would go. */
  readonly dryRun: boolean;
};

export type Collected = {
  /** Trials whose states are no longer kept for their own sake. */
  readonly trials: number;
  readonly checkpoints: number;
  readonly blobs: number;
  readonly bytes: number;
};

/** $1: days, $2: best. A chain on which anything is unfinished is left alone. */
const superfluous = `
  WITH ended AS (
    SELECT t.id FROM trials t JOIN sweeps w ON w.id = t.sweep_id
    WHERE w.status IN ('completed', 'cancelled') AND w.finished_at <= now() - make_interval(secs => $1 * 86400)
  ), best AS (
    SELECT id FROM (
      SELECT t.id, row_number() OVER (PARTITION BY t.sweep_id ORDER BY s.masked, s.merit DESC NULLS LAST, t.id) AS place
      FROM scores s JOIN trials t ON t.id = s.trial_id WHERE s.attack = '' AND s.metric = 'robustAccuracy'
    ) AS ranked WHERE place <= $2
  ), given_up AS (
    SELECT id FROM ended EXCEPT SELECT id FROM best
  ), needed AS (
    SELECT ts.stage_id FROM trial_stages ts WHERE ts.trial_id NOT IN (SELECT id FROM given_up)
    UNION
    SELECT l.stage_id FROM sweep_stages l JOIN sweeps w ON w.id = l.sweep_id WHERE w.status IN ('running', 'paused')
  ), concerned AS (
    SELECT DISTINCT s.chain FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id
    WHERE ts.trial_id IN (SELECT id FROM given_up) AND s.kind <> 'attack' AND s.id NOT IN (SELECT stage_id FROM needed)
      AND NOT EXISTS (SELECT FROM stages o WHERE o.chain = s.chain AND o.status IN ('waiting', 'ready', 'running'))
  ), superfluous AS (
    SELECT p.chain_id, p.epoch, p.step, c.hash AS chain
    FROM concerned k JOIN chains c ON c.hash = k.chain JOIN checkpoints p ON p.chain_id = c.id
    WHERE p.step > 0 OR NOT EXISTS (
      SELECT FROM stages s JOIN needed n ON n.stage_id = s.id WHERE s.chain = k.chain AND s.epochs = p.epoch)
  )`;

const count = `${superfluous}, released AS (
    SELECT b.sha256, count(*) AS refs FROM superfluous p JOIN checkpoint_blobs b USING (chain_id, epoch, step) GROUP BY 1
  ), freed AS (
    SELECT b.sha256, octet_length(b.bytes) AS size FROM released r JOIN blobs b USING (sha256)
    WHERE r.refs = (SELECT count(*) FROM checkpoint_blobs a WHERE a.sha256 = r.sha256)
  )
  SELECT (SELECT count(*) FROM given_up) AS trials, (SELECT count(*) FROM superfluous) AS checkpoints,
    (SELECT count(*) FROM freed) AS blobs, (SELECT coalesce(sum(size), 0)::bigint FROM freed) AS bytes`;

/** A collected stage has no checkpoint: the next sweep that needs it finds it missing, and trains it. */
const remove = `${superfluous}, part AS (
    SELECT * FROM superfluous ORDER BY chain_id, epoch, step LIMIT $3
  ), emptied AS (
    UPDATE stages s SET checkpoint = NULL FROM part p WHERE s.chain = p.chain AND s.epochs = p.epoch AND p.step = 0
  ), released AS (
    DELETE FROM checkpoint_blobs b USING part p WHERE b.chain_id = p.chain_id AND b.epoch = p.epoch AND b.step = p.step RETURNING b.sha256
  ), removed AS (
    DELETE FROM checkpoints c USING part p WHERE c.chain_id = p.chain_id AND c.epoch = p.epoch AND c.step = p.step RETURNING 1
  )
  SELECT (SELECT count(*) FROM removed) AS removed, (SELECT array_agg(DISTINCT sha256) FROM released) AS blobs`;

/** Checkpoints per transaction: short enough that nobody waits long for the lock. */
const batch = 500;

const removeBatch = async (tx: Tx, keepDays: number, keepBest: number): Promise<number> => {
  await lockStructure(tx);
  const [row] = await tx.query<{ removed: number; blobs: string[] | null }>(remove, [
    keepDays,
    keepBest,
    batch,
  ]);
  await dropUnused(tx, row!.blobs ?? []);
  return row!.removed;
};

/** What went, or with `dryRun` would go. */
export const collectGarbage = async (
  db: Db,
  { keepDays, keepBest, dryRun }: RetentionPolicy,
): Promise<Collected> => {
  const [found] = await reading(db).query<Collected>(count, [keepDays, keepBest]);
  if (dryRun || found!.checkpoints === 0) return found!;
  while ((await transaction(db, (tx) => removeBatch(tx, keepDays, keepBest))) === batch);
  return found!;
};
