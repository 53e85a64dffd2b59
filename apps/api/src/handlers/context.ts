import type { Db } from '@funnel/db';
import type { StageQueue } from '@funnel/queue';
import type { Tracer } from '@funnel/tracing';
import type { EventHub } from '../events/event-hub.ts';
import type { OpenApiDocument } from '../openapi/document.ts';
import type { OffLoopPlanning } from '../planning/create-planning.ts';
import type { ServiceMetrics } from '../service-metrics.ts';

/** What handlers work with. */
export type Context = {
  readonly db: Db;
  readonly queue: StageQueue;
  readonly hub: EventHub;
  readonly metrics: ServiceMetrics;
  readonly document: OpenApiDocument;
  /** Tells workers of ready stages; never fails, since the reconciler rings again. */
  readonly notify: (stageIds: readonly string[]) => Promise<void>;
  readonly engineVersion: string;
  readonly planning: Pick<OffLoopPlanning, 'plan' | 'submit'>;
  readonly tracer: Tracer;
};
