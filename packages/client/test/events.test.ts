import type { FunnelEventRow } from '@funnel/contracts';
import { expect, test } from 'vitest';
import { createClient } from '../src/client.ts';
import { sendJson, startServer } from './server.ts';

const row = (id: number): FunnelEventRow => ({
  id: String(id),
  at: '2026-11-01T00:00:00.000Z',
  event: { type: 'sweep', sweepId: 's', status: 'running' },
});
const text = (id: number) => `id: ${id}\ndata: ${JSON.stringify(row(id))}\n\n`;

test('after a lost connection events continue after the last complete one', async () => {
  const { url, requests } = await startServer((request, response, call) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (call === 0) {
      response.write(`retry: 1\nid: 4\n:\n\n${text(5)}${text(6).slice(0, 30)}`, () =>
        request.socket.destroy(),
      );
    } else if (call === 1) response.end(text(6));
    else response.write(text(7));
  });
  const seen: string[] = [];
  for await (const { id } of createClient({ url, backoff: 1 }).events({ sweep: 's' })) {
    seen.push(id);
    if (id === '7') break;
  }
  expect(seen).toEqual(['5', '6', '7']);
  expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '5', '6']);
  expect(requests[0]!.url).toBe('/v1/events?sweep=s');
});

test('events come again when the service is back', async () => {
  const { url } = await startServer((_, response, call) => {
    if (call < 3) sendJson(response, 503, {});
    else response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text(1));
  });
  const first = await createClient({ url, backoff: 1 }).events().next();
  expect(first.value).toEqual(row(1));
});

test('events end without an error when the caller aborts', async () => {
  const controller = new AbortController();
  const { url } = await startServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write(text(1));
  });
  const seen: FunnelEventRow[] = [];
  for await (const event of createClient({ url }).events({ signal: controller.signal })) {
    seen.push(event);
    controller.abort();
  }
  expect(seen).toEqual([row(1)]);
});

test('a refused stream is an error', async () => {
  const { url, requests } = await startServer((_, response) => void response.writeHead(401).end());
  await expect(createClient({ url }).events().next()).rejects.toMatchObject({ status: 401 });
  expect(requests).toHaveLength(1);
});

const streamOf = (pieces: readonly string[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
      controller.close();
    },
  });

test('after a connection that is lost before the first event, the stream continues from the same position', async () => {
  const { url, requests } = await startServer((request, response, call) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (call > 0) response.write(text(8));
    else response.write('retry: 1\nid: 7\n: id 7\n\n', () => request.socket.destroy());
  });
  const first = await createClient({ url, backoff: 1 }).events().next();
  expect(first.value).toEqual(row(8));
  expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([undefined, '7']);
});

test('the places at which the stream is cut into pieces do not change the events', async () => {
  const stream = `retry: 1\nid: 4\n: id 4\n\n${text(5)}: beat\n\nid: 6\r\ndata:${JSON.stringify(row(6))}\r\n\r\n:\n\n${text(7)}${text(8).slice(0, -1)}`;
  for (let first = 0; first <= stream.length; first++) {
    const second = Math.min(first + 1, stream.length);
    const pieces = [stream.slice(0, first), stream.slice(first, second), stream.slice(second)];
    const asked: (string | null)[] = [];
    const client = createClient({
      url: 'http://127.0.0.1:1',
      backoff: 0,
      fetch: async (_, init) => {
        asked.push(new Headers(init?.headers).get('last-event-id'));
        return new Response(streamOf(pieces));
      },
    });
    const ids: string[] = [];
    for await (const { id } of client.events()) {
      ids.push(id);
      if (ids.length === 4) break;
    }
    // The second connection begins with the same events here. It sends the incomplete event again.
    expect([ids, asked]).toEqual([
      ['5', '6', '7', '5'],
      [null, '7'],
    ]);
  }
});
