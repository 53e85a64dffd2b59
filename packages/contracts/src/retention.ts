/** Garbage collection: which checkpoints are kept, and what deleting the others frees. Metrics and evaluations are never deleted. */
import { z } from 'zod';
import { AttackName } from './attacks.ts';
import { EvaluationMetricName } from './metrics.ts';

export const RetentionPolicy = z
  .strictObject({
    keepDays: z.number().min(0).max(36_500).default(30).meta({
      title: 'Days',
      description: 'Keep all trials of sweeps that ended less than this many days ago.',
    }),
    keepBest: z.int().min(0).max(100_000).default(10).meta({
      title: 'Best',
      description: 'Keep this many of the best trials of every sweep, in the order of the leaderboard.',
    }),
    metric: EvaluationMetricName.optional().meta({
      description:
        'The metric that ranks the best trials. Without this and `attack`, the objective of each sweep.',
    }),
    attack: AttackName.optional().meta({
      description: 'Rank by this attack; with a metric alone, by the worst case over all attacks of a trial.',
    }),
    keepSweeps: z
      .array(z.string().min(1).max(200))
      .max(1000)
      .default([])
      .meta({ description: 'Ids or names of sweeps of which all trials are kept.' }),
  })
  .meta({ id: 'RetentionPolicy' });
export type RetentionPolicy = z.infer<typeof RetentionPolicy>;

const Count = z.int().min(0);

export const Collection = z
  .strictObject({
    trials: Count.meta({ description: 'Trials that are no longer kept.' }),
    checkpoints: Count.meta({ description: 'Checkpoints that no kept trial needs.' }),
    blobs: Count.meta({
      description: 'Blobs (networks and moments) of these checkpoints that no other checkpoint has.',
    }),
    bytes: Count.meta({ description: 'Size of these blobs.' }),
    sweeps: z
      .array(z.strictObject({ id: z.string(), name: z.string(), trials: Count, kept: Count }))
      .meta({ description: 'Sweeps with trials that are not kept: the number of these, and of kept ones.' }),
    done: z.boolean().meta({ description: 'False: the call stopped before the end; call again.' }),
  })
  .meta({ id: 'Collection' });
export type Collection = z.infer<typeof Collection>;
