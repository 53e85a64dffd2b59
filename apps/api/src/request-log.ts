import type { FastifyInstance } from 'fastify';

/** One line per request: changes at `info`, reading at `debug`. No headers, no bodies: tokens stay out of logs. */
export const logRequests = (app: FastifyInstance): void => {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id);
  });
  app.addHook('onResponse', async (request, reply) => {
    const { routeName: route } = request.routeOptions.config;
    const level = request.method === 'GET' || request.method === 'HEAD' ? 'debug' : 'info';
    const { method, ip, caller } = request;
    request.log[level](
      {
        method,
        route,
        status: reply.statusCode,
        milliseconds: Math.round(reply.elapsedTime),
        ip,
        caller: caller?.name,
      },
      'answered a request',
    );
  });
};
