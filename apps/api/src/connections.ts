/**
 * Closing without waiting for nobody: Node closes connections that have been used and are idle, but waits a minute for one that a
 * browser opened ahead of need and never used.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';

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
