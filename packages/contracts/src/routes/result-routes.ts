import { z } from 'zod';
import { ClassCounts, EvaluationRecords } from '../attacks/evaluation.ts';
import { AttackName } from '../attacks.ts';
import { DatasetSlug } from '../dataset-spec.ts';
import { EvaluationMetricName } from '../metrics.ts';
import { usualMetricOf } from '../ranking.ts';
import { RecipeName } from '../recipes.ts';
import { LeaderboardRow } from '../resources/leaderboard-row.ts';
import { MetricSeries } from '../resources/stages.ts';
import { TrialDetail } from '../resources/trials.ts';
import { SweepStatus } from '../statuses.ts';
import { SweepTag } from '../sweep-annotations.ts';
import { ById, Id, many, page, pageOf, type Route } from './route.ts';

/**
 * `gamma:5`, `beta:0.01..0.1` (both ends included) or `gamma:5..Infinity`: a hyperparameter and the values that a trial may have for it.
 */
export const HyperparameterFilter = z
  .string()
  .max(200)
  .regex(/^[a-zA-Z]+:[^:]+$/, 'Expected hyperparameter:value or hyperparameter:min..max, such as gamma:1..5');

export const LeaderboardQuery = z
  .strictObject({
    attack: AttackName.optional().meta({
      description:
        'Rank by this attack. By default the leaderboard ranks by the worst case over all attacks of a trial: an image is fooled if any attack found an adversarial inside one of the balls of the attacks at a fixed ε.',
    }),
    metric: EvaluationMetricName.optional().meta({
      description:
        'Rank by this metric. Default: robust accuracy, or the median distance for an attack that searches for the smallest change.',
    }),
    recipe: many(RecipeName),
    dataset: DatasetSlug.optional(),
    sweep: Id.optional(),
    tag: many(SweepTag).meta({
      description: 'Only runs of sweeps with this tag. Repeated: with all of these tags.',
    }),
    where: many(HyperparameterFilter),
    group: z.enum(['trial', 'configuration']).default('trial').meta({
      description: '`configuration`: the mean over seeds, or the median if the value of a seed is infinite.',
    }),
    rungs: z.enum(['highest', 'all']).default('highest').meta({
      description:
        'For a sweep with promotion. `highest`: each configuration once, at its highest rung; ranks count within a rung. `all`: trials of all rungs in one ranking.',
    }),
    masked: z.enum(['last', 'equal', 'hide']).default('last').meta({
      description:
        'The place of trials whose values say nothing, because their gradients are masked, they are untrained, or they have too few images: after all others, among the others, or not shown.',
    }),
    ...page,
  })
  .transform((query) => ({ ...query, metric: query.metric ?? usualMetricOf(query.attack) }));
export type LeaderboardQuery = z.output<typeof LeaderboardQuery>;

/** The notes are on the first page only, and absent where there is nothing to say. */
export const LeaderboardPage = pageOf(LeaderboardRow).extend({
  notShown: z
    .strictObject({ trials: z.int().min(1), sweeps: z.int().min(1) })
    .optional()
    .meta({
      description:
        'The completed trials of the 1,000 newest sweeps in which nobody ran this attack. Absent with `sweep`, `tag`, `recipe` or `where`.',
    }),
  otherBest: z
    .array(z.strictObject({ attack: AttackName, metric: EvaluationMetricName, trialId: z.string() }))
    .optional()
    .meta({
      description:
        'The best runs by the other attacks of the sweep of the best row, where they are other runs of that sweep, better than the best row by more than chance (their letters tell the two apart), and not as good as it in this ranking.',
    }),
  tellsApart: z
    .strictObject({ attack: AttackName.optional(), metric: EvaluationMetricName })
    .optional()
    .meta({
      description:
        'Where all rows have the same value: an attack and a metric under which their values differ. Without `attack`: the worst case. Absent where there is none.',
    }),
  missing: z
    .strictObject({ status: SweepStatus, measured: z.int().min(0), trials: z.int().min(1) })
    .optional()
    .meta({
      description:
        'With `sweep`, where not all of its trials have completed: its status, the trials that have, and all trials, with those that a search will still decide.',
    }),
});
export type LeaderboardPage = z.infer<typeof LeaderboardPage>;

/** The smallest and the largest number of trials in one comparison. */
export const comparedTrials = { min: 2, max: 6 } as const;

export const resultRoutes = {
  getTrial: {
    method: 'GET',
    url: '/v1/trials/:id',
    summary: 'One trial with its stages and evaluations.',
    role: 'read',
    params: ById,
    response: TrialDetail,
    errors: ['NOT_FOUND'],
  },
  getMetrics: {
    method: 'GET',
    url: '/v1/trials/:id/metrics',
    summary: 'Training curves of a trial, shared stages included.',
    role: 'read',
    params: ById,
    response: z.strictObject({ series: z.array(MetricSeries) }),
    errors: ['NOT_FOUND'],
  },
  getImages: {
    method: 'GET',
    url: '/v1/trials/:id/evaluations/:stage/images',
    summary:
      'Per-image records of one evaluation, counts by class, and the first few images before and after the attack.',
    role: 'read',
    params: z.strictObject({ id: Id, stage: Id }),
    response: EvaluationRecords.extend({
      perClass: ClassCounts,
      /** The first few images before and after the attack: bytes 0–255 in base64, each with `shape`. */
      gallery: z.strictObject({
        shape: z.array(z.int()),
        index: z.array(z.int()),
        original: z.array(z.string()),
        attacked: z.array(z.string()),
      }),
    }),
    errors: ['NOT_FOUND'],
  },
  leaderboard: {
    method: 'GET',
    url: '/v1/leaderboard',
    summary: 'Trials or configurations ranked by robustness, best first.',
    role: 'read',
    query: LeaderboardQuery,
    response: LeaderboardPage,
    errors: ['INVALID_REQUEST', 'NOT_FOUND'],
  },
  compare: {
    method: 'GET',
    url: '/v1/compare',
    summary: 'Two to six trials side by side.',
    role: 'read',
    query: z.strictObject({
      trials: z.string().max(1000).meta({ description: 'Trial ids, joined by commas.' }),
    }),
    response: z.strictObject({
      trials: z.array(TrialDetail),
      differs: z.array(z.string()),
      letters: z.array(z.string().nullable()).optional().meta({
        description:
          'Of each trial: trials whose worst cases cannot be told apart have a letter in common, as in the leaderboard. Null for a trial that is not compared: without a worst case, or with other images or attacks than the first one.',
      }),
    }),
    errors: ['INVALID_REQUEST', 'NOT_FOUND'],
  },
} as const satisfies Record<string, Route>;
