/**
 * Bodies of bytes, which few routes take (`bytes` in their declaration). Only some are in memory at a time, over all callers: a body that
 * has no place yet stays in the socket of its client. A place is free again when the request is answered and its handler has ended. A client
 * that goes away ends no handler, so it cannot make room for itself.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { finished } from 'node:stream/promises';
import { AppError, datasetChunkBytes, fixedLimit, type Route, routes } from '@funnel/contracts';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import fp from 'fastify-plugin';
import { clientOf } from '../handlers/handler.ts';
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

export const isStreamOfBytes = (body: unknown): body is AsyncGenerator<Uint8Array> =>
  typeof body === 'object' && body !== null && Symbol.asyncIterator in body;

/** Throws away what a handler has left of a streamed body: many clients read no answer before they have sent everything. */
export const discardRest = async ({ body, raw }: FastifyRequest): Promise<void> => {
  if (isStreamOfBytes(body)) await body.return(undefined); // it waits for data, and would keep them from flowing
  raw.resume();
  await finished(raw).catch(() => {}); // the client has gone, or its time is over
};

/** Reads the body into `buffer`. Throws BODY_TOO_LARGE. */
const readInto = async (payload: IncomingMessage, buffer: Uint8Array): Promise<Uint8Array> => {
  let length = 0;
  for await (const part of partsOf(payload, buffer.length)) {
    buffer.set(part, length);
    length += part.length;
  }
  return buffer.subarray(0, length);
};

/** The bytes of a body that are in memory at most: a chunk, also of a streamed one, which becomes chunks of a data set. */
const placeBytes = datasetChunkBytes;

declare module 'fastify' {
  interface FastifyInstance {
    /** The bytes that bodies of bytes may take in memory now. */
    readonly heldBodyBytes: () => number;
    /** Keeps the place of a body until its handler has ended. To be called when the handler begins. */
    readonly keepBody: (request: FastifyRequest, handler: Promise<unknown>) => void;
  }
}

const byteBodies = async (app: FastifyInstance): Promise<void> => {
  const queue = createFairQueue({ slots: fixedLimit('byteBodies') });
  const answers = new WeakMap<FastifyRequest, ServerResponse>();
  const handlers = new WeakMap<FastifyRequest, Promise<unknown>>();
  /** Buffers of bodies that have ended. The next bodies use them again: new ones would stay in memory until the next collection of garbage. */
  const buffers: Uint8Array[] = [];
  let held = 0;

  const hold = async (request: FastifyRequest, use: (buffer: Uint8Array) => void): Promise<void> => {
    const answer = answers.get(request)!;
    if (answer.closed || answer.destroyed) return; // the client has gone while it waited
    held += placeBytes;
    const buffer = buffers.pop() ?? Buffer.allocUnsafe(placeBytes);
    use(buffer);
    await new Promise<void>((end) => answer.once('close', end));
    await handlers.get(request)?.catch(() => {}); // its answer has told the fault
    buffers.push(buffer);
    held -= placeBytes;
  };

  /** Resolves to a buffer for the body when the request has a place. Throws RATE_LIMITED. */
  const takePlace = (request: FastifyRequest): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      queue
        .run(clientOf(request), () => hold(request, resolve))
        .then(() => reject(new Error('The client has gone')), reject);
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
      const buffer = await takePlace(request);
      return route.isStreamed
        ? partsOf(payload, route.bytes)
        : readInto(payload, buffer.subarray(0, route.bytes));
    },
  );
  app.decorate('heldBodyBytes', () => held);
  app.decorate('keepBody', (request, handler) => void handlers.set(request, handler));
};

/** Adds the parser of `application/octet-stream`. */
export const byteBodiesPlugin = fp(byteBodies, { name: 'byte-bodies', dependencies: ['bodies', 'access'] });
