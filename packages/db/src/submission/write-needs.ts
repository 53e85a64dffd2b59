import type { StageNeed } from '@funnel/contracts';
import { int4 } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';

const columns = `need.kind, need.method, need."engineVersion", need.dataset, need.digest, need.images, need."memoryBytes"`;
const list = `jsonb_to_recordset($1::jsonb)
  AS need (kind text, method text, "engineVersion" text, dataset text, digest text, images int, "memoryBytes" int8, place int)`;

/** Writes needs that the database does not have yet. Resolves to the ids, in the order of `needs`. */
export const writeNeeds = async (tx: Tx, needs: readonly StageNeed[]): Promise<readonly number[]> => {
  const values = [JSON.stringify(needs.map((need, place) => ({ ...need, place })))];
  await tx.run(
    `INSERT INTO needs (kind, method, engine_version, dataset, digest, images, memory_bytes) SELECT DISTINCT ${columns} FROM ${list} ON CONFLICT DO NOTHING`,
    values,
  );
  const rows = await tx.query(
    { id: int4() },
    `SELECT n.id FROM ${list}
     JOIN needs n ON (n.kind, n.method, n.engine_version, n.digest, n.images, n.memory_bytes)
       = (need.kind, need.method, need."engineVersion", need.digest, need.images, need."memoryBytes")
     ORDER BY need.place`,
    values,
  );
  return rows.map((row) => row.id);
};
