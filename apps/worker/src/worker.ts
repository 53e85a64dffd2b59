import os, { hostname } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { engineVersion, plural } from '@funnel/contracts';
import {
  announceAbilities,
  checkSchema,
  createDb,
  queueAddress,
  reconcile,
  registerWorker,
  retireWorker,
  retryUntilReachable,
  startPropagation,
  startRelay,
} from '@funnel/db';
import { startProposer } from '@funnel/proposer';
import { createStageQueue } from '@funnel/queue';
import { createTracer } from '@funnel/tracing';
import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { type AbilitySource, availableBytes, readAbilities } from './abilities.ts';
import { createClosing, createWarning, repeat } from './async.ts';
import { type Attempt, createWatchdog, stopAttempt, watchMilliseconds } from './attempt.ts';
import { startHeartbeat } from './heartbeat.ts';
import type { WorkerOptions } from './options.ts';
import { isMismatch } from './run-attempt.ts';
import { shareDatasets } from './share-datasets.ts';
import { createSlot } from './slot.ts';
import { createWakeUpSignal, startSupervisor } from './supervisor.ts';

/** Bytes that one trainer with the default sizes may use, including Node and the data set. */
export const trainerBytes = 1.5 * 2 ** 30;
const maxSlots = 8;

/** One trainer per core, as many as memory holds, 8 at most. For more, set the number. */
export const defaultSlots = (
  cores: number = os.availableParallelism(),
  bytes: number = availableBytes(),
): number => Math.max(1, Math.min(cores, Math.floor(bytes / trainerBytes), maxSlots));

export type RunningWorker = {
  readonly id: string;
  readonly slots: number;
  readonly backend: string;
  readonly device: string;
  /** Process ids of its trainers. */
  readonly trainers: () => readonly number[];
  /**
   * Rejects when the worker cannot go on: no trainer starts, the database refuses a claim, or another version has migrated the database
   * (SCHEMA_MISMATCH; the worker then releases its stages).
   */
  readonly failed: Promise<never>;
  /**
   * Releases all stages within the time to drain, and closes all parts within about 7 s more, even if database or queue do not answer. A
   * second call waits for the first.
   */
  readonly stop: () => Promise<void>;
  /** The parts that did not close in time. */
  readonly notClosed: () => readonly string[];
};

/** Bytes of data sets that a machine keeps after it fetched them. */
const defaultCacheBytes = 16 * 2 ** 30;

const reconcileMilliseconds = 3000;
/** The pause between two looks at the data sets of this machine. */
const lookMilliseconds = 10_000;
/** Two times that follow the time to drain: for the last writes of stages, and for closing the other parts. */
const lastWritesMilliseconds = 2000;
const closingMilliseconds = 5000;
const drainMillisecondsOf = ({ drainSeconds = 10 }: WorkerOptions): number => drainSeconds * 1000;
const workerName = (): string => `${hostname()}-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;

/** What a worker that starts waits for. It may start before its database, as containers and second machines do. */
const waitText = (waitedMs: number): string =>
  waitedMs < 60_000
    ? 'waiting for the database: trying again until it answers, every 5 s at the longest'
    : `waiting for the database since ${plural(Math.floor(waitedMs / 60_000), 'minute')}: is DATABASE_URL right?`;

type Closing = ReturnType<typeof createClosing>;

/** Opens all parts of a worker, and adds each to `closing`. */
const open = async (
  options: WorkerOptions,
  id: string,
  log: Logger,
  closing: Closing,
): Promise<RunningWorker> => {
  const { databaseUrl, leaseSeconds = 10, maxAttempts = 3, simulation = null } = options;
  const drainMilliseconds = drainMillisecondsOf(options);
  const slotCount = options.slots ?? defaultSlots();
  const setup = { folders: options.folders ?? {}, backend: options.backend ?? 'auto', simulation };
  const memoryLimitBytes = options.memoryLimitBytes ?? trainerBytes;

  const tracer = createTracer({
    endpoint: options.tracesUrl,
    resource: { 'service.name': 'funnel-worker', 'service.instance.id': id },
    onError: createWarning(log, 'could not send traces to the collector'),
  });
  closing.add('traces', tracer.close);
  // Trainers load tfjs while the worker connects.
  const slots = Array.from({ length: slotCount }, () => createSlot({ setup, memoryLimitBytes, log }));
  closing.add('trainers', () => Promise.all(slots.map((slot) => slot.close())));
  const firstIdentity = slots[0]!.identity();
  firstIdentity.catch(() => {}); // awaited below, unless another part fails first
  const onError = createWarning(log, 'a connection broke');
  const admitted = <T>(connect: () => Promise<T>): Promise<T> =>
    retryUntilReachable(
      connect,
      (error, waitedMs) =>
        log.warn({ error: error instanceof Error ? error.message : String(error) }, waitText(waitedMs)),
      options.signal,
    );
  await admitted(() => checkSchema(databaseUrl));
  const db = createDb(databaseUrl, {
    direct: options.directUrl,
    name: 'funnel worker',
    max: slotCount + 2,
    onError,
  });
  // Heartbeats have a connection of their own. They never wait behind other statements, and it stays open.
  const heartbeatDb = createDb(databaseUrl, { name: 'funnel heartbeat', max: 1, onError });
  closing.add('database', () => Promise.all([db.close(), heartbeatDb.close()]));
  const address = queueAddress(options.queueUrl, db.direct);
  await address.checkPooler?.();
  const queue = await createStageQueue({ ...address, onError });
  closing.add('queue', () => queue.close());
  const relay = startRelay(db, {
    notify: queue.notify,
    onError: createWarning(log, 'could not notify the queue of ready stages'),
  });
  closing.add('relay', relay.close);
  const propagation = startPropagation(db, createWarning(log, 'could not continue a change of many trials'));
  closing.add('propagation', propagation.close);
  const identity = await firstIdentity;
  const { backend, device } = identity;
  const source: AbilitySource = {
    folders: setup.folders,
    identity,
    slots: slotCount,
    isSimulated: simulation !== null,
    override: options.abilities,
  };
  let abilities = await readAbilities(source);
  const register = (): Promise<void> =>
    registerWorker(db, {
      id,
      host: hostname(),
      pid: process.pid,
      version: packageJson.version,
      backend,
      device,
      slots: slotCount,
      abilities,
    });
  await admitted(register);
  closing.add('registration', () => retireWorker(db, { workerId: id, status: 'gone' }));

  const attempts = new Set<Attempt>();
  const stopMilliseconds = (options.stopSeconds ?? 4) * 1000;
  const heartbeat = startHeartbeat({
    db: heartbeatDb,
    workerId: id,
    register,
    leaseSeconds,
    stopMilliseconds,
    attempts,
    log,
  });
  closing.add('heartbeat', heartbeat.stop);
  const watchdog = createWatchdog((options.hangSeconds ?? 300) * 1000);
  const watching = setInterval(() => {
    for (const attempt of watchdog.findHung(attempts)) void stopAttempt(attempt, 'hung', 0);
  }, watchMilliseconds);
  closing.add('watchdog', async () => clearInterval(watching));
  const proposer = startProposer(db, {
    engineVersion,
    onError: createWarning(log, 'could not decide for a search'),
  });
  closing.add('proposer', proposer.close);
  const reconciling = repeat(reconcileMilliseconds, log, async () => {
    const { expired } = await reconcile(db, { maxAttempts, leaseSeconds });
    proposer.wake(); // for searches that another process made due
    if (expired.length > 0) log.warn({ expired }, 'leases have expired');
  });
  closing.add('reconciler', reconciling.stop);
  const looking = repeat(lookMilliseconds, log, async () => {
    const found = await readAbilities(source);
    if (!isDeepStrictEqual(found, abilities)) {
      await announceAbilities(db, id, found);
      abilities = found;
      log.info({ datasets: found.datasets }, 'the data sets of this machine have changed');
    }
    await shareDatasets({ db, folders: setup.folders, found: found.datasets, log });
  });
  closing.add('data sets', looking.stop);
  const wakeUp = createWakeUpSignal();
  const listener = await queue.listen(async () => wakeUp.wakeOne(), { concurrency: slotCount });
  closing.add('listener', listener.close);
  const pollMilliseconds = (options.pollSeconds ?? 2) * 1000;
  const workerId = id;
  const supervisor = startSupervisor({
    db,
    wakeUp,
    slots,
    workerId,
    identity,
    cache: simulation ? null : { folders: setup.folders, maxBytes: options.cacheBytes ?? defaultCacheBytes },
    leaseSeconds,
    maxAttempts,
    pollMilliseconds,
    attempts,
    tracer,
    log,
  });
  const drain = (): Promise<void> => {
    // This status only informs people, so the write may fail.
    retireWorker(db, { workerId: id, status: 'draining' }).catch(() => {});
    return supervisor.drain(drainMilliseconds);
  };
  closing.add('stages', drain, drainMilliseconds + lastWritesMilliseconds);
  const failed = Promise.race([supervisor.failed, heartbeat.refused]);
  failed.catch((error: unknown) => {
    if (!isMismatch(error)) return;
    // The database would accept no checkpoint and renew no lease, so the worker releases its stages at once.
    for (const attempt of attempts) void stopAttempt(attempt, 'drain', 0);
  });

  log.info({ slots: slotCount, backend, device, leaseSeconds }, 'worker started');
  return {
    id,
    slots: slotCount,
    backend,
    device,
    trainers: () => slots.flatMap((slot) => slot.pid() ?? []),
    failed,
    stop: closing.close,
    notClosed: closing.late,
  };
};

/**
 * Starts a worker, which claims stages, runs each in a trainer process, and renews their leases. Waits while the database cannot be reached
 * or accepts no connections. When the database or the backend is not usable, closes all parts and throws. Without its queue, the worker polls the database.
 */
export const startWorker = async (options: WorkerOptions): Promise<RunningWorker> => {
  const id = options.id ?? workerName();
  const log = options.log.child({ worker: id });
  const closing = createClosing(
    log,
    drainMillisecondsOf(options) + lastWritesMilliseconds + closingMilliseconds,
  );
  try {
    return await open(options, id, log, closing);
  } catch (error) {
    await closing.close();
    throw error;
  }
};
