/**
 * Decides who may call which route. One hook runs before every route. It checks the Host and the Origin, limits the requests of an address and
 * of a token, finds the caller by its token, and compares the caller's role with the role that the route declares.
 */
import rateLimit from '@fastify/rate-limit';
import {
  AppError,
  clientWithToken,
  plural,
  type Role,
  type Route,
  roles,
  routes,
  variableOf,
} from '@funnel/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { type Caller, isStream, localCaller } from '../handlers/handler.ts';
import { checkHost, checkOrigin, type HostRules } from './hosts.ts';
import { hashToken, type TokenGate } from './tokens.ts';

/**
 * Checks the tokens of open streams again and again, because a stream stays open for long and its token may be revoked meanwhile. All
 * streams of a token share one check.
 */
type StreamWatch = {
  /**
   * Calls `end` when the token with this hash no longer gives access. `tokenHash` is null if the stream was opened without a token. Returns a
   * function that
   * ends the watch.
   */
  readonly watch: (tokenHash: string | null, end: () => void) => () => void;
  readonly close: () => void;
};

type StreamWatchOptions = {
  /** Rejects if the database does not answer; the streams then stay open. */
  readonly hasAccess: (tokenHash: string | null) => Promise<boolean>;
  /** Milliseconds between two checks. */
  readonly interval: number;
};

const createStreamWatch = ({ hasAccess, interval }: StreamWatchOptions): StreamWatch => {
  const open = new Map<string | null, Set<() => void>>();
  const check = async (tokenHash: string | null, ends: ReadonlySet<() => void>): Promise<void> => {
    if (await hasAccess(tokenHash).catch(() => true)) return;
    for (const end of [...ends]) end();
  };
  const timer = setInterval(() => {
    for (const [tokenHash, ends] of open) void check(tokenHash, ends);
  }, interval);
  timer.unref();
  return {
    watch: (tokenHash, end) => {
      const ends = open.get(tokenHash) ?? new Set();
      open.set(tokenHash, ends.add(end));
      return () => {
        ends.delete(end);
        if (ends.size === 0) open.delete(tokenHash);
      };
    },
    close: () => clearInterval(timer),
  };
};

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

export type AccessOptions = TokenGate & {
  readonly hosts: HostRules;
  /** Requests per minute of one address, and of one token. */
  readonly requestsPerMinute: number;
  /** Milliseconds between two checks of the tokens of open streams. */
  readonly watchStreams: number;
};

/** The caller of every request that needs no role: pages, files, and some routes. */
const anonymous: Caller = { name: 'anonymous', role: 'read' };

const bearer = ({ headers }: FastifyRequest): string | null =>
  /^Bearer ([!-~]{1,500})$/i.exec(headers.authorization ?? '')?.[1] ?? null;

/** Whether a request shows a token, be it a valid one or not. A wrong token must not seem to work while no token is needed. */
const showsToken = ({ headers }: FastifyRequest): boolean => /^Bearer\b/i.test(headers.authorization ?? '');

const routeOf = ({ routeOptions: { config } }: FastifyRequest): Route | null =>
  config.routeName === undefined ? null : routes[config.routeName];

/** Whether the role `held` includes the rights of the role `needed`. */
const includes = (held: Role, needed: Role): boolean => roles.indexOf(held) >= roles.indexOf(needed);

/** The caller of a request. Throws UNAUTHENTICATED. */
const authenticate = async (request: FastifyRequest, options: AccessOptions): Promise<Caller> => {
  // Prometheus must learn that the database is away.
  const whileAway = request.routeOptions.config.routeName === 'getServiceMetrics';
  const tokensNeeded = await options.tokensNeeded({ whileAway });
  if (!tokensNeeded && !showsToken(request)) return localCaller;
  const token = bearer(request);
  if (token === null) throw new AppError('UNAUTHENTICATED', 'Expected a token, but got none');
  const caller = await options.findCaller(hashToken(token), { whileAway });
  if (caller) return caller;
  if (tokensNeeded)
    throw new AppError(
      'UNAUTHENTICATED',
      'Expected a known token that is not revoked, but got an unknown or a revoked one',
    );
  throw new AppError(
    'UNAUTHENTICATED',
    'Expected no token, because this service has none yet, but got one: it may be of another service',
    { hint: 'Send no token: unset FUNNEL_TOKEN.' },
  );
};

/**
 * Counts each request of a client in windows of a minute. Every API process counts for itself. Returns a function that throws RATE_LIMITED
 * when the client's window is full.
 */
const createRequestLimit = (app: FastifyInstance, clientOf: (request: FastifyRequest) => string) => {
  const count = app.createRateLimit({ keyGenerator: clientOf });
  return async (request: FastifyRequest): Promise<void> => {
    const limit = await count(request);
    if (!limit.isAllowed && limit.isExceeded)
      throw new AppError(
        'RATE_LIMITED',
        `Expected at most ${plural(limit.max, 'request')} of ${limit.key} in a minute (${variableOf('requestsPerMinute')}), but got more`,
        {
          retryAfterSeconds: limit.ttlInSeconds,
        },
      );
  };
};

/** Ends the stream that answers `request` when its caller loses access. */
const watchStream = (streams: StreamWatch, request: FastifyRequest, reply: FastifyReply): void => {
  const token = bearer(request);
  const unwatch = streams.watch(
    request.caller === localCaller || token === null ? null : hashToken(token),
    () => reply.raw.destroy(),
  );
  reply.raw.once('close', unwatch);
};

const access = async (app: FastifyInstance, options: AccessOptions): Promise<void> => {
  app.decorateRequest('caller');
  await app.register(rateLimit, { global: false, max: options.requestsPerMinute, timeWindow: '1 minute' });
  const limitAddress = createRequestLimit(app, ({ ip }) => ip);
  const limitToken = createRequestLimit(app, ({ caller }) => clientWithToken(caller.name));
  const streams = createStreamWatch({
    hasAccess: async (tokenHash) =>
      tokenHash === null ? !(await options.tokensNeeded()) : (await options.findCaller(tokenHash)) !== null,
    interval: options.watchStreams,
  });
  app.addHook('onClose', async () => streams.close());
  app.addHook('onRequest', async (request, reply) => {
    request.caller = anonymous;
    checkHost(options.hosts, request);
    checkOrigin(request);
    // Counts the request for its address before it checks the token, so that guessing tokens is limited too.
    await limitAddress(request);
    const route = routeOf(request);
    const needed = route?.role ?? null;
    if (route === null || needed === null) return;
    const caller = await authenticate(request, options);
    if (!includes(caller.role, needed))
      throw new AppError(
        'FORBIDDEN',
        `Expected the role ${needed}, but the token ${JSON.stringify(caller.name)} has ${caller.role}`,
      );
    request.caller = caller;
    if (caller !== localCaller) await limitToken(request);
    if (isStream(route)) watchStream(streams, request, reply);
  });
};

/** Adds the hook, and `request.caller`. */
export const accessPlugin = fp(access, { name: 'access', dependencies: ['problems'] });
