/** The HTTP server under the app: its limits, and how it closes its connections. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import {
  AppError,
  allConnections,
  fixedLimit,
  plural,
  type ServiceLimits,
  variableOf,
} from '@funnel/contracts';
import fastify, { type FastifyInstance, LogController } from 'fastify';
import fp from 'fastify-plugin';
import type { ApiOptions } from './app.ts';
import { answerClientError, answerFrameworkError } from './problems.ts';
import { createWarning } from './warning.ts';

/** Counts the connections of each address, so that no address can take them all. */
const createShares = (perAddress: number) => {
  const open = new Map<string, number>();
  return {
    /** Counts `socket` until it closes. Returns false if its address has its share already. */
    add: (socket: Socket): boolean => {
      const { remoteAddress: address } = socket;
      if (address === undefined) return true; // the client has closed the connection
      const count = open.get(address) ?? 0;
      if (count >= perAddress) return false;
      open.set(address, count + 1);
      socket.once('close', () => {
        const left = open.get(address)! - 1;
        if (left > 0) open.set(address, left);
        else open.delete(address);
      });
      return true;
    },
  };
};

type ConnectionsOptions = {
  /** Connections of one address at a time. */
  readonly perAddress: number;
};

const connections = async (app: FastifyInstance, { perAddress }: ConnectionsOptions): Promise<void> => {
  const shares = createShares(perAddress);
  const warnOfFullShare = createWarning(app.log, 'an address has too many connections');

  /**
   * For each open connection, the number of requests without an answer. There may be several, because a client may send a request before
   * it has the answer to the last.
   */
  const waiting = new Map<Socket, number>();
  let closing = false;

  const addWaiting = (socket: Socket, change: 1 | -1): void => {
    const before = waiting.get(socket);
    if (before === undefined) return; // the client has closed the connection
    waiting.set(socket, before + change);
    if (closing && before + change === 0) socket.destroySoon();
  };

  app.server.on('connection', (socket: Socket) => {
    if (!shares.add(socket)) {
      warnOfFullShare(
        `Expected at most ${plural(perAddress, 'connection')} of ${socket.remoteAddress} (${variableOf('ownConnections')}), but got more`,
      );
      socket.destroy(); // an answer would cost more than the connection
      return;
    }
    waiting.set(socket, 0);
    if (closing) socket.destroySoon();
    socket.once('close', () => waiting.delete(socket));
  });
  app.server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    addWaiting(socket, 1);
    response.once('close', () => addWaiting(socket, -1));
  });
  // Refuses a request that comes on a connection whose last request still runs. Fastify would refuse it too, but its answer is not a problem
  // document (RFC 9457).
  app.addHook('onRequest', async () => {
    if (closing) throw new AppError('UNAVAILABLE', 'Expected the service to go on, but it is closing');
  });
  // A refusal may be there before the client has sent its whole body. Fastify then asks Node to close the connection, which resets it: a
  // client that still sends would lose the answer. Without the header, Node throws the rest of the body away, for `arrivalSeconds` at most.
  app.addHook('onSend', async ({ raw }, reply) => {
    if (!raw.complete && !closing) reply.removeHeader('connection');
  });
  app.addHook('preClose', async () => {
    closing = true;
    for (const [socket, requests] of waiting) if (requests === 0) socket.destroySoon();
  });
};

/**
 * Closes connections of an address that has its share of them at once. When the app closes, connections without a request end at once, and
 * the others after their answer. Node closes an idle connection at once only if it had a request before. Browsers open connections in
 * advance; Node would wait a minute for such an unused one.
 */
export const connectionsPlugin = fp(connections, { name: 'connections' });

type ServerOptions = Pick<ApiOptions, 'logger' | 'trustProxy' | 'arrivalSeconds' | 'idleSeconds'> & {
  readonly limits: ServiceLimits;
};

export const createServer = ({
  logger,
  trustProxy = false,
  limits,
  ...given
}: ServerOptions): FastifyInstance => {
  const { arrivalSeconds = fixedLimit('arrivalSeconds'), idleSeconds = fixedLimit('idleSeconds') } = given;
  const timeout = 1000 * arrivalSeconds;
  const app: FastifyInstance = fastify({
    ...(logger && { loggerInstance: logger }),
    logController: new LogController({ disableRequestLogging: true }), // observe-requests.ts writes one line instead of two
    genReqId: () => randomUUID(),
    // Only the proxy in front of this service is trusted: it adds the last address of X-Forwarded-For, and callers may write the others.
    trustProxy: trustProxy ? (_, hop) => hop === 0 : false,
    bodyLimit: limits.bodyBytes,
    requestTimeout: timeout,
    connectionTimeout: 1000 * idleSeconds, // a client that does not read its answer; streams have heartbeats
    http: {
      headersTimeout: timeout,
      maxHeaderSize: fixedLimit('headerBytes'),
      connectionsCheckingInterval: Math.ceil(timeout / 3),
      requireHostHeader: false, // `checkHost` requires it, and answers with a problem
    },
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: answerFrameworkError,
    clientErrorHandler: (fault, socket) => answerClientError(fault, socket, app.log),
    return503OnClosing: false, // connectionsPlugin refuses these requests
  });
  // Node would answer 417 to an unknown `Expect` header. HTTP allows a server to ignore this header.
  app.server.on('checkExpectation', (request, response) => app.server.emit('request', request, response));
  app.server.maxConnections = allConnections(limits);
  return app;
};
