import { once } from 'node:events';
import { type ClientRequest, get } from 'node:http';
import type { Collection, FunnelEventRow, RetentionPolicy, SweepInput } from '@funnel/contracts';
import { createDb, type Db, eventsAfter, lastEventId } from '@funnel/db';
import { openApi, openBare } from './processes.ts';
import { createDraw, type Draw, questions, recordStatements, replay } from './questions.ts';
import {
  createHttpClient,
  type HttpClient,
  type Submissions,
  submitSweep,
  type Tables,
  timeSubmissions,
} from './service.ts';
import { type Bounds, type Timing, timeCalls, timingOf } from './timing.ts';

export type LoadOptions = {
  /** Limits for each question. */
  readonly bounds: Bounds;
  readonly sweeps: number;
  readonly epochs: number;
  /** Number of trials of a submission. */
  readonly submit: number;
  readonly streams: number;
  readonly changes: number;
  readonly log: (line: string) => void;
};

type Answer = {
  readonly name: string;
  readonly service: Timing;
  /** The SQL of the answer alone, one client. */
  readonly sql: Timing;
};

export type SizeReport = {
  readonly trials: number;
  readonly metrics: number;
  readonly fillSeconds: number;
  readonly bytes: number;
  readonly answers: readonly Answer[];
  readonly collections: PlannedCollections;
  readonly submissions: Submissions;
  readonly streams: Streams;
};

const warmUps = 40;
const submissions = 3;

/** Times Fastify with a trivial route. */
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

const measureQuestion = async (name: string, { http, db, draw }: Parts, bounds: Bounds): Promise<Answer> => {
  const question = questions[name]!;
  const call = async () => {
    const { path } = question(draw);
    return () => http.call('GET', path);
  };
  await timeCalls(call, { ...bounds, calls: warmUps });
  const service = await timeCalls(call, bounds);
  const sqlOnly = async () => {
    const statements = await recordStatements(db, question(draw).read);
    return () => replay(db, statements);
  };
  return { name, service, sql: await timeCalls(sqlOnly, { ...bounds, clients: 1 }) };
};

/** Creates a database with `trials` trials, measures it, and drops it. */
export const measureSize = async (
  tables: Tables,
  trials: number,
  { bounds, sweeps, epochs, submit, streams, changes, log }: LoadOptions,
): Promise<SizeReport> => {
  const name = `load_${trials}`;
  const trialsPerSweep = Math.max(1, Math.round(trials / sweeps));
  const started = performance.now();
  log(`${trials} trials: filling`);
  const databaseUrl = await tables.create(name, { sweeps, trialsPerSweep, epochs });
  const fillSeconds = Math.round((performance.now() - started) / 100) / 10;
  const db = createDb(databaseUrl, { max: 4 });
  const [size] = (
    await db.pool.query<{ metrics: number; bytes: number }>(
      'SELECT (SELECT count(*) FROM metrics) AS metrics, pg_database_size(current_database()) AS bytes',
    )
  ).rows;
  const api = await openApi(databaseUrl);
  const http = createHttpClient(api.url, bounds.clients);
  try {
    const answers: Answer[] = [];
    for (const name of Object.keys(questions)) {
      const answer = await measureQuestion(
        name,
        { http, db, draw: createDraw(sweeps, trialsPerSweep) },
        bounds,
      );
      log(`${trials} trials: ${name}: p99 ${answer.service.p99} ms`);
      answers.push(answer);
    }
    const collections = await timeCollections(http);
    log(`${trials} trials: a collection planned in ${collections.many.seconds} s`);
    const submitted = await timeSubmissions(http, submit, submissions);
    log(`${trials} trials: ${submit} more submitted in ${submitted.seconds.join(', ')} s`);
    const small: SweepInput = { name: 'watched', dataset: { name: 'glyphs' }, space: {}, attacks: ['fgsm'] };
    const id = await submitSweep(http, small);
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

type StreamClient = { readonly received: string[]; readonly delays: number[]; readonly close: () => void };

/** A client of the event stream. `at` of an event is the start of its transaction; the database has the clock of this machine. */
const openStream = async (url: string): Promise<StreamClient> => {
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
      const { id, at } = JSON.parse(data.slice('data: '.length)) as FunnelEventRow; // see the declaration of the event stream
      received.push(id);
      delays.push(Date.now() - Date.parse(at));
    }
  });
  response.on('error', () => {}); // `close` destroys the request
  await once(response, 'data');
  return { received, delays, close: () => request.destroy() };
};

export type Streams = {
  readonly clients: number;
  readonly events: number;
  /** Number of clients that did not receive every event exactly once and in order. */
  readonly wrong: number;
  /** Milliseconds from the start of the transaction to the client. */
  readonly delay: Timing;
};

const streamTimeoutMs = 30_000;

/** Pauses and resumes sweep `id` in turns, `changes` times, while all clients listen. */
export const measureStreams = async (
  { url, db, http }: { readonly url: string; readonly db: Db; readonly http: HttpClient },
  { id, clients, changes }: { readonly id: string; readonly clients: number; readonly changes: number },
): Promise<Streams> => {
  const streams = await Promise.all(Array.from({ length: clients }, () => openStream(url)));
  try {
    const after = await lastEventId(db);
    const started = performance.now();
    for (let i = 0; i < changes; i++)
      await http.call('POST', `/v1/sweeps/${id}/${i % 2 === 0 ? 'pause' : 'resume'}`);
    const events = (await eventsAfter(db, { after, limit: 1_000_000 })).map((row) => row.id);
    const deadline = Date.now() + streamTimeoutMs;
    while (streams.some(({ received }) => received.length < events.length) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 10));
    const seconds = (performance.now() - started) / 1000;
    return {
      clients,
      events: events.length,
      wrong: streams.filter(({ received }) => received.join() !== events.join()).length,
      delay: timingOf(
        streams.flatMap(({ delays }) => delays),
        seconds,
      ),
    };
  } finally {
    for (const { close } of streams) close();
  }
};

export type PlannedCollections = {
  /** The number of checkpoints in the plan, and the time of planning. */
  readonly many: { readonly checkpoints: number; readonly seconds: number };
  readonly none: { readonly checkpoints: number; readonly seconds: number };
};

/** Times the plan of a collection, with a policy that keeps ten trials of every sweep and with one that keeps all. */
export const timeCollections = async (http: HttpClient): Promise<PlannedCollections> => {
  const plan = async (policy: Partial<RetentionPolicy>) => {
    const started = performance.now();
    const text = await http.call('POST', '/v1/garbage/plan', { body: policy });
    const { checkpoints } = JSON.parse(text) as Collection; // see the declaration of the route
    return { checkpoints, seconds: Math.round(performance.now() - started) / 1000 };
  };
  return { many: await plan({ keepDays: 0, keepBest: 10 }), none: await plan({}) };
};
