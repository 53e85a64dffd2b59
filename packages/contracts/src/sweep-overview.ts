/** What lists show of a sweep beside its progress: its data, who submitted it, and its best value so far. */
import { z } from 'zod';
import { AttackName } from './attacks.ts';
import { DatasetSlug } from './dataset-spec.ts';
import { ExtendedNumber } from './json.ts';
import { EvaluationMetricName, evaluationMetrics } from './metrics.ts';
import { listObjectives } from './objectives.ts';
import { objectiveOf, type ResolvedObjective } from './ranking.ts';
import { RecipeName } from './recipes.ts';
import type { StoredDefinition } from './sweep.ts';
import { ThreatModel } from './threat-model.ts';
import { TrialVerdict } from './trial-verdict.ts';

export const BelowCounts = z
  .strictObject({
    configurations: z.int().min(1).meta({ description: 'Those that rank below because of a verdict.' }),
    ranked: z.int().min(1).meta({ description: 'All configurations with a value.' }),
    verdicts: z.partialRecord(TrialVerdict, z.int().min(1)).meta({
      description: 'How many of `configurations` have which verdict. Of several seeds, the worst one counts.',
    }),
    hasMore: z.literal(true).optional().meta({
      description: 'There are more than `ranked` configurations. Those that rank below are counted first.',
    }),
  })
  .meta({
    id: 'BelowCounts',
    description:
      'How many configurations rank below all others, whatever their value, because a seed of them is masked, untrained or has too few images. Absent if none does.',
  });
export type BelowCounts = z.infer<typeof BelowCounts>;

/** Why no configuration of a sweep is the best. */
export const NoBest = z.enum(['several-objectives', 'turned-objective']).meta({
  id: 'NoBest',
  description:
    'Why one value does not say which configuration is the best: the sweep has several objectives, or its objective goes against the usual direction of its metric. Absent if one value says it.',
});
export type NoBest = z.infer<typeof NoBest>;

export const SweepOverview = z
  .strictObject({
    recipes: z.array(RecipeName),
    dataset: DatasetSlug,
    submittedBy: z.string().nullable().meta({
      description: 'The name of the token that submitted the sweep; null for a submission without a token.',
    }),
    best: z
      .strictObject({
        trial: z.int().min(0).meta({
          description:
            'The number of the trial in the sweep; of a configuration with several seeds, the first.',
        }),
        metric: EvaluationMetricName,
        attack: AttackName.nullable().meta({ description: 'Null: the worst case over the attacks.' }),
        settings: z.record(z.string(), z.unknown()).optional().meta({
          description: 'The settings of the attack; absent for the worst case.',
        }),
        within: ThreatModel.optional().meta({
          description: 'For the worst case: the balls inside which an adversarial counts.',
        }),
        value: ExtendedNumber.meta({
          description: 'The mean over the seeds if all values are finite, otherwise the median.',
        }),
        seeds: z.int().min(1).optional().meta({ description: 'The number of seeds with a value.' }),
        images: z.int().min(0).optional().meta({ description: 'The images of the attack, over all seeds.' }),
        interval: z.tuple([ExtendedNumber, ExtendedNumber]).optional().meta({
          description: 'The 95 % interval of the value, as on the leaderboard; absent where that has none.',
        }),
        verdict: TrialVerdict.nullable(),
        below: BelowCounts.optional(),
      })
      .nullable()
      .meta({
        description:
          'The best configuration so far by the objective of the sweep, as on the leaderboard; those that are masked, untrained or have too few images come last. In a search, of the configurations at the highest rung that meet its constraints. Null before the first value, and where `noBest` says why.',
      }),
    noBest: NoBest.optional(),
  })
  .meta({ id: 'SweepOverview' });
export type SweepOverview = z.infer<typeof SweepOverview>;

type Ranked = Pick<StoredDefinition, 'attacks' | 'dataset' | 'objective'>;

/** Null if one value says which configuration is the best. */
export const whyNoBest = (definition: Ranked): NoBest | null => {
  if (listObjectives(definition.objective).length > 1) return 'several-objectives';
  const { metric, direction } = objectiveOf(definition);
  return direction === evaluationMetrics[metric].direction ? null : 'turned-objective';
};

/** The objective by which one configuration of the sweep is the best; null where `whyNoBest` says why. */
export const objectiveOfBest = (definition: Ranked): ResolvedObjective | null =>
  whyNoBest(definition) === null ? objectiveOf(definition) : null;
