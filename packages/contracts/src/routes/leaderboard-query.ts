import { z } from 'zod';
import { AttackName } from '../attacks.ts';
import { DatasetName } from '../datasets.ts';
import { EvaluationMetricName } from '../metrics.ts';
import { usualMetricOf } from '../objective.ts';
import { RecipeName } from '../recipes.ts';
import { Id, many, page } from './parameters.ts';

/** `gamma:5`, `beta:0.01..0.1` (both ends included) or `gamma:5..Infinity`: a hyperparameter and the values to keep. */
export const HyperparameterFilter = z
  .string()
  .max(200)
  .regex(/^[a-zA-Z]+:[^:]+$/, 'Expected hyperparameter:value or hyperparameter:min..max, such as gamma:1..5');

export const LeaderboardQuery = z
  .strictObject({
    attack: AttackName.optional().meta({
      description:
        'Rank by this attack. When left out, by the worst case over all attacks of a trial: image by image, what any of them found inside the balls of those at a fixed ε.',
    }),
    metric: EvaluationMetricName.optional().meta({
      description:
        'Rank by this. Unless said: robust accuracy, or for an attack that looks for the smallest change the median distance that it needs.',
    }),
    recipe: many(RecipeName),
    dataset: DatasetName.optional(),
    sweep: Id.optional(),
    where: many(HyperparameterFilter),
    group: z.enum(['trial', 'configuration']).default('trial').meta({
      description:
        '`configuration`: mean over seeds with its interval, or the median where a seed is infinite.',
    }),
    masked: z
      .enum(['last', 'equal', 'hide'])
      .default('last')
      .meta({ description: 'Where runs with masked gradients rank.' }),
    ...page,
  })
  .transform((query) => ({ ...query, metric: query.metric ?? usualMetricOf(query.attack) }));
export type LeaderboardQuery = z.output<typeof LeaderboardQuery>;
