import type { Client } from '@funnel/client';
import type { SweepDetail } from '@funnel/contracts';
import { allPages } from '../all-pages.ts';
import type { TrialResult } from './configurations.ts';

export type Table2 = { readonly sweep: SweepDetail; readonly results: readonly TrialResult[] };

/** A sweep with every trial's evaluations, checks and training curves. */
export const readTable2 = async (client: Client, id: string): Promise<Table2> => {
  const sweep = await client.getSweep({ params: { id } });
  const trials = await allPages((query) => client.listTrials({ params: { id }, query }));
  const results: TrialResult[] = [];
  for (const { id: trial } of trials) {
    const params = { id: trial };
    const [detail, { series }] = await Promise.all([
      client.getTrial({ params }),
      client.getMetrics({ params }),
    ]);
    results.push({ trial: detail, series });
  }
  return { sweep, results };
};
