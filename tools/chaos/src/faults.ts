/** The faults, by the names in the report. They are injected one after the other; PostgreSQL goes down independently of them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createStageQueue } from '@funnel/queue';
import type { Fleet } from './fleet.ts';
import { createRandom, type Random } from './random.ts';
import { childrenOf, type Database, type Redis } from './services.ts';

export type Target = {
  readonly fleet: Fleet;
  readonly database: Database;
  readonly redis: Redis | null;
  readonly queueUrl: string;
  readonly leaseSeconds: number;
  readonly random: Random;
};

/** Resolves to false where the target does not run at the moment. */
type Fault = (target: Target) => Promise<boolean>;

const anyWorker = ({ fleet, random }: Target) => fleet.workers[random.below(fleet.workers.length)]!;
/** Milliseconds longer than the lease, so that another worker takes over meanwhile. */
const longerThanLease = ({ leaseSeconds, random }: Target): number =>
  (leaseSeconds + random.between(1, 3)) * 1000;

/** FLUSHALL where the queue is in Redis; deletes every job where it is in PostgreSQL. Throws while the server is down. */
const emptyQueue: Fault = async ({ queueUrl, redis }) => {
  if (redis) {
    await redis.flush();
    return true;
  }
  const queue = await createStageQueue({ url: queueUrl });
  await queue.clear().finally(() => queue.close());
  return true;
};

/**
 * Each is injected once in this order; later faults are drawn at random. A fault that needs a server never comes just after the fault that
 * kills this server.
 */
export const faults = {
  'kill worker': async (target) => anyWorker(target).kill('SIGKILL'),
  'empty the queue': emptyQueue,
  'kill trainer': async (target) => {
    const pid = anyWorker(target).pid();
    const trainers = pid === undefined ? [] : await childrenOf(pid);
    const victim = trainers[target.random.below(Math.max(1, trainers.length))];
    return victim !== undefined && process.kill(victim, 'SIGKILL');
  },
  'kill api': async ({ fleet }) => fleet.api.kill('SIGKILL'),
  'stop worker beyond its lease': async (target) => {
    const worker = anyWorker(target);
    if (!worker.kill('SIGSTOP')) return false;
    await sleep(longerThanLease(target));
    worker.kill('SIGCONT');
    return true;
  },
  'kill Redis': async ({ redis }) => redis?.crash() ?? false,
  'drain worker': async (target) => anyWorker(target).kill('SIGTERM'),
  'silence a worker’s connections to PostgreSQL': async (target) => {
    target.fleet.relay.silence();
    await sleep(longerThanLease(target));
    target.fleet.relay.restore();
    return true;
  },
  'freeze PostgreSQL beyond the lease': (target) => target.database.freeze(longerThanLease(target)),
} as const satisfies Record<string, Fault>;

export type DrawnFault = keyof typeof faults;
export type FaultName = DrawnFault | DatabaseFault;

/** Relative frequencies of the kinds. */
const weights: Readonly<Record<DrawnFault, number>> = {
  'kill worker': 4,
  'kill trainer': 4,
  'kill api': 2,
  'stop worker beyond its lease': 1,
  'drain worker': 2,
  'empty the queue': 2,
  'kill Redis': 2,
  'silence a worker’s connections to PostgreSQL': 1,
  'freeze PostgreSQL beyond the lease': 1,
};

const allKinds = Object.keys(faults) as DrawnFault[];

const drawFault = (random: Random, names: readonly DrawnFault[]): DrawnFault => {
  const tickets = names.flatMap((name) => Array<DrawnFault>(weights[name]).fill(name));
  return tickets[random.below(tickets.length)]!;
};

/** A fault is tried for this long while its target recovers from an earlier fault, with this pause between two tries. */
const injectTimeoutMs = 10_000;
const retryPauseMs = 500;

/** Resolves to false where the target stayed down or the run ended first. */
const inject = async (name: DrawnFault, target: Target, signal: AbortSignal): Promise<boolean> => {
  const deadline = Date.now() + injectTimeoutMs;
  while (!signal.aborted && Date.now() < deadline) {
    const done = await faults[name](target).catch(() => false); // the queue or the database is down and will be back
    if (done) return true;
    await sleep(retryPauseMs, undefined, { signal }).catch(() => {});
  }
  return false;
};

/** How often each kind was injected, and the kinds that were never injected. */
export type Injected = {
  readonly counts: Readonly<Record<string, number>>;
  readonly missing: readonly FaultName[];
};

export type Pace = {
  readonly signal: AbortSignal;
  /** Mean time between two faults. */
  readonly pauseSeconds: number;
  /** Mean seconds between two crashes or restarts of PostgreSQL; 0: never. */
  readonly postgresEvery: number;
  readonly seed: number;
  /** (Default: all) */
  readonly kinds?: readonly DrawnFault[];
};

/** Injects until `signal` is aborted: every kind once, then random ones. PostgreSQL goes down independently. */
export const injectFaults = async (
  target: Target,
  { signal, pauseSeconds, postgresEvery, seed, kinds: wantedKinds = allKinds }: Pace,
  onFault: (name: FaultName) => void,
): Promise<Injected> => {
  const kinds = wantedKinds.filter((name) => target.redis || name !== 'kill Redis');
  const counts: Record<string, number> = {};
  const count = (name: FaultName): void => {
    counts[name] = (counts[name] ?? 0) + 1;
    onFault(name);
  };
  // A separate generator, so that the durations of other faults do not change these times.
  const random = createRandom(seed + 1);
  const restarting = restartDatabase(target.database, { signal, everySeconds: postgresEvery, random }, count);
  for (let i = 0; !signal.aborted; i++) {
    const name = kinds[i] ?? drawFault(target.random, kinds);
    if (await inject(name, target, signal)) count(name);
    const pause = pauseSeconds * 1000 * target.random.between(0.4, 1.6);
    await sleep(pause, undefined, { signal }).catch(() => {});
  }
  await restarting;
  const wanted: readonly FaultName[] = postgresEvery > 0 ? [...databaseFaults, ...kinds] : kinds;
  return { counts, missing: wanted.filter((name) => counts[name] === undefined) };
};

/** In turns: SIGQUIT is a crash, after which PostgreSQL recovers from its log; SIGINT rolls back open transactions and shuts down. */
const databaseEnds = [
  { name: 'crash PostgreSQL', signal: 'SIGQUIT' },
  { name: 'restart PostgreSQL', signal: 'SIGINT' },
] as const;

export type DatabaseFault = (typeof databaseEnds)[number]['name'];
export const databaseFaults: readonly DatabaseFault[] = databaseEnds.map(({ name }) => name);

export type RestartOptions = {
  readonly signal: AbortSignal;
  /** Mean seconds between two ends; 0: never. */
  readonly everySeconds: number;
  readonly random: Random;
};

/** Ends PostgreSQL again and again until `signal` is aborted. A server that is still starting is left alone until the next turn. */
export const restartDatabase = async (
  database: Database,
  { signal, everySeconds, random }: RestartOptions,
  onFault: (name: DatabaseFault) => void,
): Promise<void> => {
  if (everySeconds <= 0) return;
  for (let turn = 0; ; ) {
    const pause = everySeconds * 1000 * random.between(0.6, 1.4);
    await sleep(pause, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const way = databaseEnds[turn % databaseEnds.length]!;
    if (!(await database.end(way.signal))) continue;
    turn++;
    onFault(way.name);
  }
};
