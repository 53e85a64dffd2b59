import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { createDb } from '@funnel/db';
import { createHttpClient } from '../load/http.ts';
import { openApi } from '../load/processes.ts';
import { largeSweep } from '../load/submit.ts';
import type { Tables } from '../load/tables.ts';
import { type Timing, timingOf } from '../load/time-calls.ts';
import { type Operation, operations, type Phase } from './simulate-worker.ts';
import { type Watched, watchDatabase } from './watch-database.ts';
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
  /** By operation; absent where there was none. */
  readonly timings: Readonly<Partial<Record<Operation, Timing>>>;
  readonly failures: Readonly<Record<string, number>>;
  /** Cores kept busy by the simulated workers. */
  readonly workerCores: number;
};

const startWorkers = async (options: WorkersOptions): Promise<ChildProcess> => {
  const child = fork(fileURLToPath(new URL('workers-process.ts', import.meta.url)), [
    JSON.stringify(options),
  ]);
  await once(child, 'message', { signal: AbortSignal.timeout(120_000) });
  return child;
};

const stopWorkers = async (child: ChildProcess): Promise<void> => {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000);
  if (child.connected) child.disconnect();
  await once(child, 'exit');
  clearTimeout(late);
};

/** More than a phase may take beyond its time: whoever is in the middle of a statement ends it. */
const grace = 90;

const runPhase = async (
  name: string,
  phase: Phase,
  crews: readonly ChildProcess[],
  db: ReturnType<typeof createDb>,
): Promise<PhaseReport> => {
  const watch = await watchDatabase(db);
  const signal = AbortSignal.timeout((phase.seconds + grace) * 1000);
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
    workerCores: Math.round((cpu / phase.seconds) * 100) / 100,
  };
};

/** All phases on one database: the first before there is any work, the others on one sweep of `trials`. */
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
      const some = Math.floor(workers / processes) + (i < workers % processes ? 1 : 0);
      crews.push(await startWorkers({ databaseUrl, name: `fleet-${i}`, workers: some, pool }));
    }
    log(`${workers} workers in ${processes} processes`);
    const reports: PhaseReport[] = [];
    for (const [name, phase] of Object.entries(phases)) {
      if (reports.length === 1) {
        const body = { ...largeSweep(trials, 0), space: shortSpace };
        await http.call('POST', '/v1/sweeps', {
          body: { ...body, seeds: Math.ceil(trials / 50) },
          status: 201,
        });
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

/** One epoch each: what is measured is the traffic around stages. */
const shortSpace = {
  gamma: Array.from({ length: 10 }, (_, i) => i + 1),
  beta: Array.from({ length: 5 }, (_, i) => (i + 1) / 100),
  initialiseEpochs: 1,
  optimiseEpochs: 1,
  classifierEpochs: 1,
};
