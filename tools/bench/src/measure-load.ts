import { once } from 'node:events';
import { type ClientRequest, get } from 'node:http';
import type { Collection, FunnelEventRow, RetentionPolicy } from '@funnel/contracts';
import { createDb, type Db, eventsAfter, lastEventId } from '@funnel/db';
import { openApi, openBare } from './processes.ts';
import { createDraw, type Draw, questions, recordStatements, replay } from './questions.ts';
import {
  createHttpClient,
  type HttpClient,
  type Submissions,
  type Tables,
  timeSubmissions,
} from './service.ts';
import { type Bounds, type Timing, timeCalls, timingOf } from './timing.ts';

export type LoadOptions = {
  /** Of each question. */
  readonly bounds: Bounds;
  readonly sweeps: number;
  readonly epochs: number;
  /** Trials of a submission. */
  readonly submit: number;
  readonly streams: number;
  readonly changes: number;
  readonly log: (line: string) => void;
};

export type Answered = {
  readonly name: string;
  readonly service: Timing;
  /** Its statements by themselves, one client. */
  readonly sql: Timing;
};

export type SizeReport = {
  readonly trials: number;
  readonly metrics: number;
  readonly fillSeconds: number;
  readonly bytes: number;
  readonly answers: readonly Answered[];
  readonly collections: PlannedCollections;
  readonly submissions: Submissions;
  readonly streams: Streams;
};

const warmUps = 40;
const submissions = 3;

/** Fastify with nothing to do. */
export const measureBare = async (bounds: Bounds): Promise<Timing> => {
  const server = await openBare();
  const http = createHttpClient(server.url, bounds.clients);
  try {
    const call = async () => () => http.call('GET', '/');
    await timeCalls(call, { ...bounds, calls: warmUps });
    return await timeCalls(call, bounds);
  } finally {
    http.close();
    await server.close();
  }
};

type Parts = { readonly http: HttpClient; readonly db: ReturnType<typeof createDb>; readonly draw: Draw };

const ask = async (name: string, { http, db, draw }: Parts, bounds: Bounds): Promise<Answered> => {
  const question = questions[name]!;
  const call = async () => {
    const { path } = question(draw);
    return () => http.call('GET', path);
  };
  await timeCalls(call, { ...bounds, calls: warmUps });
  const service = await timeCalls(call, bounds);
  const bare = async () => {
    const statements = await recordStatements(db, question(draw).read);
    return () => replay(db, statements);
  };
  return { name, service, sql: await timeCalls(bare, { ...bounds, clients: 1 }) };
};

/** One database of `trials` trials, from empty to dropped. */
export const measureSize = async (
  tables: Tables,
  trials: number,
  { bounds, sweeps, epochs, submit, streams, changes, log }: LoadOptions,
): Promise<SizeReport> => {
  const name = `load_${trials}`;
  const trialsPerSweep = Math.max(1, Math.round(trials / sweeps));
  const begun = performance.now();
  log(`${trials} trials: filling`);
  const databaseUrl = await tables.create(name, { sweeps, trialsPerSweep, epochs });
  const fillSeconds = Math.round((performance.now() - begun) / 100) / 10;
  const db = createDb(databaseUrl, { max: 4 });
  const [size] = (
    await db.pool.query<{ metrics: number; bytes: number }>(
      'SELECT (SELECT count(*) FROM metrics) AS metrics, pg_database_size(current_database()) AS bytes',
    )
  ).rows;
  const api = await openApi(databaseUrl);
  const http = createHttpClient(api.url, bounds.clients);
  try {
    const answers: Answered[] = [];
    for (const name of Object.keys(questions)) {
      const answer = await ask(name, { http, db, draw: createDraw(sweeps, trialsPerSweep) }, bounds);
      log(`${trials} trials: ${name}: p99 ${answer.service.p99} ms`);
      answers.push(answer);
    }
    const collections = await timeCollections(http);
    log(`${trials} trials: a collection planned in ${collections.most.seconds} s`);
    const submitted = await timeSubmissions(http, submit, submissions);
    log(`${trials} trials: ${submit} more submitted in ${submitted.seconds.join(', ')} s`);
    const small = { name: 'watched', dataset: { name: 'glyphs' }, space: {}, attacks: ['fgsm'] };
    const { id } = JSON.parse(await http.call('POST', '/v1/sweeps', { body: small, status: 201 })) as {
      id: string; // what the route declares
    };
    const watched = await measureStreams({ url: api.url, db, http }, { id, clients: streams, changes });
    log(`${trials} trials: ${watched.events} events to ${streams} clients, ${watched.wrong} of them wrong`);
    return { trials, ...size!, fillSeconds, answers, collections, submissions: submitted, streams: watched };
  } finally {
    http.close();
    await api.close();
    await db.close();
    await tables.drop(name);
  }
};

/** Many clients of the event stream at once: what each is told, in which order, and how long after it happened. */

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

export type PlannedCollections = {
  /** Checkpoints that would go, and how long it took to say so. */
  readonly most: { readonly checkpoints: number; readonly seconds: number };
  readonly nothing: { readonly checkpoints: number; readonly seconds: number };
};

/** What `funnel gc --dry-run` asks: of a service that keeps ten trials of every sweep, and of one that keeps all. */
export const timeCollections = async (http: HttpClient): Promise<PlannedCollections> => {
  const plan = async (policy: Partial<RetentionPolicy>) => {
    const begun = performance.now();
    const text = await http.call('POST', '/v1/garbage/plan', { body: policy });
    const { checkpoints } = JSON.parse(text) as Collection; // what the route declares
    return { checkpoints, seconds: Math.round(performance.now() - begun) / 1000 };
  };
  return { most: await plan({ keepDays: 0, keepBest: 10 }), nothing: await plan({}) };
};
