/** Leases in tests: heartbeats of a worker, and leases that ran out. */
import { type ClaimedStage, type Db, heartbeat } from '../../src/index.ts';
import { query } from './tables.ts';

export const leaseOf = ({ stageId, fencingToken }: ClaimedStage) => ({ stageId, fencingToken });
export const stale = { code: 'STALE_LEASE' };
/** Moves the end of the lease into the past, because a test cannot set the clock of the database. */
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
