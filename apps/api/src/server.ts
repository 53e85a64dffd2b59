/**
 * Closing without waiting for nobody: Node closes connections that have been used and are idle, but waits a minute for one that a
 * browser opened ahead of need and never used.
 */

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import type { ApiOptions } from './app.ts';
import { answerClientError, answerFrameworkError } from './problems.ts';

/** When the app closes, connections without a request end at once, the others with their answer. */
export const endConnectionsOnClose = (app: FastifyInstance): void => {
  const idle = new Set<Socket>();
  let closing = false;

  const rest = (socket: Socket): void => {
    if (closing) socket.destroySoon();
    else if (!socket.destroyed) idle.add(socket);
  };

  app.server.on('connection', (socket: Socket) => {
    rest(socket);
    socket.once('close', () => idle.delete(socket));
  });
  app.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    response.once('close', () => rest(socket));
  });
  app.addHook('preClose', async () => {
    closing = true;
    for (const socket of idle) socket.destroySoon();
  });
};

/** Milliseconds for a request to arrive whole, head and body: a client that drips bytes holds a connection no longer. */
const arrival = 30_000;
/** Connections beside those of streams: what is more is closed at once, before it costs a file. */
const otherConnections = 2000;

export const createServer = (
  options: ApiOptions & { readonly maxBodyBytes: number; readonly maxStreams: number },
): FastifyInstance => {
  const { logger, trustProxy = false, maxBodyBytes, maxStreams } = options;
  const patience = options.arrivalSeconds === undefined ? arrival : options.arrivalSeconds * 1000;
  const app = fastify({
    ...(logger && { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }), // request-log.ts writes one line, not two
    genReqId: () => randomUUID(),
    // The one before us: what callers write into X-Forwarded-For themselves stands before what it adds.
    trustProxy: trustProxy ? (_, hop) => hop === 0 : false,
    bodyLimit: maxBodyBytes,
    requestTimeout: patience,
    http: { headersTimeout: patience, connectionsCheckingInterval: Math.ceil(patience / 3) },
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: answerClientError,
  });
  app.server.maxConnections = maxStreams + otherConnections;
  return app;
};
