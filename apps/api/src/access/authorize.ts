/** Who may call what: one hook before every route, from the `role` that the route declares. */
import { createHash } from 'node:crypto';
import { AppError, type Role, type Route, roles, routes } from '@funnel/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { streams as isStream } from '../routing/answer-missing.ts';
import type { Caller } from '../routing/handler.ts';
import { checkHost, checkOrigin, type HostRules } from './hosts.ts';
import type { RateLimiter } from './rate-limiter.ts';
import { createStreamWatch, type StreamWatch } from './stream-watch.ts';

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

/** Only the hash of a token is stored: 256 random bits need no salt and no slow hash. */
export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex');

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

/** Whoever calls where no token is needed. */
export const localCaller: Caller = { name: 'local', role: 'admin' };
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
