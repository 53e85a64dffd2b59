import { once } from 'node:events';
import type { Readable } from 'node:stream';
import type { FunnelEventRow } from '@funnel/contracts';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createEventHub, createStreamLimits, type EventHubOptions } from '../../src/events/event-hub.ts';
import type { EventSource } from '../../src/events/event-stream.ts';

/** A source of events in memory. Like a database, it answers late. */
const createLog = () => {
  const rows: FunnelEventRow[] = [];
  let wake = (): void => {};
  const later = () => new Promise<void>((resolve) => setImmediate(resolve));
  const isAfter = (id: string, cursor: string) => BigInt(id) > BigInt(cursor);
  const source: EventSource = {
    after: async ({ after, sweep, limit }) => {
      await later();
      const found = rows
        .filter((row) => isAfter(row.id, after) && (!sweep || row.event.sweepId === sweep))
        .slice(0, limit);
      await later();
      return found;
    },
    latest: async () => rows.at(-1)?.id ?? '0',
    isAfter,
    listen: async (callback) => {
      wake = callback;
      return {
        close: async () => {
          wake = () => {};
        },
      };
    },
  };
  const write = (count: number, sweepId = 's', text = ''): void => {
    for (let i = 0; i < count; i++) {
      const id = String(rows.length + 1);
      rows.push({
        id,
        at: '2026-11-01T00:00:00.000Z',
        event: { type: 'trial', sweepId, trialId: text, status: 'running' },
      });
    }
    wake();
  };
  return { source, write };
};

const openHub = (source: EventSource, options: Partial<EventHubOptions> = {}) => {
  const onError = vi.fn();
  const hub = createEventHub({
    source,
    limits: createStreamLimits({ total: 10, perCaller: 10 }),
    bufferBytes: 64 * 1024,
    heartbeat: 3_600_000,
    onError,
    ...options,
  });
  onTestFinished(() => hub.close());
  return { hub, onError };
};

/** The ids of the first `count` events. */
const collect = async (readable: Readable, count: number): Promise<string[]> => {
  const ids: string[] = [];
  for await (const chunk of readable) {
    for (const [, id] of String(chunk).matchAll(/^id: (\d+)\ndata:/gm)) ids.push(id!);
    if (ids.length >= count) break;
  }
  return ids;
};
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

describe('createEventHub', () => {
  test('a client that connects again gets missed events, then new ones, each once and in order', async () => {
    const { source, write } = createLog();
    write(1200);
    const { hub } = openHub(source);
    const collected = collect(await hub.open({ caller: null, lastEventId: '100' }), 1500);
    for (let i = 0; i < 40; i++) {
      write(10);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await collected).toEqual(numbers(101, 1600));
  });

  test('of many clients that replay all events, few read at a time, and each gets every event once', async () => {
    const { source, write } = createLog();
    write(1200);
    let reading = 0;
    let most = 0;
    const rowCounts: number[] = [];
    const after: EventSource['after'] = async (query) => {
      most = Math.max(most, ++reading);
      const rows = await source.after(query);
      rowCounts.push(rows.length);
      reading--;
      return rows;
    };
    const { hub } = openHub(
      { ...source, after },
      { limits: createStreamLimits({ total: 40, perCaller: 40 }) },
    );
    const clients = Array.from({ length: 40 }, async (_, i) =>
      collect(await hub.open({ caller: `caller ${i % 4}`, lastEventId: '0' }), 1200),
    );
    expect(new Set((await Promise.all(clients)).map(String))).toEqual(new Set([String(numbers(1, 1200))]));
    expect(most).toBeLessThanOrEqual(4); // three replays, and the hub that reads new events
    expect(Math.max(...rowCounts)).toBeLessThanOrEqual(500);
  });

  test('other work gets its turn between the pages of replays, even if the database answers at once', async () => {
    const { source, write } = createLog();
    write(3000);
    const all = await source.after({ after: '0', limit: 3000 });
    let turn = 0;
    const pagesByTurn = new Map<number, number>();
    const after: EventSource['after'] = async ({ after: cursor, limit }) => {
      pagesByTurn.set(turn, (pagesByTurn.get(turn) ?? 0) + 1);
      return all.slice(Number(cursor), Number(cursor) + limit);
    };
    const count = (): void => {
      turn++;
      turning = setImmediate(count);
    };
    let turning = setImmediate(count);
    onTestFinished(() => clearImmediate(turning));
    const { hub } = openHub({ ...source, after }, { bufferBytes: 2 ** 30 });
    const clients = Array.from({ length: 10 }, async () =>
      collect(await hub.open({ caller: null, lastEventId: '0' }), 3000),
    );
    for (const ids of await Promise.all(clients)) expect(ids).toEqual(numbers(1, 3000));
    expect(Math.max(...pagesByTurn.values())).toBeLessThanOrEqual(8); // of 70 pages
  });

  test('many clients that connect at any time get each event once', async () => {
    const { source, write } = createLog();
    const { hub } = openHub(source);
    const clients: Promise<string[]>[] = [];
    for (let i = 0; i < 10; i++) {
      write(100);
      clients.push(collect(await hub.open({ caller: null, lastEventId: String(i * 50) }), 2000 - i * 50));
      write(100);
    }
    expect(await Promise.all(clients)).toEqual(clients.map((_, i) => numbers(i * 50 + 1, 2000)));
  });

  test('a new client gets only new events of its sweep', async () => {
    const { source, write } = createLog();
    write(3, 'a');
    const { hub } = openHub(source);
    const collected = collect(await hub.open({ caller: null, sweep: 'a' }), 2);
    write(2, 'b');
    write(1, 'a');
    write(1, 'b');
    write(1, 'a');
    expect(await collected).toEqual(['6', '8']);
  });

  test('with an id from an earlier database, a stream begins now', async () => {
    const { source, write } = createLog();
    write(2);
    const { hub } = openHub(source);
    const collected = collect(await hub.open({ caller: null, lastEventId: '999' }), 1);
    write(1);
    expect(await collected).toEqual(['3']);
  });

  test('a client that reads slowly has a bounded buffer and misses no event', async () => {
    const { source, write } = createLog();
    const { hub } = openHub(source, { bufferBytes: 4096 });
    const readable = await hub.open({ caller: null });
    let most = 0;
    for (let i = 0; i < 60; i++) {
      write(20, 's', 'x'.repeat(100));
      await new Promise((resolve) => setImmediate(resolve));
      most = Math.max(most, readable.readableLength);
    }
    // One page of events may come on top of a full buffer.
    expect(most).toBeLessThan(200_000);
    expect(await collect(readable, 1200)).toEqual(numbers(1, 1200));
  });

  test('a client that reads nothing between two heartbeats is dropped', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { source, write } = createLog();
    const { hub } = openHub(source, { bufferBytes: 100, heartbeat: 1000 });
    const readable = await hub.open({ caller: null });
    write(50);
    await vi.waitFor(() => expect(readable.readableLength).toBeGreaterThan(100), 30_000);
    const closed = once(readable, 'close');
    vi.advanceTimersByTime(2000);
    await closed;
    expect(hub.size()).toBe(0);
  });

  test('a quiet stream gets heartbeats with the id of the last event', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { source, write } = createLog();
    const { hub } = openHub(source, { heartbeat: 1000 });
    const readable = await hub.open({ caller: null, sweep: 'mine' });
    let text = '';
    readable.on('data', (chunk) => {
      text += chunk;
    });
    write(5, 'other');
    await vi.waitFor(() => {
      vi.advanceTimersByTime(1000);
      expect(text).toContain('id: 5\n: id 5\n\n');
    }, 30_000);
    expect(text).not.toContain('data:');
  });

  test('more clients than the limit are refused until one leaves', async () => {
    const { source } = createLog();
    const { hub } = openHub(source, { limits: createStreamLimits({ total: 2, perCaller: 2 }) });
    const [first] = await Promise.all([hub.open({ caller: null }), hub.open({ caller: null })]);
    await expect(hub.open({ caller: null })).rejects.toMatchObject({ code: 'TOO_MANY_STREAMS' });
    first.destroy();
    await once(first, 'close');
    await expect(hub.open({ caller: null })).resolves.toBeDefined();
  });

  test('the next client tries again if the hub could not start for the first one', async () => {
    const { source, write } = createLog();
    const listen = vi.fn(source.listen).mockRejectedValueOnce(new Error('away'));
    const { hub } = openHub(
      { ...source, listen },
      { limits: createStreamLimits({ total: 1, perCaller: 1 }) },
    );
    await expect(hub.open({ caller: null })).rejects.toThrow('away');
    const collected = collect(await hub.open({ caller: null }), 1);
    write(1);
    expect(await collected).toEqual(['1']);
  });

  test('a failed query is reported, and the stream ends so that its client connects again', async () => {
    const { source } = createLog();
    const after = vi.fn(source.after).mockRejectedValue(new Error('away'));
    const { hub, onError } = openHub({ ...source, after });
    const readable = await hub.open({ caller: null, lastEventId: '0' });
    await once(readable, 'close');
    expect(onError).toHaveBeenCalled();
  });

  test('closing also ends a stream that is just opening', async () => {
    const { hub } = openHub(createLog().source);
    const opening = hub.open({ caller: null });
    const closing = hub.close();
    const readable = await opening;
    expect(await collect(readable, 1)).toEqual([]);
    await closing;
  });

  test('closing ends the streams', async () => {
    const { source } = createLog();
    const { hub } = openHub(source);
    const readable = await hub.open({ caller: null });
    readable.resume();
    const ended = once(readable, 'end');
    await hub.close();
    await ended;
  });
});
