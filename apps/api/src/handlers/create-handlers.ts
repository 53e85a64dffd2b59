import type { Handlers } from '../routing/handler.ts';
import { checkpointHandlers } from './checkpoints.ts';
import type { Context } from './context.ts';
import { resultHandlers } from './results.ts';
import { retentionHandlers } from './retention.ts';
import { serviceHandlers } from './service.ts';
import { sweepHandlers } from './sweeps.ts';

/** The registry: the compiler refuses a route without a handler, and a handler without a route. */
export const createHandlers = (context: Context) =>
  ({
    ...sweepHandlers(context),
    ...resultHandlers(context),
    ...checkpointHandlers(context),
    ...retentionHandlers(context),
    ...serviceHandlers(context),
  }) satisfies Handlers;
