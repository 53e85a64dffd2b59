/** The assembly: parts in, a Fastify instance out that can be listened with or injected into. */
import { randomUUID } from 'node:crypto';
import { AppError } from '@funnel/contracts';
import { readServiceCounts, reconcile, writeAudit } from '@funnel/db';
import { createTracer } from '@funnel/tracing';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import { registerAccess } from './access/authorize.ts';
import { hostRules, isLoopback } from './access/hosts.ts';
import { createRateLimiter } from './access/rate-limiter.ts';
import { createTokenGate } from './access/token-gate.ts';
import { endConnectionsOnClose } from './connections.ts';
import { databaseEvents } from './events/database-events.ts';
import { createEventHub } from './events/event-hub.ts';
import { createPlaces, shareOfOneCaller } from './events/places.ts';
import { createHandlers } from './handlers/create-handlers.ts';
import { createOpenApiDocument } from './openapi/document.ts';
import type { ApiOptions } from './options.ts';
import { registerDashboard } from './pages/dashboard.ts';
import { registerDocs } from './pages/docs.ts';
import { createPlanning } from './planning/create-planning.ts';
import { answerClientError, answerFrameworkError } from './problems/early-faults.ts';
import { registerProblems } from './problems/register-problems.ts';
import { type Reconciler, startReconciler } from './reconciler.ts';
import { registerBodyParsers } from './request/bodies.ts';
import { logRequests } from './request-log.ts';
import { observeRequests } from './request-metrics.ts';
import { answerMissing } from './routing/answer-missing.ts';
import { registerRoutes } from './routing/register-routes.ts';
import { registerSecurityHeaders } from './security-headers.ts';
import { createServiceMetrics } from './service-metrics.ts';
import { version } from './version.ts';

const defaultMaxStreams = 500;
/** Milliseconds: a request that takes longer is answered with UNAVAILABLE. Submitting 100,000 trials stays below. */
const slowest = 120_000;

/** Milliseconds for a request to arrive whole, head and body: a client that drips bytes holds a connection no longer. */
const arrival = 30_000;
/** Connections beside those of streams: what is more is closed at once, before it costs a file. */
const otherConnections = 2000;

const createServer = (options: ApiOptions): FastifyInstance => {
  const { logger, trustProxy = false, maxBodyBytes, maxStreams = defaultMaxStreams } = options;
  const patience = options.arrivalSeconds === undefined ? arrival : options.arrivalSeconds * 1000;
  const app = fastify({
    ...(logger && { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }), // request-log.ts writes one line, not two
    genReqId: () => randomUUID(),
    // The one before us: what callers write into X-Forwarded-For themselves stands before what it adds.
    trustProxy: trustProxy ? (_, hop) => hop === 0 : false,
    bodyLimit: maxBodyBytes,
    requestTimeout: patience,
    http: { headersTimeout: patience, connectionsCheckingInterval: Math.ceil(patience / 3) },
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
  });
  app.server.maxConnections = maxStreams + otherConnections;
  return app;
};

/** Throws UNAUTHENTICATED when it would listen where others can reach it and nobody has a token. */
export const buildApp = async (options: ApiOptions): Promise<FastifyInstance> => {
  const { db, queue, host = '127.0.0.1', maxBodyBytes = 1024 * 1024 } = options;
  const local = isLoopback(host);
  // Behind a proxy it is not loopback that decides who can call.
  const required = !local || options.auth === 'required' || options.trustProxy === true;
  const gate = await createTokenGate(db, { required, host });

  const app = createServer({ ...options, maxBodyBytes });
  const maxStreams = options.maxStreams ?? defaultMaxStreams;
  const hub = createEventHub({
    source: databaseEvents(db),
    places: createPlaces({
      inAll: maxStreams,
      ofOneCaller: options.maxStreamsPerToken ?? shareOfOneCaller(maxStreams),
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
    // The commit has happened: a queue that is away costs seconds, until the reconciler rings.
    await queue.notify(stageIds).catch((error: unknown) => app.log.warn({ err: error }, 'could not ring'));
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
  // Set while the database has another schema than this version: then nothing is read from it, and nothing written into it.
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
      timeout: slowest,
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
  // Before the server waits for its connections: streams end only if told.
  app.addHook('preClose', async () => {
    await reconciler?.stop();
    await hub.close();
  });
  app.addHook('onClose', planning.close);
  return app;
};
