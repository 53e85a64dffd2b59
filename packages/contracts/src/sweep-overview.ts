/** What lists show of a sweep beside its progress: its data, who submitted it, and its best value so far. */
import { z } from 'zod';
import { AttackName } from './attacks.ts';
import { DatasetSlug } from './dataset-spec.ts';
import { ExtendedNumber } from './json.ts';
import { EvaluationMetricName, evaluationMetrics } from './metrics.ts';
import { listObjectives } from './objectives.ts';
import { objectiveOf, type ResolvedObjective } from './ranking.ts';
import { RecipeName } from './recipes.ts';
import { isDecided, isPromoting } from './search.ts';
import type { StoredDefinition } from './sweep.ts';
import { TrialVerdict } from './trial-verdict.ts';

export const SweepOverview = z
  .strictObject({
    recipes: z.array(RecipeName),
    dataset: DatasetSlug,
    submittedBy: z.string().nullable().meta({
      description: 'The name of the token that submitted the sweep; null for a submission without a token.',
    }),
    best: z
      .strictObject({
        trial: z.int().min(0).meta({ description: 'The number of the trial in the sweep.' }),
        metric: EvaluationMetricName,
        attack: AttackName.nullable().meta({ description: 'Null: the worst case over the attacks.' }),
        value: ExtendedNumber,
        verdict: TrialVerdict.nullable(),
      })
      .nullable()
      .meta({
        description:
          'The best trial so far by the objective of the sweep; trials that are masked, untrained or have too few images come last. Null before the first value, and for a sweep with several objectives, rungs, constraints, or an objective against the usual direction of its metric.',
      }),
  })
  .meta({ id: 'SweepOverview' });
export type SweepOverview = z.infer<typeof SweepOverview>;

/** The objective by which one trial of the sweep is the best; null if one value is not enough to say which one is. */
export const objectiveOfBest = (
  definition: Pick<StoredDefinition, 'attacks' | 'dataset' | 'objective' | 'search'>,
): ResolvedObjective | null => {
  const { search, objective } = definition;
  if (isDecided(search) && (isPromoting(search) || search.constraints.length > 0)) return null;
  if (listObjectives(objective).length > 1) return null;
  const resolved = objectiveOf(definition);
  return resolved.direction === evaluationMetrics[resolved.metric].direction ? resolved : null;
};
