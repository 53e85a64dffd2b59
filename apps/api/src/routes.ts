/**
 * Registers every declared route. A request is parsed strictly by the route's schemas, and an answer must match its declaration. Without a
 * route, the answer is 404, or, where the path has routes of other methods, 405 with these methods.
 */
import { AppError, decodeHeader, fixedLimit, type Route, type RouteName, routes } from '@funnel/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import type { z } from 'zod';
import { datasetHandlers } from './handlers/datasets.ts';
import { type Context, clientOf, type Handlers, isStream, type RouteReply } from './handlers/handler.ts';
import { limitHandlers } from './handlers/limits.ts';
import { checkpointHandlers, resultHandlers } from './handlers/results.ts';
import { searchHandlers } from './handlers/searches.ts';
import { retentionHandlers, serviceHandlers } from './handlers/service.ts';
import { sweepHandlers } from './handlers/sweeps.ts';
import { bytesHint } from './problems.ts';
import type { RawBody } from './request/bodies.ts';
import { discardRest, isStreamOfBytes } from './request/byte-bodies.ts';
import { parsePart } from './request/parse-part.ts';
import { answerWithin, endOf } from './request/time-limits.ts';

/** The methods of a route. A stream has no HEAD: it would use up one of the streams. */
const methodsOf = (route: Route): readonly string[] =>
  route.method === 'GET' && !isStream(route) ? ['GET', 'HEAD'] : [route.method];

const patterns = (Object.values(routes) as Route[]).map((route) => ({
  methods: methodsOf(route),
  pattern: new RegExp(`^${route.url.replaceAll('.', '\\.').replace(/:[a-z]+/gi, '[^/]+')}$`),
}));

/** The methods of all declared routes at this path. */
const methodsAt = (path: string): readonly string[] => [
  ...new Set(patterns.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods)),
];

/**
 * Answers a request that has no route: 204 for OPTIONS, 405 if the path takes other methods, 400 if a part of the path is too long for a
 * parameter, else 404.
 */
export const answerMissing = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const path = request.url.split('?')[0]!;
  const methods = methodsAt(path);
  if (methods.length === 0)
    throw new AppError('ROUTE_NOT_FOUND', `There is no ${request.method} ${path.slice(0, 200)}`);
  const allowed = [...methods, 'OPTIONS'].join(', ');
  reply.header('allow', allowed);
  if (request.method === 'OPTIONS') return reply.code(204).send();
  if (methods.includes(request.method))
    throw new AppError('INVALID_REQUEST', 'Expected an id in the path, but got a much longer text');
  throw new AppError(
    'METHOD_NOT_ALLOWED',
    `Expected ${allowed} at ${path.slice(0, 200)}, but got ${request.method}`,
  );
};

/** All handlers. A route without a handler, or a handler without a route, does not compile. */
const createHandlers = (context: Context) =>
  ({
    ...sweepHandlers(context),
    ...searchHandlers(context),
    ...resultHandlers(context),
    ...checkpointHandlers(context),
    ...datasetHandlers(context),
    ...retentionHandlers(context),
    ...serviceHandlers(context),
    ...limitHandlers(context),
  }) satisfies Handlers;

/** A handler of any route. `Handlers` has their exact types. */
type AnyHandler = (request: unknown, reply: RouteReply) => Promise<unknown>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The declared route of the request. Pages and files have none. */
    readonly routeName?: RouteName;
  }
}

const decodeHeaders = (headers: FastifyRequest['headers']): FastifyRequest['headers'] =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      typeof value === 'string' ? decodeHeader(value) : value,
    ]),
  );

async function* noParts(): AsyncGenerator<Uint8Array> {}

/** The body of a route that takes bytes, as byteBodiesPlugin makes it. Throws UNSUPPORTED_MEDIA_TYPE. */
const readBytes = ({ isStreamed }: Route, body: unknown): Uint8Array | AsyncIterable<Uint8Array> => {
  if (body === undefined) return isStreamed ? noParts() : new Uint8Array();
  if (body instanceof Uint8Array || isStreamOfBytes(body)) return body;
  throw new AppError(
    'UNSUPPORTED_MEDIA_TYPE',
    'Expected application/octet-stream, but got another content type',
    { hint: bytesHint },
  );
};

const parseRequest = async (name: RouteName, route: Route, request: FastifyRequest, signal: AbortSignal) => {
  const client = clientOf(request);
  return {
    params: route.params && parsePart('params', route.params, request.params),
    query: parsePart('query', route.query, request.query),
    headers: route.headers && parsePart('headers', route.headers, decodeHeaders(request.headers)),
    body:
      route.bytes === undefined
        ? await request.server.planning.read(
            { route: name, body: request.body as RawBody | undefined }, // as bodiesPlugin makes it
            { caller: client, signal },
          )
        : readBytes(route, request.body),
    caller: request.caller,
    author: { actor: request.caller.name, address: request.ip, details: { requestId: request.id } },
    client,
    signal,
    log: request.log,
  };
};

/** The answer as JSON. An answer that does not match its declaration is a fault of ours; clients do not get it. */
const serialize = (name: RouteName, schema: z.ZodType, answer: unknown): string => {
  const result = schema.safeParse(answer);
  if (!result.success) throw new Error(`Expected ${name} to answer as declared`, { cause: result.error });
  return JSON.stringify(result.data);
};

/** Seconds after which the answer is UNAVAILABLE: longer than a plan may take. */
const secondsOf = ({ seconds }: Route, planSeconds: number): number =>
  seconds ?? Math.max(fixedLimit('answerSeconds'), Math.ceil(planSeconds) + 5);

const answerWith =
  (name: RouteName, route: Route, handler: AnyHandler, planSeconds: number) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    reply.code(route.status ?? 200).header('cache-control', 'no-store');
    const answer = await answerWithin(secondsOf(route, planSeconds), async () => {
      try {
        const parsed = await parseRequest(name, route, request, endOf(reply, route.body && planSeconds));
        const handled = handler(parsed, {
          status: (status) => void reply.code(status),
          header: (field, value) => void reply.header(field, value),
        });
        if (route.bytes !== undefined) request.server.keepBody(request, handled);
        return await handled;
      } finally {
        if (route.isStreamed) await discardRest(request);
      }
    });
    const schema = reply.statusCode === 202 ? route.accepted : route.response;
    if (schema) return reply.type('application/json; charset=utf-8').send(serialize(name, schema, answer));
    if (route.produces) return reply.type(route.produces).send(answer);
    return reply.send();
  };

/** The plugins on which this one depends add the other members of Context. */
type RoutesOptions = Omit<
  Context,
  'datasetChecks' | 'hub' | 'metrics' | 'planning' | 'proposer' | 'relay' | 'submissions' | 'wakeActions'
>;

const registerRoutes = async (app: FastifyInstance, options: RoutesOptions): Promise<void> => {
  const { planSeconds } = options.limits;
  const { datasetChecks, eventHub: hub, metrics, planning, proposer, relay, submissions, wakeActions } = app;
  const parts = { datasetChecks, hub, metrics, planning, proposer, relay, submissions, wakeActions };
  const handlers: Handlers = createHandlers({ ...options, ...parts });
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][])
    app.route({
      method: route.method,
      url: route.url,
      exposeHeadRoute: methodsOf(route).includes('HEAD'),
      config: { routeName: name },
      handler: answerWith(name, route, handlers[name] as AnyHandler, planSeconds),
    });
};

/** Registers every declared route. */
export const routesPlugin = fp(registerRoutes, {
  name: 'routes',
  dependencies: [
    ...[
      'problems',
      'bodies',
      'byte-bodies',
      'access',
      'events',
      'metrics',
      'planning',
      'reconciler',
      'background',
    ],
    'dataset-checks',
  ],
});
