import { type Run, threatModelOf, type WorstCase } from '@funnel/contracts';
import type { Tx } from '../connection/transaction.ts';

type Row = { readonly trial_id: string; readonly values: WorstCase['values'] };

/** By trial; there is none before all of its attacks are complete. `runsOf`: what a trial has met. */
export const worstCasesOf = async (
  tx: Tx,
  trialIds: readonly string[],
  runsOf: (trialId: string) => readonly Run[],
): Promise<ReadonlyMap<string, WorstCase>> => {
  const rows = await tx.query<Row>(
    `SELECT trial_id, jsonb_object_agg(metric, value) AS values FROM scores WHERE trial_id = ANY($1) AND ordinal = -1 GROUP BY 1`,
    [trialIds],
  );
  return new Map(
    rows.map(({ trial_id, values }) => [trial_id, { within: threatModelOf(runsOf(trial_id)), values }]),
  );
};
