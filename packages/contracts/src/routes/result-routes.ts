/** What came of trials, and how they compare. */
import { z } from 'zod';
import { EvaluationRecords } from '../attacks/evaluation.ts';
import { LeaderboardRow, MetricSeries, TrialDetail } from '../resources.ts';
import { LeaderboardQuery } from './leaderboard-query.ts';
import { ById, Id, pageOf } from './parameters.ts';
import type { Route } from './route.ts';

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
    summary: 'Per-image records of one evaluation, and the pictures of the first few.',
    role: 'read',
    params: z.strictObject({ id: Id, stage: Id }),
    response: EvaluationRecords.extend({
      /** Originals and attacked images of the first few records, bytes 0–255 in base64, `shape` each. */
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
    summary: 'Which runs are the most robust, best first.',
    role: 'read',
    query: LeaderboardQuery,
    response: pageOf(LeaderboardRow),
    errors: ['INVALID_REQUEST'],
  },
  compare: {
    method: 'GET',
    url: '/v1/compare',
    summary: 'Two to six trials side by side.',
    role: 'read',
    query: z.strictObject({
      trials: z.string().max(1000).meta({ description: 'Trial ids, joined by commas.' }),
    }),
    response: z.strictObject({ trials: z.array(TrialDetail), differs: z.array(z.string()) }),
    errors: ['INVALID_REQUEST', 'NOT_FOUND'],
  },
} as const satisfies Record<string, Route>;
