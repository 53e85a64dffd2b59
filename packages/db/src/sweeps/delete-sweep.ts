/** The deletion of a sweep that has ended, in batches, and of the stages and checkpoints that only this sweep needed. */
import { dropUnused } from '../checkpoints/checkpoints.ts';
import { countBytes } from '../checkpoints/stored-bytes.ts';
import { int4, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { lockUnfinished } from './lock-sweep.ts';

/** Deletes the given stages that no sweep needs, with attempts and evaluations; then chains without stages, with their checkpoints. */
const deleteOrphans = async (tx: Tx, stageIds: readonly string[]): Promise<void> => {
  const chains = await tx.query(
    { chain: text() },
    `DELETE FROM stages s WHERE s.id = ANY($1) AND NOT EXISTS (SELECT FROM sweep_stages l WHERE l.stage_id = s.id) RETURNING s.chain`,
    [stageIds],
  );
  const numbers = await tx.query(
    { id: int4() },
    `SELECT c.id FROM chains c WHERE c.hash = ANY($1) AND NOT EXISTS (SELECT FROM stages s WHERE s.kind <> 'attack' AND s.chain = c.hash)`,
    [chains.map((row) => row.chain)],
  );
  const ids = numbers.map((row) => row.id);
  const blobs = await tx.query(
    { sha256: text() },
    'DELETE FROM checkpoint_blobs WHERE chain_id = ANY($1) RETURNING sha256',
    [ids],
  );
  await tx.run('DELETE FROM chains WHERE id = ANY($1)', [ids]);
  const hashes = blobs.map((row) => row.sha256);
  await countBytes(tx, await dropUnused(tx, hashes));
};

/** Deletes up to `limit` trials with their scores. Resolves to their number. */
const deleteTrials = async (tx: Tx, sweepId: string, limit: number): Promise<number> => {
  const rows = await tx.query(
    { id: text() },
    'SELECT id FROM trials WHERE sweep_id = $1 ORDER BY number LIMIT $2',
    [sweepId, limit],
  );
  const ids = rows.map((row) => row.id);
  const stages = await tx.query(
    { stage_id: text() },
    'SELECT DISTINCT stage_id FROM trial_stages WHERE trial_id = ANY($1)',
    [ids],
  );
  await lockUnfinished(
    tx,
    stages.map((row) => row.stage_id),
  );
  await tx.run('DELETE FROM trial_stages WHERE trial_id = ANY($1)', [ids]);
  await tx.run('DELETE FROM trials WHERE id = ANY($1)', [ids]); // cascades to scores
  return ids.length;
};

/** Deletes up to `limit` rows of this table that belong to the sweep. Resolves to their number. */
const deleteRows = async (
  tx: Tx,
  table: 'configuration_hyperparameters' | 'configuration_scores' | 'decisions',
  sweepId: string,
  limit: number,
): Promise<number> => {
  const rows = await tx.query(
    { one: int4() },
    `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM ${table} WHERE sweep_id = $1 LIMIT $2)) RETURNING 1 AS one`,
    [sweepId, limit],
  );
  return rows.length;
};

/** Deletes up to `limit` links to stages, and the stages that no other sweep needs. Resolves to the number of links. */
const deleteLinks = async (tx: Tx, sweepId: string, limit: number): Promise<number> => {
  const links = await tx.query(
    { stage_id: text() },
    'SELECT stage_id FROM sweep_stages WHERE sweep_id = $1 ORDER BY ordinal LIMIT $2',
    [sweepId, limit],
  );
  const ids = links.map((row) => row.stage_id);
  await lockUnfinished(tx, ids);
  await tx.run('DELETE FROM sweep_stages WHERE sweep_id = $1 AND stage_id = ANY($2)', [sweepId, ids]);
  await deleteOrphans(tx, ids);
  await tx.run(
    `UPDATE stages SET planned_by = nullif(planned_by, $1), sweep_id = nullif(sweep_id, $1)
     WHERE id = ANY($2) AND $1 IN (planned_by, sweep_id)`,
    [sweepId, ids],
  );
  return ids.length;
};

/**
 * Deletes at most `limit` rows of each table, and the sweep itself after the last of them. Resolves to the number of deleted links to
 * stages; null when the sweep is deleted.
 */
export const deleteBatch = async (tx: Tx, sweepId: string, limit: number): Promise<number | null> => {
  if ((await deleteTrials(tx, sweepId, limit)) === limit) return 0;
  if ((await deleteRows(tx, 'configuration_scores', sweepId, limit)) === limit) return 0;
  if ((await deleteRows(tx, 'configuration_hyperparameters', sweepId, limit)) === limit) return 0;
  if ((await deleteRows(tx, 'decisions', sweepId, limit)) === limit) return 0;
  const links = await deleteLinks(tx, sweepId, limit);
  if (links === limit) return links;
  await tx.run('DELETE FROM sweeps WHERE id = $1', [sweepId]); // cascades to counts, keys, actions and the search
  return null;
};
