/** `bench fleet`: many workers on one PostgreSQL, without training: their claims, writes and heartbeats, and the resource that is saturated first. */
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { measureFleet, type PhaseReport, type Watched } from './measure-fleet.ts';
import { readOptions } from './options.ts';
import { untilInterrupted } from './processes.ts';
import { openTables } from './service.ts';
import { type Operation, operations } from './simulate-worker.ts';

export const fleetUsage = `fleet [--workers 500] [--processes 2] [--pool N] [--seconds 20] [--stage 10] [--trials 10000] [--json]
  Simulated workers on a private PostgreSQL: idle, with stages of --stage seconds, and with stages of 0 seconds.
  --pool: connections that the workers of a process share; by default each worker has a pool.`;

const count = (defaultValue: number) => z.coerce.number().pipe(z.int().min(1)).default(defaultValue);

const Options = z.strictObject({
  workers: count(500),
  processes: count(2),
  pool: z.coerce.number().pipe(z.int().min(1)).nullable().default(null),
  seconds: count(20),
  stage: count(10),
  trials: count(10_000),
  json: z.boolean().default(false),
});

/** Five connections for the pool of each worker, and some for the API and its queue. */
const connectionsFor = (workers: number): number => workers * 5 + 100;

type Saturated = { readonly saturated: readonly string[] };

const lines = ({
  name,
  timings,
  sessions,
  connections,
  cores,
  workerCores,
  failures,
  leasesLost,
  saturated,
}: PhaseReport & Saturated): readonly string[] => [
  `${name}: ${connections} connections; PostgreSQL ${cores ?? '?'} cores, workers ${workerCores}; sessions: ${Object.entries(
    sessions,
  )
    .map(([waits, mean]) => `${waits} ${mean}`)
    .join(', ')}`,
  `  saturated first: ${saturated.join('; then ') || 'nothing'}`,
  ...operations.flatMap((operation: Operation) => {
    const timing = timings[operation];
    if (!timing) return [];
    const { perSecond, p50, p99, max } = timing;
    return [
      `  ${operation.padEnd(12)}${String(perSecond).padStart(10)}/s   p50 ${p50}   p99 ${p99}   max ${max} ms`,
    ];
  }),
  `  leases lost  ${leasesLost}`,
  ...Object.entries(failures).map(([message, times]) => `  FAILED ${times} times: ${message}`),
];

export const fleet = async (args: readonly string[]): Promise<void> => {
  const { workers, processes, pool, seconds, stage, trials, json } = readOptions(Options, args);
  const phases = {
    idle: { seconds, stageSeconds: 0 },
    [`stages of ${stage} s`]: { seconds, stageSeconds: stage },
    'stages of 0 s': { seconds, stageSeconds: 0 },
  };
  const log = (line: string): void => console.error(line);
  const limits = { cores: availableParallelism(), connections: connectionsFor(workers) };
  const phasesMeasured = await untilInterrupted(async (onEnd) => {
    const tables = await openTables({ max_connections: String(connectionsFor(workers)) });
    onEnd(tables.close);
    return measureFleet(tables, { workers, processes, pool, trials, phases, log });
  });
  const reports = phasesMeasured.map((report) => ({ ...report, saturated: saturated(report, limits) }));
  if (json) console.log(JSON.stringify({ workers, processes, pool, phases: reports }));
  else for (const report of reports) for (const line of lines(report)) console.log(line);
  if (reports.some(({ failures }) => Object.keys(failures).length > 0)) process.exitCode = 1;
};

export type Limits = {
  /** Cores of this machine, which the server and the simulated workers share. */
  readonly cores: number;
  /** Connections that the server allows. */
  readonly connections: number;
};

type Observed = Watched & { readonly workerCores: number };

/** Cores or connections count as saturated when at least this share of them is busy. */
const fullShare = 0.85;
/** Where at least this many sessions wait on average, the resource that they wait for counts as saturated. */
const waitingSessions = 1;

const disk = /^IO |^LWLock WAL/;
const locks = /^(Lock|LWLock(?! WAL)) /;

const sum = (sessions: Observed['sessions'], pattern: RegExp): number =>
  Object.entries(sessions).reduce((total, [waits, mean]) => total + (pattern.test(waits) ? mean : 0), 0);

const maxOf = (sessions: Observed['sessions'], pattern: RegExp): string =>
  Object.entries(sessions)
    .filter(([waits]) => pattern.test(waits))
    .sort((a, b) => b[1] - a[1])[0]?.[0] ?? '';

/**
 * The saturated resources, the worst first. A saturated processor comes before all others: a session that waits for a core keeps the locks
 * that other sessions wait for.
 */
export const saturated = (
  { cores, workerCores, sessions, connections }: Observed,
  limits: Limits,
): string[] => {
  const busyCores = (cores ?? 0) + workerCores;
  const causes: (readonly [string, number])[] = [
    [
      `the processor: PostgreSQL ${cores ?? '?'} and simulated workers ${workerCores} of ${limits.cores} cores`,
      busyCores / limits.cores / fullShare,
    ],
    [`connections: ${connections} of ${limits.connections}`, connections / limits.connections / fullShare],
    [`the disk: sessions wait for ${maxOf(sessions, disk)}`, sum(sessions, disk) / waitingSessions],
    [`contended rows: sessions wait for ${maxOf(sessions, locks)}`, sum(sessions, locks) / waitingSessions],
  ];
  const [processor, ...others] = causes;
  return [processor!, ...others.sort((a, b) => b[1] - a[1])]
    .filter(([, share]) => share >= 1)
    .map(([words]) => words);
};
