import { hostname } from 'node:os';
import { createDb, onEvents, reconcile, registerWorker, retireWorker } from '@funnel/db';
import { createStageQueue } from '@funnel/queue';
import type { Attempt } from './attempt.ts';
import { defaultSlots, trainerBytes } from './capacity.ts';
import { createDoorbell } from './doorbell.ts';
import { every } from './every.ts';
import { startHeartbeat } from './heartbeat-loop.ts';
import type { WorkerOptions } from './options.ts';
import { createSlot } from './slot.ts';
import { stopAttempt } from './stop-attempt.ts';
import { startSupervisor } from './supervisor.ts';
import { createWatchdog, lookMilliseconds } from './watchdog.ts';

export type RunningWorker = {
  readonly id: string;
  readonly slots: number;
  readonly backend: string;
  readonly device: string;
  /** Process ids of its trainers. */
  readonly trainers: () => readonly number[];
  /** Rejects when it cannot go on: no trainer can be started, or a claim is refused as wrong. */
  readonly failed: Promise<never>;
  /** Hands everything back within its drain time, and closes what it opened. A second call waits for the first. */
  readonly stop: () => Promise<void>;
};

const reconcileSeconds = 3;
const workerName = (): string => `${hostname()}-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;

/**
 * A worker: claims stages, runs each in a trainer process of its own, and keeps their leases alive. Throws when database, queue or
 * backend cannot be used.
 */
export const startWorker = async (options: WorkerOptions): Promise<RunningWorker> => {
  const {
    databaseUrl,
    queueUrl = databaseUrl,
    leaseSeconds = 15,
    maxAttempts = 3,
    drainSeconds = 10,
    standIn = null,
  } = options;
  const id = options.id ?? workerName();
  const log = options.log.child({ worker: id });
  const slotCount = options.slots ?? defaultSlots();
  const setup = { dataDir: options.dataDir ?? null, backend: options.backend ?? 'auto', standIn };
  const memoryLimitBytes = options.memoryLimitBytes ?? trainerBytes;

  // Trainers load tfjs while connections are made.
  const slots = Array.from({ length: slotCount }, () => createSlot({ setup, memoryLimitBytes, log }));
  const db = createDb(databaseUrl);
  const queue = await createStageQueue({ url: queueUrl });
  const identity = await slots[0]!.identity();
  const { backend, device, engineVersion } = identity;
  await registerWorker(db, {
    id,
    host: hostname(),
    pid: process.pid,
    version: engineVersion,
    backend,
    device,
    slots: slotCount,
  });

  const attempts = new Set<Attempt>();
  const doorbell = createDoorbell();
  const stopMilliseconds = (options.stopSeconds ?? 4) * 1000;
  const heartbeat = startHeartbeat({ db, workerId: id, leaseSeconds, stopMilliseconds, attempts, log });
  const events = await onEvents(db, ({ event }) => {
    // Somebody cancelled or paused: do not wait for the next heartbeat to be told which stages.
    if (event.type === 'sweep' && event.status !== 'running') heartbeat.hurry();
  });
  const bell = await queue.listen(async () => doorbell.ring(), { concurrency: slotCount });
  const watchdog = createWatchdog((options.hangSeconds ?? 300) * 1000);
  const watching = setInterval(() => {
    for (const attempt of watchdog.look(attempts)) void stopAttempt(attempt, 'hung', 0);
  }, lookMilliseconds);
  const reconciling = every(reconcileSeconds * 1000, log, async () => {
    const { readyStages, expired } = await reconcile(db, { maxAttempts });
    if (expired > 0) log.warn({ expired }, 'leases had expired');
    if (readyStages.length > 0) await queue.ring(readyStages);
  });
  const pollMilliseconds = (options.pollSeconds ?? 2) * 1000;
  const supervisor = startSupervisor({
    db,
    queue,
    doorbell,
    slots,
    workerId: id,
    leaseSeconds,
    pollMilliseconds,
    attempts,
    log,
  });
  log.info({ slots: slotCount, backend, device, leaseSeconds }, 'worker started');

  const close = async (): Promise<void> => {
    log.info({ running: attempts.size }, 'worker is stopping');
    await reconciling.stop();
    // A blocked queue must not hold up the stages that are to be handed back.
    const bellClosed = bell
      .close()
      .catch((error: unknown) => log.warn({ error: String(error) }, 'queue did not close'));
    await supervisor.drain(drainSeconds * 1000);
    clearInterval(watching);
    await heartbeat.stop();
    await events.close();
    await retireWorker(db, id).catch((error: unknown) =>
      log.warn({ error: String(error) }, 'worker could not say goodbye'),
    );
    await bellClosed;
    await queue.close();
    await db.close();
    log.info('worker stopped');
  };
  let closing: Promise<void> | null = null;
  return {
    id,
    slots: slotCount,
    backend,
    device,
    trainers: () => slots.flatMap((slot) => slot.pid() ?? []),
    failed: supervisor.failed,
    stop: () => {
      closing ??= close();
      return closing;
    },
  };
};
