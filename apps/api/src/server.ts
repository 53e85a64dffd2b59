/** The HTTP server under the app: its limits, and how it closes its connections. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import fp from 'fastify-plugin';
import type { ApiOptions } from './app.ts';
import { answerClientError, answerFrameworkError } from './problems.ts';

const connections = async (app: FastifyInstance): Promise<void> => {
  const idle = new Set<Socket>();
  let closing = false;

  const setIdle = (socket: Socket): void => {
    if (closing) socket.destroySoon();
    else if (!socket.destroyed) idle.add(socket);
  };

  app.server.on('connection', (socket: Socket) => {
    setIdle(socket);
    socket.once('close', () => idle.delete(socket));
  });
  app.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    response.once('close', () => setIdle(socket));
  });
  app.addHook('preClose', async () => {
    closing = true;
    for (const socket of idle) socket.destroySoon();
  });
};

/**
 * When the app closes, connections without a request end at once, and the others after their answer. Node itself closes idle connections
 * only after their first request; for one that a browser opened in advance and never used, it waits a minute.
 */
export const connectionsPlugin = fp(connections, { name: 'connections' });

/** Milliseconds for a whole request to arrive, so that a client that sends byte by byte does not hold a connection for long. */
const arrivalTimeoutMs = 30_000;
/** How many connections there may be besides those of streams. Node closes further ones at once. */
const otherConnections = 2000;

export const createServer = (
  options: ApiOptions & { readonly maxBodyBytes: number; readonly maxStreams: number },
): FastifyInstance => {
  const { logger, trustProxy = false, maxBodyBytes, maxStreams } = options;
  const timeout = options.arrivalSeconds === undefined ? arrivalTimeoutMs : options.arrivalSeconds * 1000;
  const app = fastify({
    ...(logger && { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }), // observe-requests.ts writes one line instead of two
    genReqId: () => randomUUID(),
    // Only the proxy in front of this service is trusted: it adds the last address of X-Forwarded-For, and callers may write the others.
    trustProxy: trustProxy ? (_, hop) => hop === 0 : false,
    bodyLimit: maxBodyBytes,
    requestTimeout: timeout,
    http: { headersTimeout: timeout, connectionsCheckingInterval: Math.ceil(timeout / 3) },
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
  });
  app.server.maxConnections = maxStreams + otherConnections;
  return app;
};
