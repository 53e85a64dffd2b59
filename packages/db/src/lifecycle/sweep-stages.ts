/** Which sweeps share a stage. */
import type { Tx } from '../connection/transaction.ts';

export type SweepLink = { readonly sweepId: string; readonly direct: boolean };

export const stageSweeps = async (
  tx: Tx,
  stageIds: readonly string[],
): Promise<ReadonlyMap<string, readonly SweepLink[]>> => {
  const links = new Map<string, SweepLink[]>();
  if (stageIds.length === 0) return links;
  const rows = await tx.query<{ stage_id: string; sweep_id: string; direct: boolean }>(
    'SELECT stage_id, sweep_id, direct FROM sweep_stages WHERE stage_id = ANY($1) ORDER BY sweep_id',
    [stageIds],
  );
  for (const { stage_id, sweep_id, direct } of rows) {
    const link = { sweepId: sweep_id, direct };
    const found = links.get(stage_id);
    if (found) found.push(link);
    else links.set(stage_id, [link]);
  }
  return links;
};
