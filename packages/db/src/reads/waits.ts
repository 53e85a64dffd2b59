/** Why ready stages wait although workers are online: no live worker can run them. */
import { formatBytes } from '@funnel/contracts';
import { hasData, hasEngine, isAble, lacksMemory, readyNeeds } from '../attempts/abilities.ts';
import { bool, int4, int8, orNull, type RowOf, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';

const columns = {
  id: int4(),
  dataset: text(),
  engine_version: text(),
  memory_bytes: int8(),
  /** A live worker exists; it has the data; the engine; the memory. */
  online: bool(),
  data: bool(),
  engine: bool(),
  memory: bool(),
  /** The largest memory of a trainer of a live worker. */
  largest: orNull(int8()),
  /** The latest reason for which a live worker handed back a stage with this need. */
  reason: orNull(text()),
};

/** SQL: a live worker meets the condition. */
const any = (condition: string): string =>
  `EXISTS (SELECT FROM workers w WHERE w.status = 'online' AND ${condition})`;

/** SQL: the needs that no live worker can satisfy. */
const unmet = `
  SELECT n.id, n.dataset, n.engine_version, n.memory_bytes, ${any('true')} AS online, ${any(hasData('w', 'n'))} AS data,
    ${any(hasEngine('w', 'n'))} AS engine, ${any(`NOT ${lacksMemory('w', 'n')}`)} AS memory,
    (SELECT max(w.trainer_bytes) FROM workers w WHERE w.status = 'online') AS largest,
    (SELECT r.reason FROM refusals r JOIN workers w ON w.id = r.worker_id WHERE r.need_id = n.id AND w.status = 'online' ORDER BY r.at DESC LIMIT 1) AS reason
  FROM needs n WHERE NOT ${any(isAble('w', 'n'))}`;

/** The wait in words, as the end of a sentence that begins with the stage. */
const describe = (row: RowOf<typeof columns>): string => {
  if (!row.online) return 'waits for a worker: none is online';
  if (!row.data) return `waits for a worker with ${row.dataset}`;
  if (!row.engine) return `waits for a worker with version ${row.engine_version} of the engine`;
  if (!row.memory && row.reason === null)
    return `waits for a worker with ${formatBytes(row.memory_bytes)} of memory for each trainer; the largest has ${formatBytes(row.largest ?? 0)}`;
  return `waits for another worker: ${row.reason ?? 'no live worker has all that it needs'}`;
};

/** For each of these needs that no live worker can satisfy, the wait in words. */
export const waitsOf = async (tx: Tx, needIds: readonly number[]): Promise<ReadonlyMap<number, string>> => {
  if (needIds.length === 0) return new Map();
  const rows = await tx.query(columns, `${unmet} AND n.id = ANY($1)`, [[...new Set(needIds)]]);
  return new Map(rows.map((row) => [row.id, describe(row)]));
};

/** The waits of the ready stages of a sweep, each once. */
export const waitsOfSweep = async (tx: Tx, sweepId: string): Promise<readonly string[]> => {
  const rows = await tx.query(
    columns,
    `${unmet} AND n.id IN (SELECT need_id FROM (${readyNeeds('$1')}) AS ready) ORDER BY n.id`,
    [sweepId],
  );
  return [...new Set(rows.map(describe))];
};
