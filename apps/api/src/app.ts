import { AppError } from '@funnel/contracts';
import { type Db, readServiceCounts, reconcile, startRelay, writeAudit } from '@funnel/db';
import type { StageQueue } from '@funnel/queue';
import { createTracer, type Tracer } from '@funnel/tracing';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { registerAccess } from './access/access.ts';
import { hostRules, isLoopback } from './access/hosts.ts';
import { createRateLimiter } from './access/rate-limiter.ts';
import { createTokenGate } from './access/tokens.ts';
import { createEventHub, createPlaces, databaseEvents, shareOfOneCaller } from './events/event-hub.ts';
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

/** All that the API needs to be told. Whoever opened `db` and `queue` closes them, after the app. */
export type ApiOptions = {
  readonly db: Db;
  readonly queue: StageQueue;
  /** Part of every stage's identity. */
  readonly engineVersion: string;
  /** The address that it will listen on: decides whom it trusts. (Default: 127.0.0.1) */
  readonly host?: string;
  /** `auto`: no tokens on loopback until one exists. (Default: auto) */
  readonly auth?: 'auto' | 'required';
  /** Names besides loopback's by which it may be called. */
  readonly allowedHosts?: readonly string[];
  /** Whether the address of a caller is what the proxy before us says. (Default: false) */
  readonly trustProxy?: boolean;
  /** Requests per minute and client. (Default: 3,000; on loopback 120,000) */
  readonly rateLimit?: number;
  /** Bytes of a JSON body at most; a YAML body may have a sixteenth. (Default: 1 MiB) */
  readonly maxBodyBytes?: number;
  /** Seconds of computing that planning one sweep, or reading one body, may take. (Default: 10) */
  readonly planningSeconds?: number;
  /** Clients of the event stream at most. (Default: 500) */
  readonly maxStreams?: number;
  /** Of them, those with one token; where no token is needed there is no such limit. (Default: a quarter, but at least 8) */
  readonly maxStreamsPerToken?: number;
  /** Seconds for a request to arrive whole. (Default: 30) */
  readonly arrivalSeconds?: number;
  /** Seconds between two looks whether the tokens of open streams are still good. (Default: 15) */
  readonly watchStreamsSeconds?: number;
  /** Attempts that may fail before a stage does. (Default: 3) */
  readonly maxAttempts?: number;
  /** Seconds without a heartbeat after which a worker's stages are given to others; the same as the workers'. (Default: 10) */
  readonly leaseSeconds?: number;
  /** Seconds between rounds of the reconciler, which runs while the app listens. (Default: 3) */
  readonly reconcileSeconds?: number;
  /** Folder of the built dashboard; null: none. (Default: null) */
  readonly webFolder?: string | null;
  /** (Default: off) */
  readonly tracer?: Tracer;
  /** (Default: silent) */
  readonly logger?: FastifyBaseLogger;
};

/** The assembly: parts in, a Fastify instance out that can be listened with or injected into. */

const defaultMaxStreams = 500;

/** Milliseconds: a request that takes longer is answered with UNAVAILABLE. Submitting 100,000 trials stays below. */
const slowest = 120_000;

/** Throws UNAUTHENTICATED when it would listen where others can reach it and nobody has a token. */
export const buildApp = async (options: ApiOptions): Promise<FastifyInstance> => {
  const { db, queue, host = '127.0.0.1', maxBodyBytes = 1024 * 1024 } = options;
  const local = isLoopback(host);
  // Behind a proxy it is not loopback that decides who can call.
  const required = !local || options.auth === 'required' || options.trustProxy === true;
  const gate = await createTokenGate(db, { required, host });

  const maxStreams = options.maxStreams ?? defaultMaxStreams;
  const app = createServer({ ...options, maxBodyBytes, maxStreams });
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
  const relay = startRelay(db, {
    notify: queue.notify,
    onError: (error) => app.log.warn({ err: error }, 'could not tell the queue of ready stages'),
  });

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
      ...{ db, queue, hub, metrics, document, relay, planning },
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
    await relay.close();
    await hub.close();
  });
  app.addHook('onClose', planning.close);
  return app;
};
