import { dropUnused } from '../checkpoints/checkpoints.ts';
import { int4, text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { type Tx, transaction } from '../connection/transaction.ts';
import { propagate } from '../lifecycle/propagate.ts';
import { endedStatuses, lockSweep, lockUnfinished } from './lock-sweep.ts';

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
  await dropUnused(
    tx,
    blobs.map((row) => row.sha256),
  );
};

/** Deletes a sweep that has ended, and the stages and checkpoints that only this sweep needed. Errors: NOT_FOUND, INVALID_TRANSITION. */
export const deleteSweep = (db: Db, id: string): Promise<void> =>
  transaction(db, async (tx) => {
    await lockSweep(tx, id, 'delete', [...endedStatuses, 'cancelled']);
    await tx.audit({ action: 'deleteSweep', subject: id });
    await lockUnfinished(tx, id);
    const stages = await tx.query(
      { stage_id: text() },
      'DELETE FROM sweep_stages WHERE sweep_id = $1 RETURNING stage_id',
      [id],
    );
    await tx.run(`DELETE FROM trial_stages ts USING trials t WHERE t.sweep_id = $1 AND ts.trial_id = t.id`, [
      id,
    ]);
    await tx.run('DELETE FROM configuration_hyperparameters WHERE sweep_id = $1', [id]);
    await tx.run('DELETE FROM sweeps WHERE id = $1', [id]); // cascades to trials, scores, counts and idempotency keys
    const ids = stages.map((row) => row.stage_id);
    await deleteOrphans(tx, ids);
    await tx.run(
      `UPDATE stages SET planned_by = nullif(planned_by, $1), sweep_id = nullif(sweep_id, $1)
       WHERE id = ANY($2) AND $1 IN (planned_by, sweep_id)`,
      [id, ids],
    );
    await propagate(tx, { changes: [], events: [{ type: 'sweep', sweepId: id, status: 'deleted' }] });
  });
