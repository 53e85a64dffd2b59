/** What is done to a run, each under the name that the report counts it by. A fault takes as long as it takes; they come one by one. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createStageQueue } from '@funnel/queue';
import type { Fleet } from './fleet.ts';
import { childrenOf } from './processes.ts';
import type { Random } from './random.ts';
import type { Database, Redis } from './services.ts';

export type Target = {
  readonly fleet: Fleet;
  readonly database: Database;
  readonly redis: Redis | null;
  readonly queueUrl: string;
  readonly leaseSeconds: number;
  readonly random: Random;
};

type Fault = (target: Target) => Promise<void>;

const anyWorker = ({ fleet, random }: Target) => fleet.workers[random.below(fleet.workers.length)]!;
/** Beyond the lease, so that others take over before the sleeper wakes. */
const beyond = ({ leaseSeconds, random }: Target): number => (leaseSeconds + random.between(1, 3)) * 1000;

/** FLUSHALL where the queue is in Redis; where it is in PostgreSQL, every ring is forgotten. */
const emptyQueue: Fault = async ({ queueUrl, redis }) => {
  if (redis) return redis.flush();
  const queue = await createStageQueue({ url: queueUrl });
  await queue.clear().finally(() => queue.close());
};

export const faults = {
  'kill worker': async (target) => anyWorker(target).kill('SIGKILL'),
  'kill trainer': async (target) => {
    const pid = anyWorker(target).pid();
    const trainers = pid === undefined ? [] : await childrenOf(pid);
    const victim = trainers[target.random.below(Math.max(1, trainers.length))];
    if (victim !== undefined) process.kill(victim, 'SIGKILL');
  },
  'kill api': async ({ fleet }) => fleet.api.kill('SIGKILL'),
  'stop worker beyond its lease': async (target) => {
    const worker = anyWorker(target);
    worker.kill('SIGSTOP');
    await sleep(beyond(target));
    worker.kill('SIGCONT');
  },
  'drain worker': async (target) => anyWorker(target).kill('SIGTERM'),
  'restart PostgreSQL': async ({ database }) => database.crash('SIGQUIT'),
  'empty the queue': emptyQueue,
  'kill Redis': async ({ redis }) => redis?.crash(),
  'black-hole a worker’s database': async (target) => {
    target.fleet.blackHole.swallow();
    await sleep(beyond(target));
    target.fleet.blackHole.heal();
  },
} as const satisfies Record<string, Fault>;

export type FaultName = keyof typeof faults;

/** PostgreSQL goes down every few seconds; the others take turns by lot. */
const weights: Readonly<Record<FaultName, number>> = {
  'kill worker': 4,
  'kill trainer': 4,
  'kill api': 2,
  'stop worker beyond its lease': 1,
  'drain worker': 2,
  'restart PostgreSQL': 3,
  'empty the queue': 2,
  'kill Redis': 2,
  'black-hole a worker’s database': 1,
};

export const drawFault = (random: Random, hasRedis: boolean): FaultName => {
  const names = (Object.keys(faults) as FaultName[]).filter((name) => hasRedis || name !== 'kill Redis');
  const urn = names.flatMap((name) => Array<FaultName>(weights[name]).fill(name));
  return urn[random.below(urn.length)]!;
};

/** Injects until `signal` is aborted; counts what it did. Every kind comes once before any is drawn by lot. */
export const injectFaults = async (
  target: Target,
  signal: AbortSignal,
  onFault: (name: FaultName) => void,
): Promise<Record<string, number>> => {
  const done: Record<string, number> = {};
  const first = (Object.keys(faults) as FaultName[]).filter((name) => target.redis || name !== 'kill Redis');
  for (let i = 0; !signal.aborted; i++) {
    const name = first[i] ?? drawFault(target.random, target.redis !== null);
    onFault(name);
    // The queue or the database may be down when its turn comes: then this fault does nothing, and is not counted.
    const injected = await faults[name](target).then(
      () => true,
      () => false,
    );
    if (injected) done[name] = (done[name] ?? 0) + 1;
    await sleep(target.random.between(1000, 5000), undefined, { signal }).catch(() => {});
  }
  return done;
};
