/**
 * Bodies of bytes, which few routes take (`bytes` in their declaration). Only some are in memory at a time, over all callers: a body that
 * has no place yet stays in the socket of its client. A place is free again when the request is answered.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, type Route, routes } from '@funnel/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { localCaller } from '../handlers/handler.ts';
import { createFairQueue } from '../planning/planning.ts';

/** Bodies in memory at a time. One caller alone gets all places but one. */
const places = 3;

const limitOf = ({ routeOptions: { config } }: FastifyRequest): number | undefined =>
  config.routeName === undefined ? undefined : (routes[config.routeName] as Route).bytes;

const tooLarge = (limit: number): AppError =>
  new AppError('BODY_TOO_LARGE', `Expected at most ${limit} bytes, but got more`);

/** Reads into one buffer, so that no byte is in memory twice. Throws BODY_TOO_LARGE. */
const readBytes = async (payload: IncomingMessage, limit: number): Promise<Uint8Array> => {
  const announced = Number(payload.headers['content-length'] ?? limit);
  if (announced > limit) throw tooLarge(limit);
  const buffer = Buffer.allocUnsafe(announced);
  let length = 0;
  for await (const part of payload as AsyncIterable<Buffer>) {
    if (length + part.length > announced) throw tooLarge(limit);
    length += part.copy(buffer, length);
  }
  return buffer.subarray(0, length);
};

declare module 'fastify' {
  interface FastifyInstance {
    /** Bodies of bytes that are in memory now. */
    readonly countByteBodies: () => number;
  }
}

const byteBodies = async (app: FastifyInstance): Promise<void> => {
  const queue = createFairQueue(places);
  const answers = new WeakMap<FastifyRequest, ServerResponse>();
  let held = 0;

  /** Resolves when the request has a place. Throws RATE_LIMITED. */
  const takePlace = (request: FastifyRequest): Promise<void> =>
    new Promise((resolve, reject) => {
      const client = request.caller === localCaller ? request.ip : `token ${request.caller.name}`;
      const answer = answers.get(request)!;
      const hold = async (): Promise<void> => {
        if (answer.closed || answer.destroyed) return; // the client has gone while it waited
        held++;
        resolve();
        await new Promise<void>((end) => answer.once('close', end));
        held--;
      };
      queue.run(client, hold).then(() => reject(new Error('The client has gone')), reject);
    });

  app.addHook('onRequest', async (request, reply) => {
    if (limitOf(request) !== undefined) answers.set(request, reply.raw);
  });
  app.addContentTypeParser(
    'application/octet-stream',
    async (request: FastifyRequest, payload: IncomingMessage): Promise<Uint8Array> => {
      const limit = limitOf(request);
      if (limit === undefined)
        throw new AppError(
          'UNSUPPORTED_MEDIA_TYPE',
          'Expected application/json or application/yaml, but got application/octet-stream',
        );
      await takePlace(request);
      return readBytes(payload, limit);
    },
  );
  app.decorate('countByteBodies', () => held);
};

/** Adds the parser of `application/octet-stream`. */
export const byteBodiesPlugin = fp(byteBodies, { name: 'byte-bodies', dependencies: ['bodies', 'access'] });
