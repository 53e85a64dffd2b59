import { AppError, type Route, routes } from '@funnel/contracts';
import type { FastifyReply, FastifyRequest } from 'fastify';

export const streams = (route: Route): boolean => route.produces === 'text/event-stream';

/** A HEAD on a stream would hold a place among the streams for nothing. */
export const methodsOf = (route: Route): readonly string[] =>
  route.method === 'GET' && !streams(route) ? ['GET', 'HEAD'] : [route.method];

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
