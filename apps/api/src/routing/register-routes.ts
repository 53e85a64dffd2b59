/** Every declared route, registered by one loop: parsed strictly on the way in, held to its declaration on the way out. */
import { type Route, type RouteName, routes } from '@funnel/contracts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { parsePart } from '../request/parse-part.ts';
import { methodsOf, streams } from './answer-missing.ts';
import type { Handlers, RouteReply } from './handler.ts';

/** A handler as the loop sees it: the types of `Handlers` say for each what it takes and answers. */
type AnyHandler = (request: unknown, reply: RouteReply) => Promise<unknown>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The declaration that this request is for; absent on pages and files. */
    readonly routeName?: RouteName;
  }
}

const parseRequest = (route: Route, request: FastifyRequest) => ({
  params: route.params && parsePart('params', route.params, request.params),
  query: parsePart('query', route.query, request.query),
  headers: route.headers && parsePart('headers', route.headers, request.headers),
  body: parsePart('body', route.body, request.body),
  caller: request.caller,
  log: request.log,
});

/** An answer that its own declaration refuses is a fault of ours, and is not sent. */
const serialize = (name: RouteName, route: Route, answer: unknown): string => {
  const result = route.response!.safeParse(answer);
  if (!result.success) throw new Error(`Expected ${name} to answer as declared`, { cause: result.error });
  return JSON.stringify(result.data);
};

const answerWith =
  (name: RouteName, route: Route, handler: AnyHandler) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<unknown> => {
    reply.code(route.status ?? 200);
    const answer = await handler(parseRequest(route, request), {
      status: (status) => void reply.code(status),
      header: (field, value) => void reply.header(field, value),
    });
    if (route.response)
      return reply.type('application/json; charset=utf-8').send(serialize(name, route, answer));
    if (route.produces) return reply.type(route.produces).send(answer);
    return reply.send();
  };

export type RoutingOptions = {
  /** Milliseconds after which a request is answered with UNAVAILABLE; streams are exempt. */
  readonly timeout: number;
};

export const registerRoutes = (
  app: FastifyInstance,
  handlers: Handlers,
  { timeout }: RoutingOptions,
): void => {
  for (const [name, route] of Object.entries(routes) as [RouteName, Route][]) {
    app.route({
      method: route.method,
      url: route.url,
      // A HEAD on a stream would hold a place among the streams for nothing.
      exposeHeadRoute: methodsOf(route).includes('HEAD'),
      ...(!streams(route) && { handlerTimeout: timeout }),
      config: { routeName: name },
      handler: answerWith(name, route, handlers[name] as AnyHandler),
    });
  }
};
