import type { FunnelEventRow } from '@funnel/contracts';
import { describe, expect, test } from 'vitest';
import { createClient } from '../src/client.ts';
import { createEventStreamParser } from '../src/events.ts';
import { sendJson, startServer } from './server.ts';

const stream =
  'retry: 2000\nid: 7\n:\n\nid: 8\r\ndata: {"a":1}\r\n\r\n: beat\n\ndata:first\ndata: second\r\rid: 9\n\ndata: cut off';
const blocks = [
  { retry: 2000, id: '7' },
  { id: '8', data: '{"a":1}' },
  {},
  { data: 'first\nsecond' },
  { id: '9' },
];

describe('createEventStreamParser', () => {
  test('reads blocks as the standard says', () => {
    expect(createEventStreamParser()(stream)).toEqual(blocks);
  });

  test('gives the same blocks wherever the text is cut', () => {
    for (let first = 0; first <= stream.length; first++)
      for (const second of [first, Math.min(first + 1, stream.length), stream.length]) {
        const parse = createEventStreamParser();
        const pieces = [stream.slice(0, first), stream.slice(first, second), stream.slice(second)];
        expect(pieces.flatMap((piece) => parse(piece))).toEqual(blocks);
      }
  });
});

const row = (id: number): FunnelEventRow => ({
  id: String(id),
  at: '2026-11-01T00:00:00.000Z',
  event: { type: 'sweep', sweepId: 's', status: 'running' },
});
const text = (id: number) => `id: ${id}\ndata: ${JSON.stringify(row(id))}\n\n`;

test('events go on from the last one seen after the connection is lost, in the middle of an event too', async () => {
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

test('events come back after the service was away', async () => {
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

test('a refused stream is an error, not a wait', async () => {
  const { url, requests } = await startServer((_, response) => void response.writeHead(401).end());
  await expect(createClient({ url }).events().next()).rejects.toMatchObject({ status: 401 });
  expect(requests).toHaveLength(1);
});
