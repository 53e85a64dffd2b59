/** Data sets that somebody should put into the service, because a worker waits for them. */
import { hasData, isStored } from '../attempts/abilities.ts';
import { text } from '../connection/columns.ts';
import type { Db } from '../connection/db.ts';
import { reading } from '../connection/transaction.ts';

/** The data sets, by their digests in needs, that ready stages need, that the service does not have, and that a live worker lacks. */
export const wantedDatasets = async (db: Db, digests: readonly string[]): Promise<readonly string[]> => {
  const rows = await reading(db).query(
    { digest: text() },
    `SELECT DISTINCT n.digest FROM needs n
     WHERE n.digest = ANY($1) AND NOT ${isStored('n')}
       AND EXISTS (SELECT FROM workers w WHERE w.status = 'online' AND NOT ${hasData('w', 'n')})
       AND EXISTS (SELECT FROM sweeps r JOIN stages s ON s.sweep_id = r.id AND s.need_id = n.id AND s.status = 'ready' WHERE r.status = 'running')`,
    [digests],
  );
  return rows.map(({ digest }) => digest);
};
