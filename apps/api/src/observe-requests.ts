/** Notes every request: a line in the log, and its latency. */
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

const observeRequests = async (app: FastifyInstance): Promise<void> => {
  app.addHook('onResponse', async (request, reply) => {
    const { method, ip, caller, routeOptions } = request;
    const { routeName: route } = routeOptions.config;
    // An event stream has no latency: it lasts as long as its client wants.
    if (route !== undefined && route !== 'events')
      app.metrics.observeRequest({ route, status: reply.statusCode, seconds: reply.elapsedTime / 1000 });
    // Headers and bodies stay out of the log, since they may hold tokens.
    const level = method === 'GET' || method === 'HEAD' ? 'debug' : 'info';
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

/** Logs one line per request, changes at `info` and reads at `debug`, and measures the latency of every declared route. */
export const observeRequestsPlugin = fp(observeRequests, {
  name: 'observe-requests',
  dependencies: ['access', 'metrics'],
});
