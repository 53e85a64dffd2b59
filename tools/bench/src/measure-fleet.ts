import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createDb, type Db } from '@funnel/db';
import { openApi } from './processes.ts';
import { createHttpClient, largeSweep, submitSweep, type Tables } from './service.ts';
import { type Operation, operations, type Phase } from './simulate-worker.ts';
import { type Timing, timingOf } from './timing.ts';
import type { PhaseResult, WorkersOptions } from './workers-process.ts';

export type FleetOptions = {
  readonly workers: number;
  readonly processes: number;
  readonly pool: number | null;
  readonly trials: number;
  readonly phases: Readonly<Record<string, Phase>>;
  readonly log: (line: string) => void;
};

export type PhaseReport = Watched & {
  readonly name: string;
  readonly seconds: number;
  readonly stageSeconds: number;
  /** The times of each operation. An operation that did not happen has no entry. */
  readonly timings: Readonly<Partial<Record<Operation, Timing>>>;
  readonly failures: Readonly<Record<string, number>>;
  /** Leases that ended before their attempts did. */
  readonly leasesLost: number;
  /** Mean number of cores that the simulated workers used. */
  readonly workerCores: number;
};

const startWorkers = async (options: WorkersOptions): Promise<ChildProcess> => {
  const child = fork(fileURLToPath(new URL('workers-process.ts', import.meta.url)), [
    JSON.stringify(options),
  ]);
  await once(child, 'message', { signal: AbortSignal.timeout(300_000) });
  return child;
};

const stopWorkers = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
  if (child.connected) child.disconnect();
  await once(child, 'exit');
  clearTimeout(late);
};

/** After a phase, running statements get this many more seconds to end. */
const graceSeconds = 90;

const countLost = async (db: Db): Promise<number> => {
  const { rows } = await db.pool.query<{ lost: number }>(
    `SELECT count(*)::int AS lost FROM attempts WHERE outcome = 'expired'`,
  );
  return rows[0]!.lost;
};

const runPhase = async (
  name: string,
  phase: Phase,
  crews: readonly ChildProcess[],
  db: ReturnType<typeof createDb>,
): Promise<PhaseReport> => {
  const watch = await watchDatabase(db);
  const lostBefore = await countLost(db);
  const signal = AbortSignal.timeout((phase.seconds + graceSeconds) * 1000);
  const answers = crews.map(async (child) => {
    const answered = once(child, 'message', { signal });
    child.send(phase);
    const [result] = await answered;
    return result as PhaseResult; // written by workers-process.ts
  });
  const stopped = new Promise<Watched>((resolve, reject) => {
    setTimeout(() => watch.stop().then(resolve, reject), phase.seconds * 1000);
  });
  const [watched, ...results] = await Promise.all([stopped, ...answers]);
  const timings: Partial<Record<Operation, Timing>> = {};
  for (const operation of operations) {
    const taken = results.flatMap((result) => [...result.taken[operation]]);
    if (taken.length > 0) timings[operation] = timingOf(taken, phase.seconds);
  }
  const failures: Record<string, number> = {};
  for (const result of results)
    for (const [message, count] of Object.entries(result.failures))
      failures[message] = (failures[message] ?? 0) + count;
  const cpu = results.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  return {
    name,
    ...phase,
    ...watched,
    timings,
    failures,
    leasesLost: (await countLost(db)) - lostBefore,
    workerCores: Math.round((cpu / phase.seconds) * 100) / 100,
  };
};

/**
 * Measures all phases on one database. In the first phase there is no work. Before the second phase, this function submits a sweep of
 * `trials` trials.
 */
export const measureFleet = async (
  tables: Tables,
  { workers, processes, pool, trials, phases, log }: FleetOptions,
): Promise<readonly PhaseReport[]> => {
  const databaseUrl = await tables.create('fleet');
  const db = createDb(databaseUrl, { max: 2, name: 'funnel fleet watch' });
  const api = await openApi(databaseUrl);
  const http = createHttpClient(api.url, 1);
  const crews: ChildProcess[] = [];
  try {
    for (let i = 0; i < processes; i++) {
      const share = Math.floor(workers / processes) + (i < workers % processes ? 1 : 0);
      crews.push(await startWorkers({ databaseUrl, name: `fleet-${i}`, workers: share, pool }));
    }
    log(`${workers} workers in ${processes} processes`);
    const reports: PhaseReport[] = [];
    for (const [name, phase] of Object.entries(phases)) {
      if (reports.length === 1) {
        const body = { ...largeSweep(trials, 0), space: shortSpace };
        await submitSweep(http, { ...body, seeds: Math.ceil(trials / 50) });
        log(`submitted ${trials} trials`);
      }
      const report = await runPhase(name, phase, crews, db);
      log(`${name}: ${report.timings.claim?.perSecond ?? 0} claims/s`);
      reports.push(report);
    }
    return reports;
  } finally {
    await Promise.all(crews.map(stopWorkers));
    http.close();
    await api.close();
    await db.close();
  }
};

/** One epoch per stage, because the benchmark measures the traffic around stages. */
const shortSpace = {
  gamma: Array.from({ length: 10 }, (_, i) => i + 1),
  beta: Array.from({ length: 5 }, (_, i) => (i + 1) / 100),
  initialiseEpochs: 1,
  optimiseEpochs: 1,
  classifierEpochs: 1,
};

/** The activity of PostgreSQL during a phase. */
export type Watched = {
  readonly connections: number;
  /**
   * For each event that sessions wait for: the mean number of active sessions that wait for it. The name of a lock includes the statement.
   * Sessions under `running` wait for nothing.
   */
  readonly sessions: Readonly<Record<string, number>>;
  /** Mean number of cores that the server used; null where there is no /proc. */
  readonly cores: number | null;
};

const ticksPerSecond = 100;
const sampleMs = 250;

/** The parent of a process, the ticks of the process, and the ticks of its ended children. */
const readStat = async (pid: string) => {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  return {
    parent: fields[1] ?? 0,
    own: (fields[11] ?? 0) + (fields[12] ?? 0),
    ended: (fields[13] ?? 0) + (fields[14] ?? 0),
  };
};

/** Processor seconds of a server since its start. `backend`: the process id of one of its sessions. */
const serverSeconds = async (backend: number): Promise<number | null> => {
  const { parent } = await readStat(String(backend));
  if (parent === 0) return null;
  const server = await readStat(String(parent));
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const all = await Promise.all(pids.map(readStat));
  const children = all.filter((process) => process.parent === parent);
  return (server.own + server.ended + children.reduce((sum, { own }) => sum + own, 0)) / ticksPerSecond;
};

const activity = `
  SELECT coalesce(wait_event_type || ' ' || wait_event, 'running')
    || CASE WHEN wait_event_type = 'Lock' THEN ' of ' || left(regexp_replace(query, '\\s+', ' ', 'g'), 48) ELSE '' END AS waits, count(*) AS sessions, false AS total
  FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND pid <> pg_backend_pid() GROUP BY 1
  UNION ALL
  SELECT '', count(*), true FROM pg_stat_activity WHERE datname = current_database()`;

const round = (value: number): number => Math.round(value * 100) / 100;

/** Samples the activity of the database until `stop`. */
export const watchDatabase = async (db: Db): Promise<{ readonly stop: () => Promise<Watched> }> => {
  const { rows } = await db.pool.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  const backend = rows[0]!.pid;
  const before = await serverSeconds(backend);
  const started = performance.now();
  const sums = new Map<string, number>();
  let connections = 0;
  let samples = 0;
  const sample = async (): Promise<void> => {
    type Row = { waits: string; sessions: number; total: boolean };
    const answer = await db.pool.query<Row>(activity);
    samples++;
    for (const { waits, sessions, total } of answer.rows)
      if (total) connections = Math.max(connections, sessions);
      else sums.set(waits, (sums.get(waits) ?? 0) + sessions);
  };
  const timer = setInterval(() => void sample().catch(() => {}), sampleMs);
  return {
    stop: async () => {
      clearInterval(timer);
      const seconds = (performance.now() - started) / 1000;
      const after = await serverSeconds(backend);
      const sessions = [...sums].map(([waits, sum]) => [waits, round(sum / Math.max(1, samples))] as const);
      return {
        connections,
        sessions: Object.fromEntries(sessions.sort((a, b) => b[1] - a[1]).slice(0, 6)),
        cores: before === null || after === null ? null : round((after - before) / seconds),
      };
    },
  };
};
