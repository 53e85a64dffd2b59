/** Many concurrent clients change sweeps that share stages, while workers run them. The rules of the tables must hold all the time. */
import { setMaxListeners } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@funnel/client';
import { createDb, type Db } from '@funnel/db';
import {
  atAnyTime,
  atRest,
  compareResults,
  countOf,
  digestOf,
  readResults,
  rowsOf,
  violations,
} from './audit.ts';
import { type Answers, type Known, runClient } from './client.ts';
import { expectedOf, type Results, sharedSweeps } from './expected.ts';
import { type Fleet, startFleet } from './fleet.ts';
import { createRandom } from './random.ts';
import { withServices } from './services.ts';

export type ClientsOptions = {
  readonly queue: 'postgres' | 'redis';
  readonly clients: number;
  readonly minutes: number;
  readonly workers: number;
  readonly seed: number;
  /** Time of a step of the simulated trainer. */
  readonly stepMilliseconds: number;
  /** When aborted, the run stops as at its end. */
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
};

export type ClientsReport = {
  readonly ok: boolean;
  readonly queue: string;
  readonly clients: number;
  readonly seconds: number;
  readonly findings: readonly string[];
  readonly answers: Readonly<Record<string, number>>;
  readonly counts: Readonly<Record<string, number>>;
};

/** The results of all sweeps, merged. */
const expectedOfAll = async (): Promise<Results> => {
  const all = await Promise.all(sharedSweeps().map(expectedOf));
  return {
    networks: new Map(all.flatMap(({ networks }) => [...networks])),
    metrics: new Map(all.flatMap(({ metrics }) => [...metrics])),
    perClass: new Map(all.flatMap(({ perClass }) => [...perClass])),
    evaluations: new Map(all.flatMap(({ evaluations }) => [...evaluations])),
  };
};

/** Checks the tables and the API every second. Resolves to the findings of all checks. */
const watch = async (db: Db, url: string, signal: AbortSignal) => {
  /** The last finding of each rule. */
  const found = new Map<string, string>();
  const note = (finding: string): void => {
    found.set(finding.replace(/^\d+ /, ''), `while clients worked: ${finding}`);
  };
  let checks = 0;
  let slowestAnswer = 0;
  const late = 'stages whose lease expired 10 s ago and was not reclaimed';
  const overdue =
    "SELECT count(*) AS n FROM stages WHERE status = 'running' AND lease_until < now() - interval '10 seconds'";
  while (!signal.aborted) {
    for (const finding of await violations(db, [...atAnyTime, [late, overdue]])) note(finding);
    const asked = performance.now();
    const answer = await fetch(`${url}/healthz`).catch(() => null);
    slowestAnswer = Math.max(slowestAnswer, performance.now() - asked);
    if (!answer?.ok) note(`/healthz answered ${answer?.status ?? 'nothing'}`);
    checks++;
    await sleep(1000, undefined, { signal }).catch(() => {});
  }
  return { findings: [...found.values()], checks, slowestAnswer: Math.round(slowestAnswer) };
};

/** Time for all sweeps to end after the last client. */
const endTimeoutSeconds = 180;

/** Waits until everything has ended. Resolves to false where something does not end in time. */
const untilAllEnded = async (db: Db, url: string, signal: AbortSignal): Promise<boolean> => {
  const client = createClient({ url });
  const paused = await rowsOf<{ id: string }>(db, "SELECT id FROM sweeps WHERE status = 'paused'");
  for (const { id } of paused) await client.resumeSweep({ params: { id } });
  const open = `SELECT (SELECT count(*) FROM sweeps WHERE status IN ('running', 'paused'))
    + (SELECT count(*) FROM stages WHERE status IN ('waiting', 'ready', 'running')) AS n`;
  for (let i = 0; i < endTimeoutSeconds && !signal.aborted; i++) {
    if ((await countOf(db, open)) === 0) return true;
    await sleep(1000);
  }
  return false;
};

/** Errors in the logs of the processes, except of attempts that fail on purpose. */
const loggedErrors = async (folder: string): Promise<readonly string[]> => {
  const found = new Map<string, number>();
  for (const file of (await readdir(folder)).filter((name) => /^(api|worker-\d+)\.log$/.test(name)))
    for (const line of (await readFile(path.join(folder, file), 'utf8')).split('\n')) {
      if (line !== '' && !line.startsWith('{')) found.set(`${file}: ${line}`, 1);
      if (!line.startsWith('{')) continue;
      const entry = JSON.parse(line) as { level: number; msg?: string; err?: { message?: string } }; // as pino writes it
      if (entry.level < 50 || entry.msg === 'attempt failed') continue;
      const key = `${file.replace(/-\d+/, '')} logged: ${entry.msg}${entry.err?.message ? `: ${entry.err.message}` : ''}`;
      found.set(key, (found.get(key) ?? 0) + 1);
    }
  return [...found].map(([what, n]) => (n > 1 ? `${what} (${n} times)` : what));
};

const restartsOf = ({ api, workers }: Fleet): string[] =>
  [api, ...workers].flatMap((process) =>
    process.starts() > 1 ? [`${process.name} crashed ${process.starts() - 1} times`] : [],
  );

/** Runs the clients, then waits for the end of all sweeps. */
const runAllClients = async (db: Db, fleet: Fleet, options: ClientsOptions) => {
  const { clients, minutes, seed, signal, log } = options;
  const answers: Answers = { counts: new Map(), faults: [] };
  const known: Known = [];
  const clientsEnd = new AbortController();
  setMaxListeners(0, clientsEnd.signal); // every client adds a listener
  signal.addEventListener('abort', () => clientsEnd.abort());
  const timer = setTimeout(() => clientsEnd.abort(), minutes * 60_000);
  const watching = watch(db, fleet.url, clientsEnd.signal);
  const sweeps = sharedSweeps();
  await Promise.all(
    Array.from({ length: clients }, (_, i) =>
      runClient({
        url: fleet.url,
        ...{ sweeps, known, answers, signal: clientsEnd.signal },
        random: createRandom(seed * 1000 + i),
      }),
    ),
  );
  clearTimeout(timer);
  const watched = await watching;
  log('the clients have ended; waiting for the sweeps');
  const ended = await untilAllEnded(db, fleet.url, signal);
  const unfinished = ended ? [] : [`sweeps or stages did not end within ${endTimeoutSeconds} s`];
  return { answers, ...watched, findings: [...watched.findings, ...unfinished] };
};

const untilReady = async (url: string, signal: AbortSignal): Promise<void> => {
  while (!signal.aborted) {
    const answer = await fetch(`${url}/readyz`).catch(() => null);
    if (answer?.ok) return;
    await sleep(200);
  }
};

/** Runs the clients, from an empty database to the audit. Keeps its folder where a check fails. */
export const runClients = (options: ClientsOptions): Promise<ClientsReport> => {
  const { queue, workers, stepMilliseconds, signal, log } = options;
  return withServices({ name: 'clients', queue, log }, async ({ folder, database, queueUrl }) => {
    const expected = await expectedOfAll();
    const db = createDb(database.url);
    const simulation = { stepMilliseconds, faults: [{ fault: 'throw', kind: 'classify', seed: 1 }] as const };
    const started = Date.now();
    const fleet = await startFleet({
      ...{ database, queueUrl, workers, logs: folder },
      leaseSeconds: 5,
      worker: { simulation, slots: 2, maxAttempts: 1 },
    });
    const ran = await untilReady(fleet.url, signal)
      .then(() => runAllClients(db, fleet, options))
      .finally(fleet.stop);
    const results = await readResults(db);
    const findings = [
      ...ran.answers.faults,
      ...ran.findings,
      ...restartsOf(fleet),
      ...(await loggedErrors(folder)),
      ...(await violations(db, [...atAnyTime, ...atRest])),
      ...compareResults(expected, results, { part: true }),
    ];
    const counts = {
      sweepsLeft: await countOf(db, 'SELECT count(*) AS n FROM sweeps'),
      stagesLeft: await countOf(db, 'SELECT count(*) AS n FROM stages'),
      attemptsLeft: await countOf(db, 'SELECT count(*) AS n FROM attempts'),
      fencedWrites: await countOf(db, 'SELECT coalesce(sum(fenced), 0) AS n FROM attempts'),
      deadlocks: await countOf(
        db,
        'SELECT deadlocks AS n FROM pg_stat_database WHERE datname = current_database()',
      ),
      checks: ran.checks,
      slowestAnswerMilliseconds: ran.slowestAnswer,
    };
    await db.close();
    log(`results ${digestOf(results)}`);
    return {
      ok: findings.length === 0 && !signal.aborted,
      ...{ queue, clients: options.clients, findings, counts },
      seconds: Math.round((Date.now() - started) / 100) / 10,
      answers: Object.fromEntries([...ran.answers.counts].sort()),
    };
  });
};
