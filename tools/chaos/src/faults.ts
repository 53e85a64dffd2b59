/** What is done to a run, each under the name that the report counts it by. A fault takes as long as it takes; they come one by one. */
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

/** False: there was nothing to do it to just now. */
type Fault = (target: Target) => Promise<boolean>;

const anyWorker = ({ fleet, random }: Target) => fleet.workers[random.below(fleet.workers.length)]!;
/** Beyond the lease, so that others take over before the sleeper wakes. */
const beyond = ({ leaseSeconds, random }: Target): number => (leaseSeconds + random.between(1, 3)) * 1000;

/** FLUSHALL where the queue is in Redis; where it is in PostgreSQL, every ring is forgotten. Throws while the server is away. */
const emptyQueue: Fault = async ({ queueUrl, redis }) => {
  if (redis) {
    await redis.flush();
    return true;
  }
  const queue = await createStageQueue({ url: queueUrl });
  await queue.clear().finally(() => queue.close());
  return true;
};

/** In the order in which they come first: nothing that needs a server right after that server was killed. */
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
    await sleep(beyond(target));
    worker.kill('SIGCONT');
    return true;
  },
  'kill Redis': async ({ redis }) => redis?.crash() ?? false,
  'drain worker': async (target) => anyWorker(target).kill('SIGTERM'),
  'black-hole a worker’s database': async (target) => {
    target.fleet.blackHole.swallow();
    await sleep(beyond(target));
    target.fleet.blackHole.heal();
    return true;
  },
  'freeze PostgreSQL beyond the lease': (target) => target.database.freeze(beyond(target)),
} as const satisfies Record<string, Fault>;

type DrawnFault = keyof typeof faults;
export type FaultName = DrawnFault | DatabaseFault;

/** How often each kind is drawn, beside the others. */
const weights: Readonly<Record<DrawnFault, number>> = {
  'kill worker': 4,
  'kill trainer': 4,
  'kill api': 2,
  'stop worker beyond its lease': 1,
  'drain worker': 2,
  'empty the queue': 2,
  'kill Redis': 2,
  'black-hole a worker’s database': 1,
  'freeze PostgreSQL beyond the lease': 1,
};

const kindsOf = ({ redis }: Pick<Target, 'redis'>): readonly DrawnFault[] =>
  (Object.keys(faults) as DrawnFault[]).filter((name) => redis || name !== 'kill Redis');

const drawFault = (random: Random, names: readonly DrawnFault[]): DrawnFault => {
  const urn = names.flatMap((name) => Array<DrawnFault>(weights[name]).fill(name));
  return urn[random.below(urn.length)]!;
};

/** Milliseconds for which a fault is tried while what it is done to comes back from the one before, and between two tries. */
const timeoutMs = 10_000;
const pauseBetweenTries = 500;

/** False: what it is done to stayed away, or the run was over first. */
const inject = async (name: DrawnFault, target: Target, signal: AbortSignal): Promise<boolean> => {
  const deadline = Date.now() + timeoutMs;
  while (!signal.aborted && Date.now() < deadline) {
    const done = await faults[name](target).catch(() => false); // the queue or the database is down: it will be back
    if (done) return true;
    await sleep(pauseBetweenTries, undefined, { signal }).catch(() => {});
  }
  return false;
};

/** How often each kind was done, and which kinds never were though they were tried, or never had a turn. */
export type Injected = {
  readonly done: Readonly<Record<string, number>>;
  readonly never: readonly FaultName[];
};

export type Pace = {
  readonly signal: AbortSignal;
  /** Between two faults, on the mean. */
  readonly pauseSeconds: number;
  /** Between two ends of PostgreSQL, on the mean; 0: never. */
  readonly postgresEvery: number;
  readonly seed: number;
};

/** Injects until `signal` is aborted; every kind comes once before any is drawn by lot. PostgreSQL goes down beside that. */
export const injectFaults = async (
  target: Target,
  { signal, pauseSeconds, postgresEvery, seed }: Pace,
  onFault: (name: FaultName) => void,
): Promise<Injected> => {
  const kinds = kindsOf(target);
  const done: Record<string, number> = {};
  const count = (name: FaultName): void => {
    done[name] = (done[name] ?? 0) + 1;
    onFault(name);
  };
  // Its own numbers: how long the other faults take must not change when it goes down.
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
  return { done, never: wanted.filter((name) => done[name] === undefined) };
};

/** PostgreSQL goes down every few seconds, on a clock of its own: whatever else happens, it happens beside that. */

/** In turns: SIGQUIT ends it as a crash does, so that it recovers from its log; SIGINT rolls back what is under way and shuts down. */
const ways = [
  { name: 'crash PostgreSQL', signal: 'SIGQUIT' },
  { name: 'restart PostgreSQL', signal: 'SIGINT' },
] as const;

export type DatabaseFault = (typeof ways)[number]['name'];
export const databaseFaults: readonly DatabaseFault[] = ways.map(({ name }) => name);

export type RestartOptions = {
  readonly signal: AbortSignal;
  /** Between two, on the mean; 0: never. */
  readonly everySeconds: number;
  readonly random: Random;
};

/** Until `signal` is aborted. A server that is still coming back is left alone until the next turn. */
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
    const way = ways[turn % ways.length]!;
    if (!(await database.end(way.signal))) continue;
    turn++;
    onFault(way.name);
  }
};
