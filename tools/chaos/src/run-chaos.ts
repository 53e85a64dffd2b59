import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient, FunnelError } from '@funnel/client';
import type { SweepInput } from '@funnel/contracts';
import { createDb, migrate } from '@funnel/db';
import { type Audit, audit, readResults } from './audit.ts';
import { expectedOf, type Results, realSweep, simulatedSweep } from './expected.ts';
import { type FaultName, type Injected, injectFaults } from './faults.ts';
import { type FleetOptions, startFleet } from './fleet.ts';
import { createRandom } from './random.ts';
import { type Database, isAlive, makeFolder, openDatabase, openRedis } from './services.ts';
import { unequalSweep, variants } from './unequal.ts';

export type ChaosOptions = {
  readonly queue: 'postgres' | 'redis';
  /** `trained`: a small sweep with real training on wasm. `simulated`: a large sweep whose results are hashes. */
  readonly training: 'simulated' | 'trained';
  /** The sweep with real training. (Default: a small one) */
  readonly sweep?: SweepInput;
  /** Workers of unequal ability, see unequal.ts. Only for simulated training. */
  readonly unequal: boolean;
  readonly trials: number;
  readonly workers: number;
  readonly seed: number;
  /** Time of a step of the simulated trainer. */
  readonly stepMilliseconds: number;
  /** Mean time between two faults. */
  readonly pauseSeconds: number;
  /** Mean seconds between two crashes or restarts of PostgreSQL; 0: never. */
  readonly postgresEvery: number;
  /** A run whose sweep takes longer fails. */
  readonly limitSeconds: number;
  /** When aborted, the run stops as at its time limit and leaves nothing running. */
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
};

export type ChaosReport = Audit & {
  readonly queue: string;
  readonly training: string;
  readonly ok: boolean;
  readonly seconds: number;
  readonly injected: Readonly<Record<string, number>>;
  /** Kinds of fault that were not injected before the sweep ended. */
  readonly notInjected: readonly string[];
  readonly restarts: number;
  readonly leftRunning: number;
};

const leaseSeconds = 3;

/** So few that a broken worker could use them up. Killed trainers use some too. */
const unequalAttempts = 5;

/** Waits until the sweep has ended, even while the API is down. Resolves to true where the sweep completed. */
const untilEnded = async (
  url: string,
  id: string,
  { limitSeconds, signal }: Pick<ChaosOptions, 'limitSeconds' | 'signal'>,
  onProgress: (progress: number) => void,
): Promise<boolean> => {
  const client = createClient({ url, retries: 0 });
  const deadline = Date.now() + limitSeconds * 1000;
  while (Date.now() < deadline && !signal.aborted) {
    const sweep = await client.getSweep({ params: { id } }).catch((error: unknown) => {
      if (error instanceof FunnelError && error.status === 404) throw error;
      return null;
    });
    if (sweep && sweep.status !== 'running') return sweep.status === 'completed';
    if (sweep) onProgress(sweep.progress);
    await sleep(500);
  }
  return false;
};

/** Submits until an answer comes. The idempotency key ensures that only one sweep is made. */
const submit = async (url: string, definition: SweepInput): Promise<string> => {
  const client = createClient({ url, retries: 60, backoff: 250 });
  const sweep = await client.createSweep({ body: definition, headers: { 'idempotency-key': 'chaos' } });
  return sweep.id;
};

type Run = { readonly folder: string; readonly database: Database; readonly queueUrl: string };

/** Trains the sweep without faults in a separate database: the results that real training must have. */
const resultsWithoutFaults = async (
  options: ChaosOptions,
  definition: SweepInput,
  worker: FleetOptions['worker'],
): Promise<Results> => {
  const folder = await makeFolder('reference');
  const database = await openDatabase(folder);
  try {
    await migrate(database.url);
    const fleet = await startFleet({
      database,
      queueUrl: database.url,
      workers: 1,
      leaseSeconds: 15,
      logs: folder,
      worker,
    });
    try {
      const ended = await untilEnded(fleet.url, await submit(fleet.url, definition), options, () => {});
      if (!ended)
        throw new Error(
          `Expected the sweep without faults to complete within ${options.limitSeconds} s; see the logs in ${folder}`,
        );
    } finally {
      await fleet.stop();
    }
    const db = createDb(database.url);
    return await readResults(db).finally(() => db.close());
  } finally {
    await database.stop();
    await rm(folder, { recursive: true, force: true });
  }
};

/** Runs the sweep under faults and audits it. */
const injectAndAudit = async (
  { folder, database, queueUrl }: Run,
  redis: Awaited<ReturnType<typeof openRedis>> | null,
  options: ChaosOptions,
): Promise<ChaosReport> => {
  const { log, trials, workers, seed, limitSeconds, stepMilliseconds, pauseSeconds, postgresEvery } = options;
  const real = options.training === 'trained';
  const worker = real ? { backend: 'wasm', slots: 1 } : { simulation: { stepMilliseconds }, slots: 2 };
  const simulated = options.unequal ? unequalSweep(trials) : simulatedSweep(trials);
  const definition = real ? (options.sweep ?? realSweep()) : simulated;
  const expected = real
    ? await resultsWithoutFaults(options, definition, worker)
    : await expectedOf(definition);
  log(
    `expected: ${expected.networks.size} checkpoints, ${expected.metrics.size} metrics, ${expected.evaluations.size} evaluations`,
  );

  const fleet = await startFleet({
    ...{ database, queueUrl, workers, leaseSeconds, logs: folder },
    ...(options.unequal
      ? { worker: { ...worker, maxAttempts: unequalAttempts }, variants: variants(stepMilliseconds) }
      : { worker }),
  });
  const pids = new Set<number>();
  const notePids = (): void => {
    for (const process of [fleet.api, ...fleet.workers]) pids.add(process.pid() ?? 0);
  };
  const started = Date.now();
  const sweepEnd = new AbortController();
  const elapsed = (): string => `${((Date.now() - started) / 1000).toFixed(1)} s`;
  let injected: Injected = { counts: {}, missing: [] };
  let ended = false;
  try {
    const id = await submit(fleet.url, definition);
    const onFault = (name: FaultName): void => {
      notePids();
      log(`${elapsed()}  ${name}`);
    };
    const injecting = injectFaults(
      { fleet, database, redis, queueUrl, leaseSeconds, random: createRandom(seed) },
      { signal: sweepEnd.signal, pauseSeconds, postgresEvery, seed },
      onFault,
    );
    let logged = 0;
    ended = await untilEnded(fleet.url, id, options, (progress) => {
      if (progress < logged + 0.1) return;
      log(`${elapsed()}  ${Math.round(progress * 100)} % done`);
      logged = progress;
    });
    sweepEnd.abort();
    injected = await injecting;
  } finally {
    sweepEnd.abort();
    notePids();
    await fleet.stop();
  }
  const seconds = Math.round((Date.now() - started) / 100) / 10;
  const restarts = [fleet.api, ...fleet.workers].reduce((sum, process) => sum + process.starts() - 1, 0);
  pids.delete(0);
  const leftRunning = [...pids].filter(isAlive).length;
  const db = createDb(database.url);
  const { findings, ...audited } = await audit(db, expected).finally(() => db.close());
  const allFindings = [
    ...(ended || options.signal.aborted ? [] : [`the sweep did not complete within ${limitSeconds} s`]),
    ...(options.signal.aborted ? ['the run was interrupted'] : []),
    ...(Object.keys(injected.counts).length > 0 ? [] : ['no fault could be injected']),
    ...(leftRunning === 0 ? [] : [`${leftRunning} processes still running`]),
    ...findings,
  ];
  return {
    queue: options.queue,
    training: options.unequal ? `${options.training}, unequal workers` : options.training,
    ok: allFindings.length === 0,
    seconds,
    injected: injected.counts,
    notInjected: injected.missing,
    restarts,
    leftRunning,
    findings: allFindings,
    ...audited,
  };
};

/** Runs one sweep under faults, from an empty database to the audit. Keeps its folder where a check fails. */
export const runChaos = async (options: ChaosOptions): Promise<ChaosReport> => {
  const folder = await makeFolder('chaos');
  const database = await openDatabase(folder);
  const redis = options.queue === 'redis' ? await openRedis(folder) : null;
  let keep = true;
  try {
    await migrate(database.url);
    const report = await injectAndAudit(
      { folder, database, queueUrl: redis?.url ?? database.url },
      redis,
      options,
    );
    keep = !report.ok;
    if (keep) options.log(`logs are kept in ${folder}`);
    return report;
  } finally {
    await redis?.stop();
    await database.stop();
    if (!keep) await rm(folder, { recursive: true, force: true });
  }
};
