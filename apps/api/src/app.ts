/** The app. This file lists its plugins in their order. Each plugin names the plugins that must come before it. */
import { completeLimits, type ServiceLimits } from '@funnel/contracts';
import { type Db, pingDatabase, readServiceCounts, reconcile } from '@funnel/db';
import type { StageQueue } from '@funnel/queue';
import { createTracer, sweepContext, type Tracer } from '@funnel/tracing';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { accessPlugin } from './access/access.ts';
import { hostRules, isLoopback } from './access/hosts.ts';
import { createTokenGate } from './access/tokens.ts';
import { answerHeadersPlugin } from './answer-headers.ts';
import { backgroundPlugin } from './background.ts';
import { datasetChecksPlugin } from './datasets/dataset-checks.ts';
import { createStreamLimits, databaseEvents, eventsPlugin } from './events/event-hub.ts';
import { metricsPlugin } from './metrics.ts';
import { observeRequestsPlugin } from './observe-requests.ts';
import { createOpenApiDocument, version } from './openapi.ts';
import { pagesPlugin } from './pages.ts';
import { planningPlugin } from './planning/planning.ts';
import { problemsPlugin } from './problems.ts';
import { reconcilerPlugin } from './reconciler.ts';
import { bodiesPlugin } from './request/bodies.ts';
import { byteBodiesPlugin } from './request/byte-bodies.ts';
import { routesPlugin } from './routes.ts';
import { connectionsPlugin, createServer } from './server.ts';

/** The options of the API. The caller opens `db` and `queue`, and closes them after the app. */
export type ApiOptions = {
  readonly db: Db;
  readonly queue: StageQueue;
  /** Part of every stage's identity. */
  readonly engineVersion: string;
  /** The address where it will listen. On loopback, callers may need no token. (Default: 127.0.0.1) */
  readonly host?: string;
  /** `auto`: on loopback, callers need no token until one exists. (Default: auto) */
  readonly auth?: 'auto' | 'required';
  /** Names allowed in the Host header, besides those of loopback. */
  readonly allowedHosts?: readonly string[];
  /** Whether to take the address of a caller from the proxy in front of the API. (Default: false) */
  readonly trustProxy?: boolean;
  /** The limits that an operator can set. (Default: those declared in contracts) */
  readonly limits?: Partial<ServiceLimits>;
  /** Milliseconds for which a request waits for the end of its submission. (Default: 6000) */
  readonly submissionWaitMs?: number;
  /** Seconds for a whole request to arrive. (Default: 30) */
  readonly arrivalSeconds?: number;
  /** Seconds after which a connection on which nothing moves is closed. (Default: 60) */
  readonly idleSeconds?: number;
  /** Seconds between two checks of the tokens of open streams. (Default: 15) */
  readonly watchStreamsSeconds?: number;
  /** A stage fails when this many attempts have failed. (Default: 3) */
  readonly maxAttempts?: number;
  /** If a worker sends no heartbeat for this many seconds, other workers get its stages. The workers must have the same value. (Default: 10) */
  readonly leaseSeconds?: number;
  /** Seconds between rounds of the reconciler. It runs while the app listens. (Default: 3) */
  readonly reconcileSeconds?: number;
  /** The folder of the built dashboard. Null: no dashboard. (Default: null) */
  readonly webFolder?: string | null;
  /** (Default: no traces) */
  readonly tracer?: Tracer;
  /** (Default: silent) */
  readonly logger?: FastifyBaseLogger;
};

/** Builds the app. Throws UNAUTHENTICATED if others can reach the address and no token exists. */
export const buildApp = async (options: ApiOptions): Promise<FastifyInstance> => {
  const { db, queue, engineVersion, host = '127.0.0.1' } = options;
  const isLocal = isLoopback(host);
  // Behind a proxy, others can call although the address is loopback.
  const required = !isLocal || options.auth === 'required' || options.trustProxy === true;
  const gate = await createTokenGate(db, { required, host });
  const limits = completeLimits(options.limits ?? {}, {
    isLoopback: isLocal,
    trustsProxy: options.trustProxy === true,
  });
  const document = createOpenApiDocument(version);
  const app = createServer({ ...options, limits });

  // The hooks of a request run in this order.
  await app.register(answerHeadersPlugin);
  await app.register(connectionsPlugin, { perAddress: limits.ownConnections });
  await app.register(problemsPlugin);
  await app.register(bodiesPlugin, {
    jsonBytes: limits.bodyBytes,
    yamlBytes: Math.ceil(limits.bodyBytes / 16),
  });
  await app.register(accessPlugin, {
    ...gate,
    hosts: hostRules(host, options.allowedHosts ?? []),
    requestsPerMinute: limits.requestsPerMinute,
    watchStreams: (options.watchStreamsSeconds ?? 15) * 1000,
  });
  await app.register(byteBodiesPlugin);
  await app.register(eventsPlugin, {
    source: databaseEvents(db),
    limits: createStreamLimits({ total: limits.streams, perCaller: limits.ownStreams }),
    bufferBytes: 256 * 1024,
    heartbeat: 15_000,
  });
  await app.register(metricsPlugin, {
    pingDatabase: () => pingDatabase(db),
    readCounts: () => readServiceCounts(db),
    readQueue: () => queue.counts(),
  });
  await app.register(reconcilerPlugin, {
    ...{ db, queue, engineVersion },
    reconcile: () => {
      const { maxAttempts = 3, leaseSeconds = 10 } = options;
      return reconcile(db, { maxAttempts, leaseSeconds });
    },
    interval: (options.reconcileSeconds ?? 3) * 1000,
  });
  await app.register(observeRequestsPlugin);
  const tracer = options.tracer ?? createTracer({ endpoint: undefined, resource: {} });
  await app.register(planningPlugin, { db, limits });
  await app.register(backgroundPlugin, {
    ...{ db, limits },
    waitMs: options.submissionWaitMs,
    // The root span of all work on the sweep.
    onCreated: (sweepId, start) =>
      tracer.start('submit', { context: sweepContext(sweepId), kind: 'server', start }).end(),
  });
  await app.register(datasetChecksPlugin, { db });
  await app.register(routesPlugin, {
    ...{ db, queue, document, engineVersion, tracer, limits },
  });
  await app.register(pagesPlugin, { document, webFolder: options.webFolder ?? null });
  return app;
};
