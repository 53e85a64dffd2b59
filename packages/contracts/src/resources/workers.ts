/** Workers in the answers of the API. */
import { z } from 'zod';
import { Lack } from '../abilities.ts';
import { Position, Sha256 } from '../checkpoint.ts';
import { StageKind } from '../statuses.ts';
import { Count, Time } from './fields.ts';

export const Worker = z
  .strictObject({
    id: z.string(),
    host: z.string(),
    pid: z.int(),
    version: z.string().meta({ description: 'Version of Funnel.' }),
    schema: z.string().nullable().meta({
      description: 'The newest migration that the worker knows; null for a worker of Funnel 0.1.0.',
    }),
    backend: z.string(),
    device: z.string(),
    slots: z.int(),
    status: z.enum(['online', 'draining', 'gone']),
    startedAt: Time,
    heartbeatAt: Time,
    memoryBytes: z.number().nullable(),
    engineVersion: z.string().nullable(),
    trainerBytes: z.number().nullable().meta({ description: 'Bytes of memory that one trainer may use.' }),
    datasets: z
      .array(z.strictObject({ name: z.string(), images: Count }))
      .nullable()
      .meta({ description: 'The data sets of the machine, with the number of images of each split.' }),
    setAside: z.strictObject({ since: Time, failures: Count, probeAt: Time }).nullable().meta({
      description:
        'Set for a worker that failed several times in a row at stages that others completed. It gets no stages, except for a probe at `probeAt`.',
    }),
    refusals: z
      .array(
        z.strictObject({
          kind: StageKind.or(z.literal('')),
          method: z.string(),
          dataset: z.string(),
          lack: Lack,
          reason: z.string(),
          at: Time,
        }),
      )
      .meta({
        description:
          'Kinds of stages that the worker handed back, and does not take until it has what they need.',
      }),
    running: z.array(
      z.strictObject({
        stage: Sha256,
        kind: StageKind,
        position: Position.nullable(),
        epochs: Count,
        imagesPerSecond: z.number().nullable(),
      }),
    ),
  })
  .meta({ id: 'Worker' });
export type Worker = z.infer<typeof Worker>;
