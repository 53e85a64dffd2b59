/** Garbage collection: the checkpoints that it keeps, and the space that it frees. It never deletes metrics and evaluations. */
import { z } from 'zod';
import { AttackName } from './attacks.ts';
import { EvaluationMetricName } from './metrics.ts';

export const maxKeepDays = 36_500;
export const maxKeepBest = 100_000;

export const RetentionPolicy = z
  .strictObject({
    keepDays: z.number().min(0).max(maxKeepDays).default(30).meta({
      title: 'Days',
      description: 'Keep all trials of sweeps that ended at most this number of days ago.',
    }),
    keepBest: z.int().min(0).max(maxKeepBest).default(10).meta({
      title: 'Best',
      description:
        'Keep this number of trials of every sweep, the best ones in the order of the leaderboard.',
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
    datasets: Count.meta({ description: 'Data sets without a name that no kept trial needs.' }),
    bytes: Count.meta({ description: 'Size of these blobs and data sets.' }),
    sweeps: z.array(z.strictObject({ id: z.string(), name: z.string(), trials: Count, kept: Count })).meta({
      description:
        'Sweeps with trials that are no longer kept: the number of these trials, and the number of kept trials.',
    }),
    done: z.boolean().meta({ description: 'False if the call stopped early: call again.' }),
  })
  .meta({ id: 'Collection' });
export type Collection = z.infer<typeof Collection>;
