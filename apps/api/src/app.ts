import { AppError } from '@funnel/contracts';
import { type Db, readServiceCounts, reconcile, writeAudit } from '@funnel/db';
import type { StageQueue } from '@funnel/queue';
import { createTracer, type Tracer } from '@funnel/tracing';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { registerAccess } from './access/access.ts';
import { hostRules, isLoopback } from './access/hosts.ts';
import { createRateLimiter } from './access/rate-limiter.ts';
import { createTokenGate } from './access/tokens.ts';
import {
  createEventHub,
  createStreamLimits,
  databaseEvents,
  defaultStreamsPerCaller,
} from './events/event-hub.ts';
import { createServiceMetrics } from './metrics.ts';
import { logRequests, observeRequests } from './observe-requests.ts';
import { createOpenApiDocument, version } from './openapi.ts';
import { registerDashboard, registerDocs, registerSecurityHeaders } from './pages.ts';
import { createPlanning } from './planning/planning.ts';
import { registerProblems } from './problems.ts';
import { type Reconciler, startReconciler } from './reconciler.ts';
import { registerBodyParsers } from './request/bodies.ts';
import { answerMissing, createHandlers, registerRoutes } from './routes.ts';
import { createServer, endConnectionsOnClose } from './server.ts';

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
  /** Requests per minute of one address, and of one token. (Default: 3,000; on loopback 120,000) */
  readonly rateLimit?: number;
  /** Largest JSON body in bytes. A YAML body may have a sixteenth of it. (Default: 1 MiB) */
  readonly maxBodyBytes?: number;
  /** Seconds of computing for planning one sweep, or for reading one body. (Default: 10) */
  readonly planningSeconds?: number;
  /** Open event streams. (Default: 500) */
  readonly maxStreams?: number;
  /** Open event streams of one token. No such limit while no token is needed. (Default: a quarter of maxStreams, but at least 8) */
  readonly maxStreamsPerToken?: number;
  /** Seconds for a whole request to arrive. (Default: 30) */
  readonly arrivalSeconds?: number;
  /** Seconds between two checks of the tokens of open streams. (Default: 15) */
  readonly watchStreamsSeconds?: number;
  /** A stage fails when this many attempts have failed. (Default: 3) */
  readonly maxAttempts?: number;
  /** Seconds without a heartbeat after which the stages of a worker go to others. The workers must have the same value. (Default: 10) */
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

const defaultMaxStreams = 500;

/** Milliseconds after which a request is answered with UNAVAILABLE. Submitting 100,000 trials takes less. */
const handlerTimeoutMs = 120_000;

/** Builds the app. Throws UNAUTHENTICATED if others can reach the address and no token exists. */
export const buildApp = async (options: ApiOptions): Promise<FastifyInstance> => {
  const { db, queue, host = '127.0.0.1', maxBodyBytes = 1024 * 1024 } = options;
  const local = isLoopback(host);
  // Behind a proxy, others can call although the address is loopback.
  const required = !local || options.auth === 'required' || options.trustProxy === true;
  const gate = await createTokenGate(db, { required, host });

  const maxStreams = options.maxStreams ?? defaultMaxStreams;
  const app = createServer({ ...options, maxBodyBytes, maxStreams });
  const hub = createEventHub({
    source: databaseEvents(db),
    limits: createStreamLimits({
      total: maxStreams,
      perCaller: options.maxStreamsPerToken ?? defaultStreamsPerCaller(maxStreams),
    }),
    bufferBytes: 256 * 1024,
    heartbeat: 15_000,
    onError: (error) => app.log.warn({ err: error }, 'could not read events'),
  });
  const metrics = createServiceMetrics({
    readCounts: () => readServiceCounts(db),
    readQueue: () => queue.counts(),
    streams: hub.size,
  });
  const document = createOpenApiDocument(version);
  const planning = createPlanning(db, { seconds: options.planningSeconds });
  const notify = async (stageIds: readonly string[]): Promise<void> => {
    // The transaction is committed. If the queue is away, the reconciler notifies the workers some seconds later.
    await queue
      .notify(stageIds)
      .catch((error: unknown) => app.log.warn({ err: error }, 'could not notify the workers'));
  };

  endConnectionsOnClose(app);
  registerProblems(app);
  registerBodyParsers(app, { jsonBytes: maxBodyBytes, yamlBytes: Math.ceil(maxBodyBytes / 16) });
  await registerSecurityHeaders(app);
  registerAccess(app, {
    hosts: hostRules(host, options.allowedHosts ?? []),
    tokensNeeded: gate.tokensNeeded,
    findCaller: gate.findCaller,
    limiter: createRateLimiter(options.rateLimit ?? (local ? 120_000 : 3000)),
    watchStreams: (options.watchStreamsSeconds ?? 15) * 1000,
  });
  // Set while the database has the schema of another version. Then the API neither reads nor writes it.
  let mismatch: AppError | null = null;
  app.addHook('onRequest', async ({ routeOptions }) => {
    if (mismatch && routeOptions.url?.startsWith('/v1/')) throw mismatch;
  });
  observeRequests(app, metrics.registry);
  logRequests(app);
  registerRoutes(
    app,
    createHandlers({
      ...{ db, queue, hub, metrics, document, notify, planning },
      engineVersion: options.engineVersion,
      tracer: options.tracer ?? createTracer({ endpoint: undefined, resource: {} }),
    }),
    {
      timeout: handlerTimeoutMs,
      readBody: planning.read,
      audit: (entry) => writeAudit(db, entry),
    },
  );
  await registerDocs(app, document);
  const dashboard = await registerDashboard(app, options.webFolder ?? null);
  app.setNotFoundHandler((request, reply) =>
    dashboard.isPage(request) ? dashboard.sendPage(reply) : answerMissing(request, reply),
  );

  let reconciler: Reconciler | undefined;
  app.addHook('onListen', async () => {
    planning.start();
    reconciler = startReconciler({
      reconcile: async () => {
        const { maxAttempts = 3, leaseSeconds = 10 } = options;
        const reconciled = await reconcile(db, { maxAttempts, leaseSeconds });
        mismatch = null;
        return reconciled;
      },
      notify,
      interval: (options.reconcileSeconds ?? 3) * 1000,
      onError: (error) => {
        metrics.countReconcilerFault();
        if (!(error instanceof AppError) || error.code !== 'SCHEMA_MISMATCH')
          return app.log.warn({ err: error }, 'could not reconcile');
        if (!mismatch) app.log.error({ code: error.code }, error.message);
        mismatch = error;
      },
    });
  });
  // Before the server waits for its connections: streams do not end by themselves.
  app.addHook('preClose', async () => {
    await reconciler?.stop();
    await hub.close();
  });
  app.addHook('onClose', planning.close);
  return app;
};
