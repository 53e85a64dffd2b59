import { type FunnelEventRow, routes } from '@funnel/contracts';
import type { EventsOptions } from './client.ts';
import {
  type Connection,
  FunnelError,
  mayRetry,
  type RetryOptions,
  retryDelay,
  send,
  wait,
} from './request.ts';

/** The text of an event stream, piece by piece: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */

export type StreamBlock = {
  /** The id that the stream has reached, if this block says so. */
  readonly id?: string;
  /** Absent: nothing to hand on (a comment, a heartbeat). */
  readonly data?: string;
  /** Milliseconds to wait before coming back. */
  readonly retry?: number;
};

const parseBlock = (lines: readonly string[]): StreamBlock => {
  const block: { id?: string; data?: string; retry?: number } = {};
  for (const line of lines) {
    const [, field = '', value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
    if (field === 'data') block.data = block.data === undefined ? value : `${block.data}\n${value}`;
    if (field === 'id' && !value.includes('\0')) block.id = value;
    if (field === 'retry' && /^\d+$/.test(value)) block.retry = Number(value);
  }
  return block;
};

/** Takes pieces as they come, cut anywhere; answers the blocks that are complete. */
export const createEventStreamParser = (): ((piece: string) => readonly StreamBlock[]) => {
  let rest = '';
  let lines: string[] = [];
  return (piece) => {
    // A CR at the end may be half of a CRLF: it waits for the next piece.
    const text = rest + piece;
    const end = text.endsWith('\r') ? text.length - 1 : text.length;
    const parts = text.slice(0, end).split(/\r\n|\n|\r/);
    rest = parts.pop()! + text.slice(end);
    const blocks: StreamBlock[] = [];
    for (const line of parts) {
      if (line !== '') lines.push(line);
      else if (lines.length > 0) {
        blocks.push(parseBlock(lines));
        lines = [];
      }
    }
    return blocks;
  };
};

/** The event stream as an async iterator that does not end with its connection. */

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
