import type { SweepInput } from '@funnel/contracts';
import { createDb } from '@funnel/db';
import { type Audit, audit, readResults } from './audit.ts';
import { expectedOf, type Results, realSweep, simulatedSweep } from './expected.ts';
import { type FaultName, type Injected, injectFaults } from './faults.ts';
import { type FleetOptions, startFleet } from './fleet.ts';
import { submit, untilEnded } from './follow-sweep.ts';
import { createRandom } from './random.ts';
import { isAlive, type Services, withServices } from './services.ts';
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

/** Trains the sweep without faults in a separate database: the results that real training must have. */
const resultsWithoutFaults = async (
  options: ChaosOptions,
  definition: SweepInput,
  worker: FleetOptions['worker'],
): Promise<Results> => {
  const { queue: _, ...rest } = options;
  const { results } = await withServices(
    { ...rest, name: 'reference', queue: 'postgres' },
    async ({ folder, database, queueUrl }) => {
      const fleet = await startFleet({
        ...{ database, queueUrl, workers: 1, leaseSeconds: 15, logs: folder, worker },
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
      return { ok: true, results: await readResults(db).finally(() => db.close()) };
    },
  );
  return results;
};

/** Runs the sweep under faults and audits it. */
const injectAndAudit = async (
  { folder, database, redis, queueUrl }: Services,
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
export const runChaos = (options: ChaosOptions): Promise<ChaosReport> =>
  withServices({ ...options, name: 'chaos' }, (services) => injectAndAudit(services, options));
