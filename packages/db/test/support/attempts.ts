/** Leases as a worker uses them: heartbeats, and leases that ran out. */
import { type ClaimedStage, type Db, heartbeat } from '../../src/index.ts';
import { query } from './tables.ts';

export const leaseOf = ({ stageId, fencingToken }: ClaimedStage) => ({ stageId, fencingToken });
export const stale = { code: 'STALE_LEASE' };
/** As if the lease had run out: the database's clock is not ours to turn. */
export const letExpire = (db: Db, stageId: string) =>
  query(db, `UPDATE stages SET lease_until = now() - interval '1 second' WHERE id = $1`, [stageId]);
export const options = { maxAttempts: 3, leaseSeconds: 15, everySeconds: 0 };
export const beat = (db: Db, claimed: ClaimedStage, more: object = {}) =>
  heartbeat(db, {
    workerId: claimed.workerId ?? 'worker',
    leases: [{ ...leaseOf(claimed), position: null, imagesPerSecond: null, ...more }],
    memoryBytes: 1,
    leaseSeconds: 60,
  });
export const stageRow = async (db: Db, id: string) =>
  (await query(db, 'SELECT * FROM stages WHERE id = $1', [id]))[0]!;
