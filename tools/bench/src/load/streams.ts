/** Many clients of the event stream at once: what each is told, in which order, and how long after it happened. */
import { once } from 'node:events';
import { type ClientRequest, get } from 'node:http';
import type { FunnelEventRow } from '@funnel/contracts';
import { type Db, eventsAfter, lastEventId } from '@funnel/db';
import type { HttpClient } from './http.ts';
import { type Timing, timingOf } from './time-calls.ts';

type Listener = { readonly received: string[]; readonly delays: number[]; readonly close: () => void };

/** `at` is the database's clock at the start of the transaction, which is this machine's. */
const open = async (url: string): Promise<Listener> => {
  const received: string[] = [];
  const delays: number[] = [];
  const request: ClientRequest = get(new URL('/v1/events', url), { agent: false });
  const [response] = await once(request, 'response');
  if (response.statusCode !== 200) throw new Error(`Expected a stream, but got ${response.statusCode}`);
  let text = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = block.split('\n').find((line) => line.startsWith('data: '));
      if (data === undefined) continue;
      const { id, at } = JSON.parse(data.slice('data: '.length)) as FunnelEventRow; // what the service declares
      received.push(id);
      delays.push(Date.now() - Date.parse(at));
    }
  });
  response.on('error', () => {}); // closed from here
  await once(response, 'data');
  return { received, delays, close: () => request.destroy() };
};

export type Streams = {
  readonly clients: number;
  readonly events: number;
  /** Clients that did not hear every event exactly once and in order. */
  readonly wrong: number;
  /** Milliseconds from the transaction to the client. */
  readonly delay: Timing;
};

const patience = 30_000;

/** `changes` pauses and resumptions of sweep `id`, one after the other, under the ears of all clients. */
export const measureStreams = async (
  { url, db, http }: { readonly url: string; readonly db: Db; readonly http: HttpClient },
  { id, clients, changes }: { readonly id: string; readonly clients: number; readonly changes: number },
): Promise<Streams> => {
  const listeners = await Promise.all(Array.from({ length: clients }, () => open(url)));
  try {
    const after = await lastEventId(db);
    const begun = performance.now();
    for (let i = 0; i < changes; i++)
      await http.call('POST', `/v1/sweeps/${id}/${i % 2 === 0 ? 'pause' : 'resume'}`);
    const events = (await eventsAfter(db, { after, limit: 1_000_000 })).map((row) => row.id);
    const deadline = Date.now() + patience;
    while (listeners.some(({ received }) => received.length < events.length) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const seconds = (performance.now() - begun) / 1000;
    return {
      clients,
      events: events.length,
      wrong: listeners.filter(({ received }) => received.join() !== events.join()).length,
      delay: timingOf(
        listeners.flatMap(({ delays }) => delays),
        seconds,
      ),
    };
  } finally {
    for (const { close } of listeners) close();
  }
};
