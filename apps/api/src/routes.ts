import { AppError, type Route, type RouteName, routes } from '@funnel/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type Context, type Handlers, isStream, localCaller, type RouteReply } from './handlers/handler.ts';
import { checkpointHandlers, resultHandlers } from './handlers/results.ts';
import { retentionHandlers, serviceHandlers } from './handlers/service.ts';
import { sweepHandlers } from './handlers/sweeps.ts';
import type { RawBody } from './request/bodies.ts';
import { parsePart } from './request/parse-part.ts';

/** A HEAD on a stream would hold a place among the streams for nothing. */
export const methodsOf = (route: Route): readonly string[] =>
  route.method === 'GET' && !isStream(route) ? ['GET', 'HEAD'] : [route.method];

const patterns = (Object.values(routes) as Route[]).map((route) => ({
  methods: methodsOf(route),
  pattern: new RegExp(`^${route.url.replaceAll('.', '\\.').replace(/:[a-z]+/gi, '[^/]+')}$`),
}));

/** The methods that some declared route takes at this path. */
export const methodsAt = (path: string): readonly string[] => [
  ...new Set(patterns.filter(({ pattern }) => pattern.test(path)).flatMap(({ methods }) => methods)),
];

/** What is answered where no route is: 204 to OPTIONS, 405 where another method would do, else 404. */
export const answerMissing = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
  const path = request.url.split('?')[0]!;
  const methods = methodsAt(path);
  if (methods.length === 0)
    throw new AppError('ROUTE_NOT_FOUND', `There is no ${request.method} ${path.slice(0, 200)}`);
  const allowed = [...methods, 'OPTIONS'].join(', ');
  reply.header('allow', allowed);
  if (request.method === 'OPTIONS') return reply.code(204).send();
  throw new AppError(
    'METHOD_NOT_ALLOWED',
    `Expected ${allowed} at ${path.slice(0, 200)}, but got ${request.method}`,
  );
};

/** The registry: the compiler refuses a route without a handler, and a handler without a route. */
export const createHandlers = (context: Context) =>
  ({
    ...sweepHandlers(context),
    ...resultHandlers(context),
    ...checkpointHandlers(context),
    ...retentionHandlers(context),
    ...serviceHandlers(context),
  }) satisfies Handlers;

/** Every declared route, registered by one loop: parsed strictly on the way in, held to its declaration on the way out. */

/** A handler as the loop sees it: the types of `Handlers` say for each what it takes and answers. */
type AnyHandler = (request: unknown, reply: RouteReply) => Promise<unknown>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The declaration that this request is for; absent on pages and files. */
    readonly routeName?: RouteName;
  }
}

const clientOf = ({ caller, ip }: FastifyRequest): string =>
  caller === localCaller ? ip : `token ${caller.name}`;

const parseRequest = async (
  name: RouteName,
  route: Route,
  request: FastifyRequest,
  { readBody }: RoutingOptions,
) => {
  const client = clientOf(request);
  return {
    params: route.params && parsePart('params', route.params, request.params),
    query: parsePart('query', route.query, request.query),
    headers: route.headers && parsePart('headers', route.headers, request.headers),
    body: await readBody({ route: name, body: request.body as RawBody | undefined }, client), // as registerBodyParsers leaves it
    caller: request.caller,
    client,
    log: request.log,
  };
};

/** An answer that its own declaration refuses is a fault of ours, and is not sent. */
const serialize = (name: RouteName, route: Route, answer: unknown): string => {
  const result = route.response!.safeParse(answer);
  if (!result.success) throw new Error(`Expected ${name} to answer as declared`, { cause: result.error });
  return JSON.stringify(result.data);
};

/** What the audit log keeps of a change. */
export type Change = {
  /** Name of the token, or `local`. */
  readonly actor: string;
  /** Name of the route. */
  readonly action: string;
  /** Id of what was changed. */
  readonly subject: string | null;
  readonly address: string;
  readonly details: Readonly<Record<string, unknown>>;
};

const idOf = (value: unknown): string | null =>
  typeof value === 'object' && value !== null && 'id' in value && typeof value.id === 'string'
    ? value.id
    : null;

/** Null for what changed nothing: reading, and a submission that was repeated under its key. */
const changeOf = (
  name: RouteName,
  route: Route,
  request: FastifyRequest,
  answer: unknown,
  status: number,
  noted: Change['details'],
): Change | null => {
  const reads = route.method === 'GET' || route.role === 'read';
  if (reads || status !== (route.status ?? 200)) return null;
  return {
    actor: request.caller.name,
    action: name,
    subject: idOf(request.params) ?? idOf(answer),
    address: request.ip,
    details: { requestId: request.id, ...noted },
  };
};

export type RoutingOptions = {
  /** Milliseconds after which a request is answered with UNAVAILABLE; streams are exempt. */
  readonly timeout: number;
  /** The body as its route declares it. Errors: MALFORMED_BODY, INVALID_REQUEST, UNAVAILABLE. */
  readonly readBody: (
    request: { readonly route: RouteName; readonly body: RawBody | undefined },
    client: string,
  ) => Promise<unknown>;
  /** Called after a change and before its answer. */
  readonly audit: (change: Change) => Promise<void>;
};

const answerWith =
  (name: RouteName, route: Route, handler: AnyHandler, options: RoutingOptions) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    reply.code(route.status ?? 200).header('cache-control', 'no-store');
    let noted: Change['details'] = {};
    const answer = await handler(await parseRequest(name, route, request, options), {
      status: (status) => void reply.code(status),
      header: (field, value) => void reply.header(field, value),
      note: (details) => {
        noted = details;
      },
    });
    const change = changeOf(name, route, request, answer, reply.statusCode, noted);
    if (change) await options.audit(change);
    if (route.response)
      return reply.type('application/json; charset=utf-8').send(serialize(name, route, answer));
    if (route.produces) return reply.type(route.produces).send(answer);
    return reply.send();
  };

export const registerRoutes = (app: FastifyInstance, handlers: Handlers, options: RoutingOptions): void => {
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][])
    app.route({
      method: route.method,
      url: route.url,
      exposeHeadRoute: methodsOf(route).includes('HEAD'),
      ...(!isStream(route) && { handlerTimeout: options.timeout }),
      config: { routeName: name },
      handler: answerWith(name, route, handlers[name] as AnyHandler, options),
    });
};
