import type { Db } from '../connection/db.ts';
import { newestMigration } from '../connection/schema-version.ts';
import { reading } from '../connection/transaction.ts';
import type { WorkerRegistration } from '../types.ts';

/** Its version is kept with its schema, as in semver: `0.1.0+0006_worst_case`. */
export const registerWorker = async (db: Db, worker: WorkerRegistration): Promise<void> => {
  const { id, host, pid, version, backend, device, slots } = worker;
  await reading(db).query(
    `INSERT INTO workers (id, host, pid, version, backend, device, slots) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (id) DO UPDATE SET host = $2, pid = $3, version = $4, backend = $5, device = $6, slots = $7,
       status = 'online', started_at = now(), heartbeat_at = now()`,
    [id, host, pid, `${version}+${newestMigration}`, backend, device, slots],
  );
};

/** `draining`: it takes nothing new. `gone`: it has ended. Its leases are none of this: hand them back first. */
export const retireWorker = async (
  db: Db,
  { workerId, status }: { workerId: string; status: 'draining' | 'gone' },
): Promise<void> => {
  await reading(db).query('UPDATE workers SET status = $2, heartbeat_at = now() WHERE id = $1', [
    workerId,
    status,
  ]);
};
