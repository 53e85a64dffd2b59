import { createDb } from '@funnel/db';
import { type PlannedCollections, timeCollections } from './collect.ts';
import { createHttpClient, type HttpClient } from './http.ts';
import { openApi, openBare } from './processes.ts';
import { createDraw, type Draw, questions } from './questions.ts';
import { recordStatements, replay } from './statements.ts';
import { measureStreams, type Streams } from './streams.ts';
import { type Submissions, timeSubmissions } from './submit.ts';
import type { Tables } from './tables.ts';
import { type Bounds, type Timing, timeCalls } from './time-calls.ts';

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
