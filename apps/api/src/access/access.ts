import { AppError, type Role, type Route, roles, routes } from '@funnel/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Caller, isStream, localCaller } from '../handlers/handler.ts';
import { checkHost, checkOrigin, type HostRules } from './hosts.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { hashToken } from './tokens.ts';

/**
 * A stream outlives the request that opened it, and so the look at its token: that is looked at again while it is open, so that a
 * revoked token hears nothing more. One question per token, however many streams it has.
 */
export type StreamWatch = {
  /** `end` is called when the token of this hash (null: none was needed) opens nothing any more. Returns what ends the watch. */
  readonly watch: (tokenHash: string | null, end: () => void) => () => void;
  readonly close: () => void;
};

export type StreamWatchOptions = {
  /** Rejects when it cannot be found out: then the stream goes on. */
  readonly stillOpens: (tokenHash: string | null) => Promise<boolean>;
  readonly milliseconds: number;
};

export const createStreamWatch = ({ stillOpens, milliseconds }: StreamWatchOptions): StreamWatch => {
  const open = new Map<string | null, Set<() => void>>();
  const look = async (tokenHash: string | null, ends: ReadonlySet<() => void>): Promise<void> => {
    if (await stillOpens(tokenHash).catch(() => true)) return;
    for (const end of [...ends]) end();
  };
  const timer = setInterval(() => {
    for (const [tokenHash, ends] of open) void look(tokenHash, ends);
  }, milliseconds);
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

/** Who may call what: one hook before every route, from the `role` that the route declares. */

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

export type AccessOptions = {
  readonly hosts: HostRules;
  /** Whether callers must show a token at all. */
  readonly tokensNeeded: () => Promise<boolean>;
  /** The owner of the token with this hash, if it has not been revoked. */
  readonly findCaller: (tokenHash: string) => Promise<Caller | null>;
  readonly limiter: RateLimiter;
  /** Milliseconds between two looks at the tokens of open streams. */
  readonly watchStreams: number;
};

/** Pages and files, and what needs no role, know no caller. */
const anonymous: Caller = { name: 'anonymous', role: 'read' };

const bearer = ({ headers }: FastifyRequest): string | null =>
  /^Bearer ([!-~]{1,500})$/i.exec(headers.authorization ?? '')?.[1] ?? null;

const routeOf = ({ routeOptions: { config } }: FastifyRequest): Route | null =>
  config.routeName === undefined ? null : routes[config.routeName];

const includes = (held: Role, needed: Role): boolean => roles.indexOf(held) >= roles.indexOf(needed);

const authenticate = async (request: FastifyRequest, options: AccessOptions): Promise<Caller> => {
  if (!(await options.tokensNeeded())) return localCaller;
  const token = bearer(request);
  if (token === null)
    throw new AppError('UNAUTHENTICATED', 'Expected `Authorization: Bearer <token>`, but got none');
  const caller = await options.findCaller(hashToken(token));
  if (!caller)
    throw new AppError(
      'UNAUTHENTICATED',
      'Expected a token that is known and not revoked, but this is not one',
    );
  return caller;
};

const spend = (limiter: RateLimiter, client: string): void => {
  const wait = limiter.take(client);
  if (wait > 0)
    throw new AppError('RATE_LIMITED', `Expected fewer requests from ${client}`, { retryAfterSeconds: wait });
};

/** Ends the answer to `request`, a stream, when what let its caller in does so no more. */
const watchStream = (streams: StreamWatch, request: FastifyRequest, reply: FastifyReply): void => {
  const token = bearer(request);
  const unwatch = streams.watch(
    request.caller === localCaller || token === null ? null : hashToken(token),
    () => reply.raw.destroy(),
  );
  reply.raw.once('close', unwatch);
};

/** Adds the hook and `request.caller`. */
export const registerAccess = (app: FastifyInstance, options: AccessOptions): void => {
  app.decorateRequest('caller');
  const streams = createStreamWatch({
    stillOpens: async (tokenHash) =>
      tokenHash === null ? !(await options.tokensNeeded()) : (await options.findCaller(tokenHash)) !== null,
    milliseconds: options.watchStreams,
  });
  app.addHook('onClose', async () => streams.close());
  app.addHook('onRequest', async (request, reply) => {
    request.caller = anonymous;
    checkHost(options.hosts, request);
    checkOrigin(request);
    // By address first: trying tokens must cost something too.
    spend(options.limiter, request.ip);
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
    if (caller !== localCaller) spend(options.limiter, `token ${caller.name}`);
    if (isStream(route)) watchStream(streams, request, reply);
  });
};
