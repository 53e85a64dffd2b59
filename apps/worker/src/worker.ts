import os, { hostname } from 'node:os';
import {
  checkSchema,
  createDb,
  queueAddress,
  reconcile,
  registerWorker,
  retireWorker,
  startRelay,
  whenAdmitted,
} from '@funnel/db';
import { createStageQueue } from '@funnel/queue';
import { createTracer } from '@funnel/tracing';
import type { Logger } from 'pino';
import packageJson from '../package.json' with { type: 'json' };
import { createClosing, repeat } from './async.ts';
import { type Attempt, createWatchdog, stopAttempt, watchMilliseconds } from './attempt.ts';
import { startHeartbeat } from './heartbeat.ts';
import type { WorkerOptions } from './options.ts';
import { isMismatch } from './run-attempt.ts';
import { createSlot } from './slot.ts';
import { createWakeUpSignal, startSupervisor } from './supervisor.ts';

/** What one trainer of the default sizes may take, node and data set included, in bytes. */
export const trainerBytes = 1.5 * 2 ** 30;
const maxSlots = 8;

/** Memory that this process may use: a container's limit where there is one. */
const availableBytes = (): number => {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
};

/** One trainer per core, as many as memory holds, and 8 at most: more are asked for by number. */
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
   * Rejects when it cannot go on: no trainer can be started, a claim is refused as wrong, or another version has migrated the database
   * (SCHEMA_MISMATCH, in words; what it ran is being handed back).
   */
  readonly failed: Promise<never>;
  /**
   * Hands everything back within its drain time, and closes what it opened within some 7 s more, whatever database and queue do. A second
   * call waits for the first.
   */
  readonly stop: () => Promise<void>;
  /** Parts that `stop` gave up waiting for. */
  readonly notClosed: () => readonly string[];
};

const reconcileMilliseconds = 3000;
/** Beyond the drain time: for the last writes of stages, and for all that is closed after them. */
const lastWritesMilliseconds = 2000;
const closingMilliseconds = 5000;
const drainMillisecondsOf = ({ drainSeconds = 10 }: WorkerOptions): number => drainSeconds * 1000;
const workerName = (): string => `${hostname()}-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;

type Closing = ReturnType<typeof createClosing>;

/** Opens everything that a worker consists of, each part with its end. */
const open = async (
  options: WorkerOptions,
  id: string,
  log: Logger,
  closing: Closing,
): Promise<RunningWorker> => {
  const { databaseUrl, leaseSeconds = 10, maxAttempts = 3, simulation = null } = options;
  const drainMilliseconds = drainMillisecondsOf(options);
  const slotCount = options.slots ?? defaultSlots();
  const setup = { places: options.places ?? {}, backend: options.backend ?? 'auto', simulation };
  const memoryLimitBytes = options.memoryLimitBytes ?? trainerBytes;

  const tracer = createTracer({
    endpoint: options.tracesUrl,
    resource: { 'service.name': 'funnel-worker', 'service.instance.id': id },
    onError: (error) => log.warn({ error: error.message }, 'traces are not taken'),
  });
  closing.add('traces', tracer.close);
  // Trainers load tfjs while connections are made.
  const slots = Array.from({ length: slotCount }, () => createSlot({ setup, memoryLimitBytes, log }));
  closing.add('trainers', () => Promise.all(slots.map((slot) => slot.close())));
  const first = slots[0]!.identity();
  first.catch(() => {}); // waited for below, perhaps after something else failed
  const onError = (error: Error) => log.warn({ error: error.message }, 'a connection broke');
  const admitted = <T>(work: () => Promise<T>): Promise<T> =>
    whenAdmitted(
      work,
      (error) =>
        log.warn(
          { error: error instanceof Error ? error.message : String(error) },
          'the database takes no connection now: waiting until it does',
        ),
      options.signal,
    );
  await admitted(() => checkSchema(databaseUrl));
  const db = createDb(databaseUrl, { name: 'funnel worker', max: slotCount + 4, onError });
  closing.add('database', () => db.close());
  const queue = await createStageQueue({ ...queueAddress(options.queueUrl, db.url), onError });
  closing.add('queue', () => queue.close());
  const relay = startRelay(db, {
    notify: queue.notify,
    onError: (error) => log.warn({ error: String(error) }, 'could not tell the queue of ready stages'),
  });
  closing.add('relay', relay.close);
  const identity = await first;
  const { backend, device } = identity;
  await admitted(() =>
    registerWorker(db, {
      id,
      host: hostname(),
      pid: process.pid,
      version: packageJson.version,
      backend,
      device,
      slots: slotCount,
    }),
  );
  closing.add('registration', () => retireWorker(db, { workerId: id, status: 'gone' }));

  const attempts = new Set<Attempt>();
  const stopMilliseconds = (options.stopSeconds ?? 4) * 1000;
  const heartbeat = startHeartbeat({ db, workerId: id, leaseSeconds, stopMilliseconds, attempts, log });
  closing.add('heartbeat', heartbeat.stop);
  const watchdog = createWatchdog((options.hangSeconds ?? 300) * 1000);
  const watching = setInterval(() => {
    for (const attempt of watchdog.findHung(attempts)) void stopAttempt(attempt, 'hung', 0);
  }, watchMilliseconds);
  closing.add('watchdog', async () => clearInterval(watching));
  const reconciling = repeat(reconcileMilliseconds, log, async () => {
    const { expired } = await reconcile(db, { maxAttempts, leaseSeconds });
    if (expired.length > 0) log.warn({ expired }, 'leases had expired');
  });
  closing.add('reconciler', reconciling.stop);
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
    leaseSeconds,
    maxAttempts,
    pollMilliseconds,
    attempts,
    tracer,
    log,
  });
  const drain = (): Promise<void> => {
    // Only to be seen: a database that is away must not hold up the rest.
    retireWorker(db, { workerId: id, status: 'draining' }).catch(() => {});
    return supervisor.drain(drainMilliseconds);
  };
  closing.add('stages', drain, drainMilliseconds + lastWritesMilliseconds);
  const failed = Promise.race([supervisor.failed, heartbeat.refused]);
  failed.catch((error: unknown) => {
    if (!isMismatch(error)) return;
    // No checkpoint of theirs would be taken, and no lease is kept: they go back at once.
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
 * A worker: claims stages, runs each in a trainer process of its own, and keeps their leases alive. Waits for a
 * database that takes no connection for now. Throws when database or backend cannot be used, and leaves nothing behind then. The queue may
 * be away: then the worker looks for work by itself.
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
