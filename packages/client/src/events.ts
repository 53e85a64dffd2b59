/** The event stream as an async iterator that continues after a lost connection. */
import { type FunnelEventRow, routes } from '@funnel/contracts';
import { createParser } from 'eventsource-parser';
import type { EventsOptions } from './client.ts';
import {
  type Answer,
  type Connection,
  FunnelError,
  mayRetry,
  type RetryOptions,
  retryDelay,
  send,
  wait,
} from './request.ts';

/**
 * Milliseconds. The service sends a heartbeat every 15 s, so a connection that is silent for longer is broken, even if TCP has not noticed.
 */
const silenceTimeoutMs = 45_000;

type StreamBlock = {
  /** The id of the position in the stream. */
  readonly id?: string;
  /** An event in JSON. Heartbeats have none. */
  readonly data?: string;
  /** Milliseconds to wait before connecting again. */
  readonly retry?: number;
};

/** Returns a function that takes the text in pieces of any length, and returns the blocks that each piece completes. */
const createBlockParser = (): ((piece: string) => readonly StreamBlock[]) => {
  let blocks: StreamBlock[] = [];
  const parser = createParser({
    onEvent: ({ id, data }) => blocks.push({ id, data }),
    onRetry: (retry) => blocks.push({ retry }),
    // The parser reports no id of a block without data, so the service repeats that id in a comment.
    onComment: (comment) => {
      const id = /^id (\S+)$/.exec(comment)?.[1];
      if (id !== undefined) blocks.push({ id });
    },
  });
  return (piece) => {
    blocks = [];
    parser.feed(piece);
    return blocks;
  };
};

/** The blocks of one connection, until it ends. If it is silent for too long, calls `onSilence`, which must abort the connection. */
async function* readBlocks(response: Answer, onSilence: () => void): AsyncGenerator<StreamBlock> {
  const parse = createBlockParser();
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let timer = setTimeout(onSilence, silenceTimeoutMs);
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(onSilence, silenceTimeoutMs);
      yield* parse(value);
    }
  } finally {
    clearTimeout(timer);
    await reader.cancel().catch(() => {}); // the connection may already be broken
  }
}

/**
 * Yields events until `signal` aborts. After a lost connection it reconnects and continues after the last event. Throws a FunnelError when
 * the service refuses the stream (no token, unknown sweep).
 */
export async function* streamEvents(
  connection: Connection,
  retry: RetryOptions,
  { sweep, lastEventId, signal }: EventsOptions,
): AsyncGenerator<FunnelEventRow, void, undefined> {
  let last = lastEventId;
  let pause = retry.backoff;
  let failures = 0;
  while (!signal?.aborted) {
    const silence = new AbortController();
    const either = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
    try {
      const parts = { query: { sweep }, headers: { accept: 'text/event-stream', 'last-event-id': last } };
      const response = await send(connection, routes.events, parts, either);
      for await (const block of readBlocks(response, () => silence.abort())) {
        failures = 0;
        pause = block.retry ?? pause;
        if (block.data !== undefined) yield JSON.parse(block.data) as FunnelEventRow; // the route declares this type
        // After the `yield`: an event that the caller did not take is sent again.
        last = block.id ?? last;
      }
    } catch (error) {
      if (error instanceof FunnelError && !mayRetry(error, true)) throw error;
      failures++;
      if (error instanceof FunnelError) {
        await wait(retryDelay(error, Math.min(failures, 6), retry), signal).catch(() => {});
        continue;
      }
    }
    if (!signal?.aborted) await wait(pause, signal).catch(() => {}); // after an abort the loop ends
  }
}
