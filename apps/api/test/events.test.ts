import { createClient } from '@funnel/client';
import type { FunnelEventRow } from '@funnel/contracts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { build, oneTrial, type TestApp } from './build.ts';

let api: TestApp;
let url: string;
beforeAll(async () => {
  api = await build({ limits: { streams: 3 } });
  url = await api.app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(() => api.close());

const client = () => createClient({ url, backoff: 5 });
const submit = (name: string) => client().createSweep({ body: { ...oneTrial, attacks: ['fgsm'], name } });

/** The events up to the first one for which `isLast` is true. */
const until = async (
  events: AsyncIterable<FunnelEventRow>,
  isLast: (row: FunnelEventRow) => boolean,
): Promise<FunnelEventRow[]> => {
  const rows: FunnelEventRow[] = [];
  for await (const row of events) {
    rows.push(row);
    if (isLast(row)) break;
  }
  return rows;
};
const cancelled = ({ event }: FunnelEventRow) => event.type === 'sweep' && event.status === 'cancelled';

describe('the event stream', () => {
  test('sends the events of one sweep live, and the same ones again from the beginning', async () => {
    const sweep = await submit('watched');
    const other = await submit('not watched');
    const beginning = await until(
      client().events({ lastEventId: '0-0' }),
      ({ event }) => event.sweepId === sweep.id,
    );
    const live = until(client().events({ sweep: sweep.id, lastEventId: beginning.at(-1)!.id }), cancelled);
    await client().pauseSweep({ params: { id: sweep.id } });
    await client().pauseSweep({ params: { id: other.id } });
    await client().resumeSweep({ params: { id: sweep.id } });
    await client().cancelSweep({ params: { id: sweep.id } });
    const rows = await live;
    const statuses = rows.flatMap(({ event }) => (event.type === 'sweep' ? [event.status] : []));
    expect(statuses).toEqual(['paused', 'running', 'cancelled']);
    expect(rows.every(({ event }) => event.sweepId === sweep.id)).toBe(true);
    const again = await until(
      client().events({ sweep: sweep.id, lastEventId: beginning.at(-1)!.id }),
      cancelled,
    );
    expect(again).toEqual(rows);
  });

  test('goes on after the last event when every connection is cut', async () => {
    const { id } = await submit('cut');
    // Not over HTTP: if the connection is cut during a change, nobody knows whether the change happened.
    const act = (action: string) => api.app.inject({ method: 'POST', url: `/v1/sweeps/${id}/${action}` });
    const events = client().events({ sweep: id });
    const first = events.next();
    await vi.waitFor(
      async () => expect((await api.app.inject('/metrics')).body).toContain('funnel_event_streams 1'),
      30_000,
    );
    await act('pause');
    const rows = [(await first).value!];
    const rest = until(events, cancelled);
    api.app.server.closeAllConnections();
    await act('resume');
    await act('cancel');
    rows.push(...(await rest));
    const statuses = rows.flatMap(({ event }) => (event.type === 'sweep' ? [event.status] : []));
    expect(statuses).toEqual(['paused', 'running', 'cancelled']);
    expect(new Set(rows.map((row) => row.id))).toHaveLength(rows.length);
  });

  test('has the format that browsers read', async () => {
    const { id } = await submit('form');
    const controller = new AbortController();
    const response = await fetch(`${url}/v1/events?sweep=${id}`, {
      headers: { 'last-event-id': '0-0' },
      signal: controller.signal,
    });
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    while (!text.includes('data:')) text += (await reader.read()).value ?? '';
    expect(text).toMatch(
      /^retry: 2000\nid: 0-0\n: id 0-0\n\nid: (\d+-\d+)\ndata: \{"id":"\1","at":"[^"]+","event":\{.*\}\}\n\n/,
    );
    controller.abort();
  });

  test('refuses more clients than its limit, and ends when the service closes', async () => {
    const own = await build({ limits: { streams: 2 } });
    const address = await own.app.listen({ host: '127.0.0.1', port: 0 });
    const open = () => fetch(`${address}/v1/events`);
    const [first, second, third] = [await open(), await open(), await open()];
    expect([first.status, second.status, third.status]).toEqual([200, 200, 503]);
    expect(await third.json()).toMatchObject({ code: 'TOO_MANY_STREAMS' });
    const ended = Promise.all([first.text(), second.text()]);
    await own.app.close();
    await ended;
    await own.db.close();
  });
});
