/** The strongest attack of a row of the worst case, over all of its seeds, and the attacks that are as strong. */
import type { AttackName, EvaluationMetricName } from '@funnel/contracts';
import { float8, int4, orNull } from '../connection/columns.ts';
import type { Tx } from '../connection/transaction.ts';
import { reachesOf } from '../scores/worst-cases.ts';
import type { SeedEvidence } from './evidence.ts';
import type { RankedRow } from './ranking.ts';
import { type AttackStage, attackStages } from './stage-images.ts';

/** $1–$4: as in `compare-rows.ts`. How many images each attack fooled within the radii. */
const fooledOfStages = `
  SELECT (r.place - 1)::int AS place, (
    SELECT count(*) FROM unnest(e.success, e.l2, e.linf) AS x (success, l2, linf)
    WHERE x.success AND coalesce(r.counts_fully OR x.l2 <= r.l2 OR x.linf <= r.linf, false))::float8 AS strength
  FROM unnest($1::text[], $2::boolean[], $3::float8[], $4::float8[]) WITH ORDINALITY AS r (stage_id, counts_fully, l2, linf, place)
  JOIN evaluations e ON e.stage_id = r.stage_id ORDER BY r.place`;

/** $1, $2: trials and their attack stages; $3: the metric. */
const valuesOfStages = `
  SELECT (r.place - 1)::int AS place, -s.utility AS strength
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS r (trial_id, stage_id, place)
  JOIN scores s ON s.trial_id = r.trial_id AND s.stage_id = r.stage_id AND s.ordinal >= 0 AND s.metric = $3 ORDER BY r.place`;

const strengthColumns = { place: int4(), strength: orNull(float8()) };

type Row = {
  readonly row: Pick<RankedRow, 'ordinal' | 'attack' | 'settings'>;
  readonly seeds: readonly Pick<SeedEvidence, 'trial_id'>[];
  /** Null: the row has no value, so no attack is the strongest. */
  readonly value: number | null;
};

type Run = Pick<RankedRow, 'attack' | 'settings'>;

/** `tied`: the other attacks that are as strong, in the order of the trial's attacks. */
export type StrongestAttack = Run & { readonly tied: readonly AttackName[] };

const runKey = ({ attack, settings }: Run): string => `${attack} ${JSON.stringify(settings)}`;

type StrengthOf = (trialId: string, stageId: string) => number | null;

/** How strong each attack of each trial is; null without a value. */
const readStrengths = async (
  tx: Tx,
  stages: ReadonlyMap<string, readonly AttackStage[]>,
  metric: EvaluationMetricName,
): Promise<StrengthOf> => {
  const all = [...stages].flatMap(([trial, own]) => {
    const reaches = reachesOf(own);
    return own.map((stage, i) => ({ trial, ...stage, ...reaches[i]! }));
  });
  if (all.length === 0) return () => null;
  const ids = all.map(({ stage_id }) => stage_id);
  const found =
    metric === 'robustAccuracy' || metric === 'successRate'
      ? await tx.query(strengthColumns, fooledOfStages, [
          ids,
          all.map(({ countsFully }) => countsFully),
          all.map(({ l2 }) => l2),
          all.map(({ linf }) => linf),
        ])
      : await tx.query(strengthColumns, valuesOfStages, [all.map(({ trial }) => trial), ids, metric]);
  const strengths = new Map(
    found.map(({ place, strength }) => [`${all[place]!.trial} ${ids[place]}`, strength]),
  );
  return (trialId, stageId) => strengths.get(`${trialId} ${stageId}`) ?? null;
};

/** Each attack of the trials with the sum of its strengths. An attack that lacks a value in one of them is left out. */
const sumsOf = (
  seeds: Row['seeds'],
  stages: ReadonlyMap<string, readonly AttackStage[]>,
  strengthOf: StrengthOf,
): readonly { readonly run: Run; readonly sum: number }[] => {
  const runs = new Map<string, { readonly run: Run; sum: number; seeds: number }>();
  for (const { trial_id } of seeds)
    for (const stage of stages.get(trial_id) ?? []) {
      const strength = strengthOf(trial_id, stage.stage_id);
      if (strength === null) continue;
      const key = runKey(stage);
      const known = runs.get(key) ?? { run: stage, sum: 0, seeds: 0 };
      runs.set(key, { ...known, sum: known.sum + strength, seeds: known.seeds + 1 });
    }
  return [...runs.values()].filter((run) => run.seeds === seeds.length);
};

/**
 * For each row of the worst case, the attack that fooled the most images within the balls over all seeds of the row, or that has the lowest values of a
 * metric that counts no images. Of several, the one that the row has already, else the first in the order of the attacks. Null for a row of one attack, and
 * for one without a value.
 */
export const strongestAttacks = async (
  tx: Tx,
  rows: readonly Row[],
  metric: EvaluationMetricName,
): Promise<readonly (StrongestAttack | null)[]> => {
  const hasStrongest = ({ row, value }: Row): boolean => row.ordinal === -1 && value !== null;
  const ofWorstCase = rows.filter(hasStrongest);
  const stages = await attackStages(
    tx,
    ofWorstCase.flatMap(({ seeds }) => seeds.map(({ trial_id }) => trial_id)),
  );
  const strengthOf = await readStrengths(tx, stages, metric);
  return rows.map((one) => {
    if (!hasStrongest(one)) return null;
    const { row, seeds } = one;
    const sums = sumsOf(seeds, stages, strengthOf);
    // The ranking has named the strongest attack of one seed already.
    const own = seeds.length === 1 ? sums.find(({ run }) => runKey(run) === runKey(row)) : undefined;
    const most = own?.sum ?? Math.max(...sums.map(({ sum }) => sum));
    const strongest = sums.filter(({ sum }) => sum === most).map(({ run }) => run);
    const chosen = strongest.find((run) => runKey(run) === runKey(row)) ?? strongest[0] ?? row;
    return {
      ...{ attack: chosen.attack, settings: chosen.settings },
      tied: strongest.filter((run) => run !== chosen).map(({ attack }) => attack),
    };
  });
};
