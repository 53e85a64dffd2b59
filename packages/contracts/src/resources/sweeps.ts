/** Sweeps and submissions in the answers of the API. */
import { z } from 'zod';
import { Problem } from '../errors.ts';
import { WaitsBehind } from '../other-sweeps.ts';
import { Plan } from '../plan.ts';
import { StageKind, StageStatus, SweepStatus, TrialStatus } from '../statuses.ts';
import { StoredDefinition } from '../sweep.ts';
import { SweepOverview } from '../sweep-overview.ts';
import { Count, Time } from './fields.ts';
import { SearchProgress } from './searches.ts';

const StatusCounts = <S extends z.ZodEnum>(status: S) => z.partialRecord(status, Count);

export const Sweep = z
  .strictObject({
    id: z.string(),
    name: z.string(),
    status: SweepStatus,
    createdAt: Time,
    finishedAt: Time.nullable(),
    trials: StatusCounts(TrialStatus),
    plan: Plan,
    /** Epochs of `plan.epochs.needed` that have been trained. */
    epochsTrained: Count,
    epochs: z.strictObject({ done: Count, total: Count }).optional().meta({
      description:
        'The epochs that the sweep needs and that were not trained before it was submitted, whichever sweep trains them. Absent in answers of older versions.',
    }),
    progress: z.number().meta({
      description:
        '0 to 1: the share of epochs and attacks with a result, whichever sweep ran them, without those that had one before, unless a sweep in progress ran them. When every trial has ended, the share of trials that completed.',
    }),
    etaSeconds: z.number().nullable().meta({
      description:
        'Seconds until the sweep has ended, at the speed so far: those of its own work, and those that workers spend on other sweeps before it and in turn with it. Null when the sweep does not run, or when no speed is known. Time in which no stage of the sweep ran does not count.',
    }),
    behind: WaitsBehind.optional().meta({
      description:
        'The sweeps of higher priority from which workers take their next stages; absent when there is none, and in answers of older versions.',
    }),
    search: SearchProgress.optional().meta({
      description: 'Set for a search that decides one configuration after the other.',
    }),
    overview: SweepOverview.optional().meta({ description: 'Absent in answers of older versions.' }),
    priority: z.int(),
    tags: z.array(z.string()).optional().meta({ description: 'Absent in answers of older versions.' }),
    action: z
      .strictObject({
        name: z.enum(['connect', 'pause', 'resume', 'cancel', 'delete', 'retry']),
        done: Count,
        total: Count,
      })
      .nullable()
      .meta({
        description:
          'The rest of an action on a large sweep, which goes on in batches: `done` of `total` stages (for a retry: stages and trials). `connect`: the new sweep is connected with stages that other sweeps have; the counts of stages contain only those that are done. Null when nothing is left.',
      }),
  })
  .meta({ id: 'Sweep' });
export type Sweep = z.infer<typeof Sweep>;

export const SweepDetail = Sweep.extend({
  definition: StoredDefinition,
  notes: z
    .string()
    .optional()
    .meta({ description: 'What people wrote about the sweep. Absent in answers of older versions.' }),
  stages: z.array(z.strictObject({ kind: StageKind, status: StageStatus, count: Count })),
  waitsFor: z.array(z.string()).meta({
    description: 'Why ready stages wait although workers are online: `waits for a worker with mnist`.',
  }),
}).meta({ id: 'SweepDetail' });
export type SweepDetail = z.infer<typeof SweepDetail>;

/** A submission that waits for others, or that takes longer than a request may. */
export const Submission = z
  .strictObject({
    id: z.string(),
    name: z.string().meta({ description: 'The name of the sweep.' }),
    status: z.enum(['waiting', 'running', 'completed', 'refused']),
    ahead: Count.meta({
      description: 'Number of unfinished submissions of the same size that came earlier.',
    }),
    sweepId: z.string().nullable().meta({ description: 'The sweep, once it is written.' }),
    problem: Problem.nullable().meta({ description: 'Why the submission was refused.' }),
    createdAt: Time,
    startedAt: Time.nullable(),
    finishedAt: Time.nullable(),
  })
  .meta({ id: 'Submission' });
export type Submission = z.infer<typeof Submission>;
