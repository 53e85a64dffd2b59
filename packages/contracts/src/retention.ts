/** What is kept when room is made, and what that frees. Results are never deleted: only the states of networks are. */
import { z } from 'zod';
import { AttackName } from './attacks.ts';
import { EvaluationMetricName } from './metrics.ts';

export const RetentionPolicy = z
  .strictObject({
    keepDays: z.number().min(0).max(36_500).default(30).meta({
      title: 'Days',
      description: 'Trials of sweeps that ended less than so many days ago are kept.',
    }),
    keepBest: z.int().min(0).max(100_000).default(10).meta({
      title: 'Best',
      description: 'So many best trials of every sweep are kept, as the leaderboard ranks them.',
    }),
    metric: EvaluationMetricName.optional().meta({
      description: 'What “best” is ranked by. With neither this nor `attack`, what each sweep is ranked by.',
    }),
    attack: AttackName.optional().meta({
      description: 'Rank by this attack; with a metric alone, by the worst case over all attacks of a trial.',
    }),
    keepSweeps: z
      .array(z.string().min(1).max(200))
      .max(1000)
      .default([])
      .meta({ description: 'Ids or names of sweeps whose trials are all kept.' }),
  })
  .meta({ id: 'RetentionPolicy' });
export type RetentionPolicy = z.infer<typeof RetentionPolicy>;

const Count = z.int().min(0);

export const Collection = z
  .strictObject({
    trials: Count.meta({ description: 'Trials that are no longer kept for their own sake.' }),
    checkpoints: Count.meta({ description: 'States that no kept trial needs.' }),
    blobs: Count.meta({ description: 'Networks and moments that only those states held.' }),
    bytes: Count.meta({ description: 'Their size.' }),
    sweeps: z
      .array(z.strictObject({ id: z.string(), name: z.string(), trials: Count, kept: Count }))
      .meta({ description: 'Sweeps with such trials: how many of them, and how many are kept.' }),
    done: z.boolean().meta({ description: 'False: there is more to do than one call may take; call again.' }),
  })
  .meta({ id: 'Collection' });
export type Collection = z.infer<typeof Collection>;
