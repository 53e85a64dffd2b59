/** The events of the API. */
import { z } from 'zod';
import { Position } from '../checkpoint.ts';
import { StageKind, StageStatus, StoredSweepStatus, TrialStatus } from '../statuses.ts';

/** An event of the event stream. A client that reconnects with the `Last-Event-ID` that it received last misses no event. */
export const FunnelEvent = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('sweep'),
      sweepId: z.string(),
      status: StoredSweepStatus.or(z.literal('deleted')),
    }),
    z.strictObject({
      type: z.literal('trial'),
      sweepId: z.string(),
      trialId: z.string(),
      status: TrialStatus,
    }),
    z.strictObject({
      type: z.literal('stage'),
      sweepId: z.string(),
      stage: z.string(),
      kind: StageKind,
      status: StageStatus,
    }),
    z.strictObject({
      type: z.literal('epoch'),
      sweepId: z.string(),
      stage: z.string(),
      kind: StageKind,
      position: Position,
      epochs: z.int(),
      metrics: z.record(z.string(), z.number().nullable()),
    }),
    z.strictObject({
      type: z.literal('evaluation'),
      sweepId: z.string(),
      stage: z.string(),
      attack: z.string(),
    }),
  ])
  .meta({ id: 'FunnelEvent' });
export type FunnelEvent = z.infer<typeof FunnelEvent>;
export type FunnelEventRow = { readonly id: string; readonly at: string; readonly event: FunnelEvent };
