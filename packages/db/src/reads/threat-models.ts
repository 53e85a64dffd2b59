import { type AttackRun, type ThreatModel, threatModelOf } from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';

type Row = { readonly trial_id: string; readonly sweep_id: string };

/** What the worst case of these trials counts, by sweep: all trials of a sweep meet the same attacks, so that one of each is looked at. */
export const threatModels = async (
  tx: Tx,
  rows: readonly Row[],
): Promise<ReadonlyMap<string, ThreatModel>> => {
  const sweepOf = new Map(
    [...new Map(rows.map((row) => [row.sweep_id, row.trial_id]))].map(([sweep, trial]) => [trial, sweep]),
  );
  if (sweepOf.size === 0) return new Map();
  const found = await tx.query<{ trial_id: string; runs: AttackRun[] }>(
    `SELECT ts.trial_id, jsonb_agg(s.attack) AS runs FROM trial_stages ts JOIN stages s ON s.id = ts.stage_id
     WHERE ts.trial_id = ANY($1) AND s.kind = 'attack' GROUP BY 1`,
    [[...sweepOf.keys()]],
  );
  return new Map(found.map(({ trial_id, runs }) => [sweepOf.get(trial_id)!, threatModelOf(runs)]));
};
