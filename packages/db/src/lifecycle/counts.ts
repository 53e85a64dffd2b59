/** The counts that pages show of a sweep, kept in step with the rows by the transactions that change them. */
import type { Tx } from '../connection/transaction.ts';

export type CountChange = { readonly sweepId: string; readonly subject: string; readonly delta: number };

/** Counts that come to nothing are left out; the others are in key order, so that no two writers wait for each other in a circle. */
export const sumCounts = (changes: readonly CountChange[]): readonly CountChange[] => {
  const sums = new Map<string, CountChange>();
  for (const change of changes) {
    const key = `${change.sweepId} ${change.subject}`;
    sums.set(key, { ...change, delta: (sums.get(key)?.delta ?? 0) + change.delta });
  }
  const keys = [...sums.keys()].sort();
  return keys.map((key) => sums.get(key)!).filter((change) => change.delta !== 0);
};

export type SweepCounts = ReadonlyMap<string, number>;

/** Counts of each sweep by subject, in their order; what is 0 is absent. */
export const readCounts = async (
  tx: Tx,
  sweepIds: readonly string[],
): Promise<ReadonlyMap<string, SweepCounts>> => {
  const rows = await tx.query<{ sweep_id: string; subject: string; count: number }>(
    'SELECT sweep_id, subject, sum(count)::bigint AS count FROM sweep_counts WHERE sweep_id = ANY($1) GROUP BY sweep_id, subject HAVING sum(count) <> 0 ORDER BY 1, 2',
    [sweepIds],
  );
  const counts = new Map(sweepIds.map((id) => [id, new Map<string, number>()]));
  for (const { sweep_id, subject, count } of rows) counts.get(sweep_id)?.set(subject, count);
  return counts;
};
