/**
 * Bodies of bytes, which few routes take (`bytes` in their declaration). Only some are in memory at a time, over all callers: a body that
 * has no place yet stays in the socket of its client. A place is free again when the request is answered.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError, datasetChunkBytes, fixedLimit, type Route, routes } from '@funnel/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { localCaller } from '../handlers/handler.ts';
import { createFairQueue } from '../planning/fair-queue.ts';

const routeOf = ({ routeOptions: { config } }: FastifyRequest): Route | undefined =>
  config.routeName && routes[config.routeName];

/** The parts of a body as they arrive. Throws BODY_TOO_LARGE. */
async function* partsOf(payload: IncomingMessage, limit: number): AsyncGenerator<Uint8Array> {
  const tooLarge = () => new AppError('BODY_TOO_LARGE', `Expected at most ${limit} bytes, but got more`);
  if (Number(payload.headers['content-length'] ?? 0) > limit) throw tooLarge();
  let length = 0;
  // Without the option, Node would close the connection before a refusal is sent.
  for await (const part of payload.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += part.length;
    if (length > limit) throw tooLarge();
    yield part;
  }
}

/** Reads into one buffer, so that no byte is in memory twice. Throws BODY_TOO_LARGE. */
const readWhole = async (payload: IncomingMessage, limit: number): Promise<Uint8Array> => {
  const buffer = Buffer.allocUnsafe(Math.min(limit, Number(payload.headers['content-length'] ?? limit)));
  let length = 0;
  for await (const part of partsOf(payload, limit)) {
    buffer.set(part, length);
    length += part.length;
  }
  return buffer.subarray(0, length);
};

/** The bytes of a body that are in memory at most: of a streamed one, a chunk of the data set that it becomes. */
const heldBytesOf = ({ bytes = 0, isStreamed }: Route): number => (isStreamed ? datasetChunkBytes : bytes);

declare module 'fastify' {
  interface FastifyInstance {
    /** The bytes that bodies of bytes may take in memory now. */
    readonly heldBodyBytes: () => number;
  }
}

const byteBodies = async (app: FastifyInstance): Promise<void> => {
  const queue = createFairQueue({ slots: fixedLimit('byteBodies') });
  const answers = new WeakMap<FastifyRequest, ServerResponse>();
  let held = 0;

  /** Resolves when the request has a place for `bytes` in memory. Throws RATE_LIMITED. */
  const takePlace = (request: FastifyRequest, bytes: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const client = request.caller === localCaller ? request.ip : `token ${request.caller.name}`;
      const answer = answers.get(request)!;
      const hold = async (): Promise<void> => {
        if (answer.closed || answer.destroyed) return; // the client has gone while it waited
        held += bytes;
        resolve();
        await new Promise<void>((end) => answer.once('close', end));
        held -= bytes;
      };
      queue.run(client, hold).then(() => reject(new Error('The client has gone')), reject);
    });

  app.addHook('onRequest', async (request, reply) => {
    if (routeOf(request)?.bytes !== undefined) answers.set(request, reply.raw);
  });
  app.addContentTypeParser(
    'application/octet-stream',
    async (
      request: FastifyRequest,
      payload: IncomingMessage,
    ): Promise<Uint8Array | AsyncIterable<Uint8Array>> => {
      const route = routeOf(request);
      if (route?.bytes === undefined)
        throw new AppError(
          'UNSUPPORTED_MEDIA_TYPE',
          'Expected application/json or application/yaml, but got application/octet-stream',
        );
      await takePlace(request, heldBytesOf(route));
      return route.isStreamed ? partsOf(payload, route.bytes) : readWhole(payload, route.bytes);
    },
  );
  app.decorate('heldBodyBytes', () => held);
};

/** Adds the parser of `application/octet-stream`. */
export const byteBodiesPlugin = fp(byteBodies, { name: 'byte-bodies', dependencies: ['bodies', 'access'] });
