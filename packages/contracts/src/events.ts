/** What the event stream says. Every event has a growing id; a client that reconnects with `Last-Event-ID` misses none. */
import { z } from 'zod';
import { Position } from './checkpoint.ts';
import { StageKind, StageStatus, SweepStatus, TrialStatus } from './status.ts';

export const FunnelEvent = z
  .discriminatedUnion('type', [
    z.strictObject({
      type: z.literal('sweep'),
      sweepId: z.string(),
      status: SweepStatus.or(z.literal('deleted')),
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
