/** The event stream as an async iterator that does not end with its connection. */
import { type FunnelEventRow, routes } from '@funnel/contracts';
import { createEventStreamParser, type StreamBlock } from './event-stream-parser.ts';
import { FunnelError } from './funnel-error.ts';
import { type Connection, send } from './request.ts';
import { mayRetry, type RetryOptions, retryDelay, wait } from './retry.ts';
import type { EventsOptions } from './types.ts';

/** The service sends a heartbeat every 15 s; a connection without one for this long is dead, whatever TCP thinks. */
const longestSilence = 45_000;

/** The blocks of one connection. Ends when it does, or when it falls silent; `onSilence` must then abort the reading. */
async function* readBlocks(response: Response, onSilence: () => void): AsyncGenerator<StreamBlock> {
  const parse = createEventStreamParser();
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let timer = setTimeout(onSilence, longestSilence);
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = setTimeout(onSilence, longestSilence);
      yield* parse(value);
    }
  } finally {
    clearTimeout(timer);
    await reader.cancel().catch(() => {}); // it may be broken already
  }
}

/**
 * Yields events until `signal` aborts. A lost connection is made again from the last event seen; a refusal (no token, no such sweep)
 * is thrown as FunnelError.
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
    const cut = new AbortController();
    const either = signal ? AbortSignal.any([signal, cut.signal]) : cut.signal;
    try {
      const parts = { query: { sweep }, headers: { accept: 'text/event-stream', 'last-event-id': last } };
      const response = await send(connection, routes.events, parts, either);
      for await (const block of readBlocks(response, () => cut.abort())) {
        failures = 0;
        pause = block.retry ?? pause;
        if (block.data !== undefined) yield JSON.parse(block.data) as FunnelEventRow; // what the service declares
        // After the event was taken: one that was not is sent again.
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
    if (!signal?.aborted) await wait(pause, signal).catch(() => {}); // aborted: the loop ends
  }
}
