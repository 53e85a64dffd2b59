import { once } from 'node:events';
import { connect } from 'node:net';
import { createClient } from '@funnel/client';
import { completeLimits } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createStreamLimits } from '../../src/events/event-hub.ts';
import { addToken, build, type TestApp, tokenOf } from '../build.ts';

describe('createStreamLimits', () => {
  test('one caller cannot take the streams of the others', () => {
    const limits = createStreamLimits({ total: 5, perCaller: 2 });
    limits.acquire('a');
    limits.acquire('a');
    expect(() => limits.acquire('a')).toThrow(expect.objectContaining({ code: 'TOO_MANY_OWN_STREAMS' }));
    limits.acquire('b');
    limits.acquire('b');
    limits.acquire('c');
    expect(() => limits.acquire('c')).toThrow(expect.objectContaining({ code: 'TOO_MANY_STREAMS' }));
    // The caller's own limit comes first: a caller can close its own streams.
    expect(() => limits.acquire('a')).toThrow(expect.objectContaining({ code: 'TOO_MANY_OWN_STREAMS' }));
  });

  test('callers without a token count in the total only', () => {
    const limits = createStreamLimits({ total: 4, perCaller: 1 });
    for (let i = 0; i < 4; i++) limits.acquire(null);
    expect(() => limits.acquire(null)).toThrow(expect.objectContaining({ code: 'TOO_MANY_STREAMS' }));
  });

  test('releasing a stream twice releases it once', () => {
    const limits = createStreamLimits({ total: 2, perCaller: 1 });
    const leave = limits.acquire('a');
    limits.acquire('b');
    leave();
    leave();
    limits.acquire('a');
    for (const caller of ['a', 'b'])
      expect(() => limits.acquire(caller)).toThrow(expect.objectContaining({ code: 'TOO_MANY_OWN_STREAMS' }));
    expect(() => limits.acquire('c')).toThrow(expect.objectContaining({ code: 'TOO_MANY_STREAMS' }));
  });

  test.each([
    [500, 125],
    [3, 8],
    [40, 10],
  ])('of %d streams, one caller may have %d', (inAll, ofOne) => {
    expect(completeLimits({ streams: inAll }).ownStreams).toBe(ofOne);
  });
});

/** The tests from here on use real connections. */

const listenOn = async ({ app }: TestApp): Promise<number> => {
  await app.listen({ host: '127.0.0.1', port: 0 });
  return (app.server.address() as { port: number }).port;
};

/** An opened stream, and a function that leaves it. */
const watch = async (port: number, token?: string) => {
  const leaving = new AbortController();
  const response = await fetch(`http://127.0.0.1:${port}/v1/events`, {
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    signal: leaving.signal,
  });
  return { response, leave: () => leaving.abort() };
};
type Watching = Awaited<ReturnType<typeof watch>>;

const statusesOf = (watching: readonly Watching[]) => watching.map(({ response }) => response.status);
const leaveAll = (watching: readonly Watching[]): void => {
  for (const { leave } of watching) leave();
};

describe('where tokens are needed', () => {
  let api: TestApp;
  let port: number;
  beforeAll(async () => {
    api = await build({
      limits: { streams: 4, ownStreams: 2 },
      prepare: async (db) => {
        for (const role of ['read', 'submit', 'admin'] as const) await addToken(db, role);
      },
    });
    port = await listenOn(api);
  });
  afterAll(() => api.close());

  const several = async (count: number, token: string): Promise<Watching[]> => {
    const opened: Watching[] = [];
    for (let i = 0; i < count; i++) opened.push(await watch(port, token));
    return opened;
  };

  test('one token cannot take all streams, and another token still gets one', async () => {
    const greedy = await several(3, tokenOf('read'));
    expect(statusesOf(greedy)).toEqual([200, 200, 429]);
    const { response } = greedy[2]!;
    expect(await response.json()).toMatchObject({
      code: 'TOO_MANY_OWN_STREAMS',
      detail:
        'Expected at most 2 streams at once with the token "a read" (FUNNEL_MAX_STREAMS_PER_TOKEN), but it has that many already',
      hint: expect.stringContaining('FUNNEL_MAX_STREAMS_PER_TOKEN'),
    });
    expect(response.headers.get('retry-after')).toBe('2');
    const others = [...(await several(2, tokenOf('submit'))), ...(await several(1, tokenOf('admin')))];
    expect(statusesOf(others)).toEqual([200, 200, 503]);
    leaveAll([...greedy, ...others]);
  });

  test('when one stream of a token ends, a waiting client with the same token gets its place', async () => {
    const [first, second] = await vi.waitFor(async () => {
      const pair = await several(2, tokenOf('read'));
      if (statusesOf(pair).some((status) => status !== 200)) leaveAll(pair);
      expect(statusesOf(pair)).toEqual([200, 200]);
      return pair as [Watching, Watching];
    }, 30_000);
    const refusals = vi.fn();
    const client = createClient({
      url: `http://127.0.0.1:${port}`,
      token: tokenOf('read'),
      backoff: 5,
      fetch: async (...asked) => {
        const response = await fetch(...asked);
        if (response.status === 429) {
          refusals();
          first.leave();
          // The service's answer with a shorter Retry-After.
          return new Response(response.body, { status: 429, headers: { 'retry-after': '0' } });
        }
        return response;
      },
    });
    const ending = new AbortController();
    const events = client.events({ lastEventId: '0-0', signal: ending.signal });
    const received = events.next();
    await createClient({ url: `http://127.0.0.1:${port}`, token: tokenOf('submit') }).createSweep({
      body: {
        name: 'watched',
        dataset: { name: 'glyphs', train: 128, test: 64, attack: 16 },
        space: { initialiseEpochs: 1, optimiseEpochs: 1, classifierEpochs: 1 },
        attacks: ['fgsm'],
      },
    });
    expect((await received).value).toMatchObject({ event: expect.anything() });
    expect(refusals).toHaveBeenCalled();
    ending.abort();
    leaveAll([second]);
  });
});

describe('where no tokens are needed', () => {
  let api: TestApp;
  let port: number;
  beforeAll(async () => {
    api = await build({ limits: { streams: 12, ownStreams: 1 } });
    port = await listenOn(api);
  });
  afterAll(() => api.close());

  const open = async (): Promise<number> =>
    Number(/funnel_event_streams (\d+)/.exec((await api.app.inject('/metrics')).body)?.[1]);

  test('one person may have as many streams as the total', async () => {
    const pages = await Promise.all(Array.from({ length: 12 }, () => watch(port)));
    expect(new Set(statusesOf(pages))).toEqual(new Set([200]));
    const oneMore = await watch(port);
    expect(oneMore.response.status).toBe(503);
    leaveAll([...pages, oneMore]);
    await vi.waitFor(async () => expect(await open()).toBe(0), 30_000);
  });

  /** Requests a stream and resets the connection after `bytes` of the answer; 0: right after the request. */
  const breakOff = async (bytes: number): Promise<void> => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {}); // the reset is on purpose
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    let seen = 0;
    socket.on('data', (chunk) => {
      seen += chunk.length;
      if (seen >= bytes) socket.resetAndDestroy();
    });
    socket.write('GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    if (bytes === 0) setImmediate(() => socket.resetAndDestroy());
    await closed;
  };

  test('a client that connects and leaves quickly leaves no stream open', async () => {
    // The client leaves at every moment of a request: before it is read, while its stream opens, and after the answer.
    for (let round = 0; round < 20; round++)
      await Promise.all(Array.from({ length: 10 }, (_, i) => breakOff(i % 2)));
    await vi.waitFor(async () => expect(await open()).toBe(0), 30_000);
    const pages = await vi.waitFor(async () => {
      const all = await Promise.all(Array.from({ length: 12 }, () => watch(port)));
      if (statusesOf(all).some((status) => status !== 200)) leaveAll(all);
      expect(new Set(statusesOf(all))).toEqual(new Set([200]));
      return all;
    }, 30_000);
    leaveAll(pages);
  });
});
