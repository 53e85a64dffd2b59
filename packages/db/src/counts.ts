/** The counts that pages show of a sweep, kept in step with the rows by the transactions that change them. */
import type { Tx } from './transaction.ts';

export type CountChange = { readonly sweepId: string; readonly subject: string; readonly delta: number };

/** Writers of one sweep wait for each other only when their connections share a slot. */
const slots = 16;

/** One statement, rows in key order: two transactions never wait for each other in a circle. */
export const addCounts = async (tx: Tx, changes: readonly CountChange[]): Promise<void> => {
  const sums = new Map<string, CountChange>();
  for (const change of changes) {
    const key = `${change.sweepId} ${change.subject}`;
    sums.set(key, { ...change, delta: (sums.get(key)?.delta ?? 0) + change.delta });
  }
  const rows = [...sums.values()].filter((change) => change.delta !== 0);
  if (rows.length === 0) return;
  await tx.query(
    `INSERT INTO sweep_counts AS c (sweep_id, slot, subject, count)
     SELECT sweep_id, pg_backend_pid() % ${slots}, subject, delta
     FROM unnest($1::text[], $2::text[], $3::bigint[]) AS d (sweep_id, subject, delta)
     ORDER BY 1, 3
     ON CONFLICT (sweep_id, slot, subject) DO UPDATE SET count = c.count + excluded.count`,
    [rows.map((row) => row.sweepId), rows.map((row) => row.subject), rows.map((row) => row.delta)],
  );
};

export type SweepCounts = ReadonlyMap<string, number>;

/** Counts of each sweep by subject; what is 0 is absent. */
export const readCounts = async (
  tx: Tx,
  sweepIds: readonly string[],
): Promise<ReadonlyMap<string, SweepCounts>> => {
  const rows = await tx.query<{ sweep_id: string; subject: string; count: number }>(
    'SELECT sweep_id, subject, sum(count)::bigint AS count FROM sweep_counts WHERE sweep_id = ANY($1) GROUP BY sweep_id, subject HAVING sum(count) <> 0',
    [sweepIds],
  );
  const counts = new Map(sweepIds.map((id) => [id, new Map<string, number>()]));
  for (const { sweep_id, subject, count } of rows) counts.get(sweep_id)?.set(subject, count);
  return counts;
};
