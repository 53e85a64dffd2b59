/** The best configuration of each sweep so far, and the other facts that lists show of a sweep. */
import {
  budgetsOfChoice,
  expandAttacks,
  objectiveOfBest,
  type ResolvedObjective,
  type StoredDefinition,
  type SweepOverview,
  type TrialVerdict,
  threatModelOf,
  tokenOfClient,
  trialVerdicts,
  whyNoBest,
  worstTrialVerdict,
  writeExtended,
} from '@funnel/contracts';
import { float8, int2, int4, int8, orNull, text } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { countsOf, intervalsOf, readEvidence } from './evidence.ts';
import { feasibilityOf, feasibleColumns, isFeasible } from './feasible.ts';
import { rankedValue } from './ranking.ts';

export type Best = NonNullable<SweepOverview['best']>;

type SubmittedSweep = {
  readonly id: string;
  readonly definition: StoredDefinition;
  /** See `clientWithToken`. */
  readonly client: string | null;
};

/** A sweep, with the one objective that decides which of its configurations is the best. */
type Wanted = {
  readonly id: string;
  readonly objective: ResolvedObjective;
  readonly definition: StoredDefinition;
};

const runsOf = ({ attacks, dataset }: StoredDefinition) =>
  expandAttacks(attacks, { budgets: budgetsOfChoice(dataset) });

/** $1: the sweeps. `run`: only where a sweep has the attack twice, so that its settings decide, too. */
const asked = (wanted: readonly Wanted[]): string =>
  JSON.stringify(
    wanted.map(({ id, objective: { run, metric }, definition }) => {
      const isRepeated = runsOf(definition).filter(({ attack }) => attack === run?.attack).length > 1;
      return {
        ...{ id, metric, attack: run?.attack ?? '', run: run && isRepeated ? run : null },
        ...feasibilityOf(definition),
      };
    }),
  );

/** SQL: the sweeps of $1 as `k`, and the condition on the configurations `c` that rank in them. */
const sweeps = `jsonb_to_recordset($1::jsonb) AS k (id text, attack text, metric text, run jsonb, ${feasibleColumns})`;
const ranks = `c.sweep_id = k.id AND c.attack = k.attack AND c.metric = k.metric AND c.utility IS NOT NULL
  AND (k.run IS NULL OR EXISTS (
    SELECT FROM scores s JOIN stages a ON a.id = s.stage_id
    WHERE s.trial_id = c.trial_id AND s.ordinal = c.ordinal AND s.metric = c.metric AND k.run @> a.attack))
  AND ${isFeasible}`;

/** Only so many configurations of each sweep are counted, so that a list does not get slower with their number. */
const maxCounted = 100;

/** By sweep; a sweep in which no configuration ranks below has no entry. The index has the configurations that rank below at one end. */
const countBelow = async (
  tx: Tx,
  wanted: readonly Wanted[],
): Promise<ReadonlyMap<string, NonNullable<Best['below']>>> => {
  const rows = await tx.query(
    { id: text(), ranked: int8(), verdict: orNull(text<TrialVerdict>()), configurations: int8() },
    `SELECT k.id, max(n.number) AS ranked, v.verdict, count(v.verdict) AS configurations
     FROM ${sweeps} CROSS JOIN LATERAL (
       SELECT c.sweep_id, c.configuration_index, c.below, row_number() OVER (ORDER BY c.below DESC) AS number FROM (
         SELECT c.sweep_id, c.configuration_index, c.below FROM configuration_scores c WHERE ${ranks}
         ORDER BY c.below DESC, c.utility, c.trial_id DESC, c.ordinal DESC LIMIT ${maxCounted + 1}) AS c) AS n
     LEFT JOIN LATERAL (
       SELECT t.verdict FROM trials t WHERE n.below AND t.sweep_id = n.sweep_id AND t.configuration_index = n.configuration_index
       ORDER BY array_position($2::text[], t.verdict) DESC NULLS LAST LIMIT 1) AS v ON n.number <= ${maxCounted}
     GROUP BY k.id, v.verdict`,
    [asked(wanted), trialVerdicts],
  );
  const found = new Map<string, NonNullable<Best['below']>>();
  for (const id of new Set(rows.map((row) => row.id))) {
    const ofSweep = rows.filter((row) => row.id === id);
    const counts = ofSweep.flatMap(({ verdict, configurations }) =>
      verdict ? [[verdict, configurations] as const] : [],
    );
    const configurations = counts.reduce((sum, [, count]) => sum + count, 0);
    const ranked = Math.max(...ofSweep.map((row) => row.ranked));
    if (configurations > 0)
      found.set(id, {
        ...{ configurations, ranked: Math.min(ranked, maxCounted), verdicts: Object.fromEntries(counts) },
        ...(ranked > maxCounted && { hasMore: true }),
      });
  }
  return found;
};

/**
 * By sweep; a sweep without a value, or without one objective that decides, has no entry. The index of the ranking of configurations gives the
 * first row of each sweep.
 */
export const bestConfigurations = async (
  tx: Tx,
  submitted: readonly SubmittedSweep[],
): Promise<ReadonlyMap<string, Best>> => {
  const wanted = submitted.flatMap(({ id, definition }): Wanted[] => {
    const objective = objectiveOfBest(definition);
    return objective ? [{ id, objective, definition }] : [];
  });
  if (wanted.length === 0) return new Map();
  const rows = await tx.query(
    { id: text(), trial_id: text(), ordinal: int2(), number: int4(), utility: orNull(float8()) },
    `SELECT k.id, b.trial_id, b.ordinal, t.number, b.utility
     FROM ${sweeps}
     CROSS JOIN LATERAL (
       SELECT c.trial_id, c.ordinal, c.utility FROM configuration_scores c WHERE ${ranks}
       ORDER BY c.below, c.utility DESC NULLS LAST, c.trial_id, c.ordinal LIMIT 1) AS b
     JOIN trials t ON t.id = b.trial_id`,
    [asked(wanted)],
  );
  const below = await countBelow(tx, wanted);
  const sweepOf = new Map(wanted.map((sweep) => [sweep.id, sweep]));
  const metricOf = ({ id }: { readonly id: string }) => sweepOf.get(id)!.objective.metric;
  const bests = [...new Set(rows.map(metricOf))].map(async (metric) => {
    const ranked = rows.filter((row) => metricOf(row) === metric);
    const evidence = await readEvidence(tx, ranked, { metric, allSeeds: true });
    const values = ranked.map(({ utility }) => rankedValue(utility, metric)!); // the statement finds no null
    const measured = values.map((value, i) => ({ value, seeds: evidence[i]! }));
    const intervals = await intervalsOf(tx, measured, metric);
    return ranked.map(({ id, number }, i): [string, Best] => {
      const { objective, definition } = sweepOf.get(id)!;
      const { run } = objective;
      const [seeds, interval] = [evidence[i]!, intervals[i]];
      return [
        id,
        {
          ...{ trial: number, metric, attack: run?.attack ?? null },
          ...(run ? { settings: run.settings } : { within: threatModelOf(runsOf(definition)) }),
          value: writeExtended(values[i]!),
          ...{ seeds: seeds.length, images: countsOf(seeds).images },
          ...(interval && { interval: [writeExtended(interval[0]), writeExtended(interval[1])] }),
          verdict: worstTrialVerdict(seeds.flatMap(({ verdict }) => verdict ?? [])),
          ...(below.has(id) && { below: below.get(id)! }),
        },
      ];
    });
  });
  return new Map((await Promise.all(bests)).flat());
};

export const overviewOf = ({ definition, client }: SubmittedSweep, best: Best | null): SweepOverview => {
  const noBest = whyNoBest(definition);
  return {
    recipes: [...new Set(definition.recipes)],
    dataset: definition.dataset.name,
    submittedBy: tokenOfClient(client),
    best,
    ...(noBest && { noBest }),
  };
};
