/** The best configuration of each sweep so far, and the other facts that lists show of a sweep. */
import {
  budgetsOfChoice,
  expandAttacks,
  objectiveOfBest,
  type StoredDefinition,
  type SweepOverview,
  threatModelOf,
  tokenOfClient,
  worstTrialVerdict,
  writeExtended,
} from '@funnel/contracts';
import { float8, int2, int4, orNull, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { countsOf, readEvidence, shareInterval } from './evidence.ts';
import { rankedValue } from './ranking.ts';

export type Best = NonNullable<SweepOverview['best']>;

type SubmittedSweep = {
  readonly id: string;
  readonly definition: StoredDefinition;
  /** See `clientWithToken`. */
  readonly client: string | null;
};

const withinOf = ({ attacks, dataset }: StoredDefinition) =>
  threatModelOf(expandAttacks(attacks, { budgets: budgetsOfChoice(dataset) }));

/**
 * By sweep; a sweep without a value, or without one objective that decides, has no entry. The index of the ranking of configurations gives the
 * first row of each sweep. A sweep may have an attack twice with different settings, so the settings decide, too.
 */
export const bestConfigurations = async (
  tx: Tx,
  sweeps: readonly SubmittedSweep[],
): Promise<ReadonlyMap<string, Best>> => {
  const wanted = sweeps.flatMap(({ id, definition }) => {
    const objective = objectiveOfBest(definition);
    return objective ? [{ id, objective, definition }] : [];
  });
  if (wanted.length === 0) return new Map();
  const rows = await tx.query(
    { id: text(), trial_id: text(), ordinal: int2(), number: int4(), utility: orNull(float8()) },
    `SELECT k.id, b.trial_id, b.ordinal, t.number, b.utility
     FROM jsonb_to_recordset($1::jsonb) AS k (id text, attack text, metric text, run jsonb)
     CROSS JOIN LATERAL (
       SELECT c.trial_id, c.ordinal, c.utility
       FROM configuration_scores c JOIN scores s USING (trial_id, ordinal, metric) LEFT JOIN stages a ON a.id = s.stage_id
       WHERE c.sweep_id = k.id AND c.attack = k.attack AND c.metric = k.metric AND c.utility IS NOT NULL
         AND (k.run IS NULL OR k.run @> a.attack)
       ORDER BY c.below, c.utility DESC NULLS LAST, c.trial_id, c.ordinal LIMIT 1) AS b
     JOIN trials t ON t.id = b.trial_id`,
    [
      JSON.stringify(
        wanted.map(({ id, objective: { run, metric } }) => ({
          ...{ id, metric, attack: run?.attack ?? '', run: run ?? null },
        })),
      ),
    ],
  );
  const sweepOf = new Map(wanted.map((sweep) => [sweep.id, sweep]));
  const metricOf = ({ id }: { readonly id: string }) => sweepOf.get(id)!.objective.metric;
  const bests = [...new Set(rows.map(metricOf))].map(async (metric) => {
    const ranked = rows.filter((row) => metricOf(row) === metric);
    const evidence = await readEvidence(tx, ranked, { metric, allSeeds: true });
    return ranked.map(({ id, number, utility }, i): [string, Best] => {
      const { objective, definition } = sweepOf.get(id)!;
      const { run } = objective;
      const seeds = evidence[i]!;
      const interval = shareInterval(metric, seeds);
      return [
        id,
        {
          ...{ trial: number, metric, attack: run?.attack ?? null },
          ...(run ? { settings: run.settings } : { within: withinOf(definition) }),
          value: writeExtended(rankedValue(utility, metric)!), // the statement finds no null
          ...{ seeds: seeds.length, images: countsOf(seeds).images },
          ...(interval && { interval: [...interval] as [number, number] }),
          verdict: worstTrialVerdict(seeds.flatMap(({ verdict }) => verdict ?? [])),
        },
      ];
    });
  });
  return new Map((await Promise.all(bests)).flat());
};

export const overviewOf = ({ definition, client }: SubmittedSweep, best: Best | null): SweepOverview => ({
  recipes: [...new Set(definition.recipes)],
  dataset: definition.dataset.name,
  submittedBy: tokenOfClient(client),
  best,
});
