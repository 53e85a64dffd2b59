/** The HTTP server under the app: its limits, and how it closes its connections. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { AppError } from '@funnel/contracts';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import fp from 'fastify-plugin';
import type { ApiOptions } from './app.ts';
import { answerClientError, answerFrameworkError } from './problems.ts';

const connections = async (app: FastifyInstance): Promise<void> => {
  /** Open connections, and how many of their requests wait for an answer: a client need not wait before it sends the next one. */
  const waiting = new Map<Socket, number>();
  let closing = false;

  const addWaiting = (socket: Socket, change: 1 | -1): void => {
    const before = waiting.get(socket);
    if (before === undefined) return; // the client has closed the connection
    waiting.set(socket, before + change);
    if (closing && before + change === 0) socket.destroySoon();
  };

  app.server.on('connection', (socket: Socket) => {
    waiting.set(socket, 0);
    if (closing) socket.destroySoon();
    socket.once('close', () => waiting.delete(socket));
  });
  app.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    addWaiting(socket, 1);
    response.once('close', () => addWaiting(socket, -1));
  });
  // A request that comes after a running one on the same connection. Fastify's own refusal would not be a problem (RFC 9457).
  app.addHook('onRequest', async () => {
    if (closing) throw new AppError('UNAVAILABLE', 'Expected the service to go on, but it is closing');
  });
  app.addHook('preClose', async () => {
    closing = true;
    for (const [socket, requests] of waiting) if (requests === 0) socket.destroySoon();
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
  const app: FastifyInstance = fastify({
    ...(logger && { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }), // observe-requests.ts writes one line instead of two
    genReqId: () => randomUUID(),
    // Only the proxy in front of this service is trusted: it adds the last address of X-Forwarded-For, and callers may write the others.
    trustProxy: trustProxy ? (_, hop) => hop === 0 : false,
    bodyLimit: maxBodyBytes,
    requestTimeout: timeout,
    http: {
      headersTimeout: timeout,
      connectionsCheckingInterval: Math.ceil(timeout / 3),
      requireHostHeader: false, // `checkHost` requires it, and answers with a problem
    },
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: (fault, socket) => answerClientError(fault, socket, app.log),
    return503OnClosing: false, // connectionsPlugin refuses these requests
  });
  // Node itself would answer 417 to an expectation that it does not know. HTTP allows to ignore it.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.server.maxConnections = maxStreams + otherConnections;
  return app;
};
