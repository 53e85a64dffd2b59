import type { FastifyInstance } from 'fastify';
import { Histogram, type Registry } from 'prom-client';

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

/** Latency of every declared route, from the first byte of the request to the last of the answer. */
export const observeRequests = (app: FastifyInstance, registry: Registry): void => {
  const latency = new Histogram({
    name: 'funnel_http_request_seconds',
    help: 'Latency of requests, by route and status.',
    labelNames: ['route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  app.addHook('onResponse', async (request, reply) => {
    const { routeName } = request.routeOptions.config;
    if (routeName === undefined || routeName === 'events') return;
    latency.observe({ route: routeName, status: String(reply.statusCode) }, reply.elapsedTime / 1000);
  });
};
