/** Stages, their logs and their training curves in the answers of the API. */
import { z } from 'zod';
import { Position, Sha256 } from '../checkpoint.ts';
import { HyperparameterValue } from '../hyperparameters.ts';
import { RecipeName } from '../recipes.ts';
import { AttackRun } from '../stages.ts';
import { StageKind, StageStatus } from '../statuses.ts';
import { Usage } from '../usage.ts';
import { Count, Time } from './fields.ts';

export const Stage = z
  .strictObject({
    id: Sha256,
    chain: Sha256,
    kind: StageKind,
    recipe: RecipeName,
    status: StageStatus,
    hyperparameters: z.record(z.string(), HyperparameterValue),
    seed: z.int(),
    epochs: Count,
    /** The epoch from which the stage continued. */
    startEpoch: Count,
    position: Position.nullable(),
    parent: Sha256.nullable(),
    dependsOn: Sha256.nullable().meta({ description: 'The stage that must end first.' }),
    attack: AttackRun.nullable(),
    surrogates: z
      .array(Sha256)
      .meta({ description: 'Stages whose classifiers a transfer attack uses. They must end first, too.' }),
    attempts: Count,
    fencingToken: Count,
    workerId: z.string().nullable(),
    checkpoint: Sha256.nullable(),
    error: z.strictObject({ code: z.string(), message: z.string() }).nullable(),
    waitsFor: z.string().nullable().meta({
      description: 'For a ready stage that no live worker can run: `waits for a worker with mnist`.',
    }),
    sharedBy: Count.meta({ description: 'Number of trials that need this stage.' }),
    seconds: z.number().nullable().meta({ description: 'Wall-clock seconds of its attempts.' }),
    usage: Usage.nullable().optional().meta({
      description:
        'Cores and memory of its attempts, as far as they were measured: null if none was. Absent in answers of older versions.',
    }),
    startedAt: Time.nullable(),
    finishedAt: Time.nullable(),
  })
  .meta({ id: 'Stage' });
export type Stage = z.infer<typeof Stage>;

/** One line of the log of a stage. */
export const StageLogLine = z
  .strictObject({
    at: Time,
    attempt: Count.nullable().meta({
      description: 'Number of the attempt; null for a line about an epoch.',
    }),
    level: z.enum(['info', 'warn', 'error']),
    message: z.string(),
    detail: z.string().nullable().meta({ description: 'The stack of an error.' }),
  })
  .meta({ id: 'StageLogLine' });
export type StageLogLine = z.infer<typeof StageLogLine>;

/** One line of the log of a worker: the start or the end of an attempt. */
export const WorkerLogLine = StageLogLine.extend({ stage: z.string(), kind: StageKind }).meta({
  id: 'WorkerLogLine',
});
export type WorkerLogLine = z.infer<typeof WorkerLogLine>;

/** One metric of one stage kind over epochs: `values[i]` belongs to `epochs[i]`. */
export const MetricSeries = z
  .strictObject({
    kind: StageKind,
    name: z.string(),
    epochs: z.array(z.int()),
    values: z.array(z.number().nullable()),
  })
  .meta({ id: 'MetricSeries' });
export type MetricSeries = z.infer<typeof MetricSeries>;
