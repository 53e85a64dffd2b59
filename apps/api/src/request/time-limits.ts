/**
 * The time of a request. Fastify's `handlerTimeout` and `request.signal` listen to the event `close` of the request, which Node emits as soon as
 * the body has arrived. So they say nothing about a request with a body, and this file takes their place.
 */
import { AppError } from '@funnel/contracts';
import type { FastifyReply } from 'fastify';

/** Aborts when the client has gone before its answer, and after `seconds`. */
export const endOf = (reply: FastifyReply, seconds = Number.POSITIVE_INFINITY): AbortSignal => {
  const end = new AbortController();
  // Not `AbortSignal.any` with `AbortSignal.timeout`: Node 20 may collect such a timeout before it aborts.
  const timer = Number.isFinite(seconds) ? setTimeout(() => end.abort(), 1000 * seconds).unref() : undefined;
  reply.raw.once('close', () => {
    clearTimeout(timer);
    if (!reply.raw.writableFinished) end.abort();
  });
  return end.signal;
};

/** The result of `answer`. Throws UNAVAILABLE when it is not there after `seconds`. A stream may go on for longer. */
export const answerWithin = async <T>(seconds: number, answer: () => Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(
        new AppError('UNAVAILABLE', `Expected an answer within ${seconds} s, but it takes longer`, {
          hint: 'Try again later: the service has much to do. See /metrics.',
        }),
      );
    }, 1000 * seconds);
  });
  try {
    return await Promise.race([answer(), late]);
  } finally {
    clearTimeout(timer);
  }
};
