import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';
import {
  type CheckpointWrite,
  completeStage,
  type Db,
  endStage,
  failAttempt,
  getBlobs,
  getDatasetChunk,
  handBackStage,
  isTransient,
  recordCheckpoint,
  releaseStage,
} from '@funnel/db';
import type { Tracer } from '@funnel/tracing';
import type { Logger } from 'pino';
import { lackOf } from './abilities.ts';
import { createWarning } from './async.ts';
import { type Attempt, noteEnd, noteProgress, stopAttempt } from './attempt.ts';
import { type AttemptTrace, traceAttempt } from './attempt-trace.ts';
import type { Checkpoint, StageEnd, StageStart, StageTask, Surrogate } from './messages.ts';
import { type Cache, provideDataset } from './provide-dataset.ts';
import { type Trainer, TrainerDeath } from './trainer-process.ts';

export const isStale = (error: unknown): boolean => error instanceof AppError && error.code === 'STALE_LEASE';

/** True when another version has migrated the database. This version can then write no result. */
export const isMismatch = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'SCHEMA_MISMATCH';

const minWait = 100;
const maxWait = 3_000;

/**
 * Repeats a write until it succeeds. While the database cannot be reached, waits 0.1 s to 3 s between two tries. Throws a permanent error at
 * once, and the last error when `signal` is aborted.
 */
export const persist = async <T>(write: () => Promise<T>, signal: AbortSignal, log: Logger): Promise<T> => {
  const warn = createWarning(log, 'write failed: trying again');
  for (let wait = minWait; ; wait = Math.min(wait * 2, maxWait)) {
    try {
      return await write();
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error;
      warn(error);
      // Random, so that many workers do not try again at the same moment.
      await sleep(wait * (0.5 + Math.random()), undefined, { signal }).catch(() => {});
    }
  }
};

export type AttemptContext = {
  readonly db: Db;
  /** Where the images of stages are kept; null for simulated trainers, which need none. */
  readonly cache: Cache | null;
  readonly maxAttempts: number;
  readonly tracer: Tracer;
  readonly log: Logger;
};
type Running = AttemptContext & { readonly trace: AttemptTrace };

const blobsOf = (manifest: StageStart['manifest']): string[] => [
  ...Object.values(manifest.networks).map((network) => network.blob),
  ...(manifest.moments ? [manifest.moments.blob] : []),
];

/** The task with all blobs that it needs: those of the start of the stage, and of the surrogates of its attack. */
const loadTask = async ({ db, log }: AttemptContext, attempt: Attempt): Promise<StageTask> => {
  const { spec, start, surrogates } = attempt.claimed;
  const fetch = (manifest: StageStart['manifest']) =>
    persist(() => getBlobs(db, blobsOf(manifest)), attempt.abandon.signal, log);
  const others: Surrogate[] = [];
  for (const manifest of surrogates) others.push({ manifest, blobs: await fetch(manifest) });
  return {
    spec,
    start: start && { ...start, blobs: await fetch(start.manifest) },
    surrogates: others,
  };
};

/** Fetches the images of the stage where this machine lacks them. Does not wait for them once the attempt is to stop. */
const provide = async ({ db, cache, log, trace }: Running, attempt: Attempt): Promise<void> => {
  if (!cache) return;
  const fetching = trace.begin('provide data set');
  try {
    await provideDataset(attempt.claimed.spec.dataset, cache, {
      fetchChunk: (digest, number) =>
        persist(() => getDatasetChunk(db, { digest, number }), attempt.abandon.signal, log),
      onStep: () => {
        if (attempt.stopping) throw new Error('Expected to fetch a data set, but the attempt is to stop');
      },
    });
  } catch (error) {
    if (!attempt.stopping) throw error;
  } finally {
    fetching.end();
  }
};

/** Milliseconds that a trainer has to stop after the database refused its checkpoint. */
const refusedGrace = 1000;

/** Writes a checkpoint. Never throws: when the write fails for good, it stops the attempt. */
const store = async (
  context: Running,
  attempt: Attempt,
  { manifest, blobs }: Checkpoint,
  measured: Pick<CheckpointWrite, 'metrics' | 'perClass'>,
): Promise<void> => {
  const { db, log, trace } = context;
  const { spec, fencingToken, workerId } = attempt.claimed;
  const { usage } = attempt;
  const write = { stageId: spec.id, fencingToken, workerId, usage, manifest, blobs, ...measured };
  noteProgress(attempt);
  attempt.position = manifest.position;
  attempt.saving++;
  trace.trainerReached(manifest.position);
  const storing = trace.begin('store checkpoint');
  try {
    const recorded = await persist(() => recordCheckpoint(db, write), attempt.abandon.signal, log);
    if (!recorded.matches)
      log.error(
        { position: manifest.position, stored: recorded.hash },
        'checkpoint differs from the one stored before',
      );
  } catch (error) {
    if (attempt.abandon.signal.aborted) return;
    attempt.refusal = error;
    const reason = isStale(error) ? 'lost' : isMismatch(error) ? 'drain' : 'refused';
    void stopAttempt(attempt, reason, refusedGrace);
  } finally {
    storing.end();
    attempt.saving--;
  }
};

/** Runs the stage in the trainer. When the trainer dies, the attempt has failed, unless the worker killed the trainer to stop the stage. */
const train = async (
  context: Running,
  attempt: Attempt,
  getTrainer: () => Promise<Trainer>,
): Promise<StageEnd> => {
  let isNew = true;
  try {
    await provide(context, attempt);
    if (attempt.stopping) return { status: 'stopped' };
    const loading = context.trace.begin('load start');
    const task = await loadTask(context, attempt).finally(() => loading.end());
    if (attempt.stopping) return { status: 'stopped' };
    attempt.trainer = await getTrainer();
    if (attempt.stopping) return { status: 'stopped' };
    isNew = attempt.trainer.runs() === 0;
    context.trace.trainerStarts();
    return await attempt.trainer.run(task, {
      onProgress: ({ position, imagesPerSecond }) => {
        noteProgress(attempt);
        attempt.position = position ?? attempt.position;
        attempt.imagesPerSecond = imagesPerSecond;
      },
      onUsage: (usage) => {
        attempt.usage = usage;
      },
      onCheckpoint: (state, metrics, perClass) => store(context, attempt, state, { metrics, perClass }),
    });
  } catch (error) {
    if (!(error instanceof TrainerDeath)) throw error;
    if (attempt.stopping === 'hung')
      return {
        status: 'failed',
        code: 'TRAINER_HUNG',
        message: 'The trainer made no progress for too long and was killed',
        stack: '',
      };
    if (attempt.stopping) return { status: 'stopped' };
    if (error.code === 'TRAINER_OUT_OF_MEMORY' && attempt.claimed.memoryBytes > 0 && !isNew) {
      context.log.warn(
        { error: error.message },
        'a used trainer ran out of memory: a new one may have enough',
      );
      return { status: 'stopped' };
    }
    return { status: 'failed', code: error.code, message: error.message, stack: error.stack ?? '' };
  }
};

/** Codes of errors that another attempt cannot avoid. */
const permanentErrors: ReadonlySet<string> = new Set(['ATTACK_INPUT']);

/** Writes how the attempt ended. */
const writeEnd = async (
  { db, maxAttempts, log }: AttemptContext,
  attempt: Attempt,
  end: StageEnd,
): Promise<void> => {
  const { stageId, fencingToken, workerId } = attempt.claimed;
  const lease = { stageId, fencingToken, workerId, usage: attempt.usage };
  const write = <T>(operation: () => Promise<T>) => persist(operation, attempt.abandon.signal, log);
  switch (end.status) {
    case 'completed':
      return write(() => completeStage(db, { ...lease, evaluation: end.evaluation ?? undefined }));
    case 'diverged':
    case 'collapsed':
      return write(() => endStage(db, { ...lease, status: end.status, message: end.message }));
    case 'stopped':
      return write(() => releaseStage(db, lease));
    case 'failed': {
      const { code, message } = end;
      const lack = lackOf(end, attempt.claimed.memoryBytes);
      if (lack) return write(() => handBackStage(db, { ...lease, lack, code, message }));
      await write(() =>
        failAttempt(db, {
          ...lease,
          code: end.code,
          message: end.message,
          stack: end.stack,
          maxAttempts: permanentErrors.has(end.code) ? 1 : maxAttempts,
        }),
      );
    }
  }
};

/** Of the errors of the system, only a full disk has a code here: it is a lack. */
const codeOf = (error: unknown): string => {
  if (error instanceof AppError) return error.code;
  return (error as NodeJS.ErrnoException).code === 'ENOSPC' ? 'ENOSPC' : 'INTERNAL';
};

const failureOf = (error: unknown): StageEnd => {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const code = codeOf(error);
  return { status: 'failed', code, message, stack: stack ?? message };
};

/** The end after a refused write. Where another version has migrated the database, the worker releases the stage; else the attempt failed. */
const endOfRefused = (refusal: unknown): StageEnd =>
  isMismatch(refusal) ? { status: 'stopped' } : failureOf(refusal);

/** The end to write when the database has refused the intended end, and also a failure with the reason. */
const withoutReason: StageEnd = {
  status: 'failed',
  code: 'INTERNAL',
  message:
    'The database accepted neither the result nor the reason for refusing it: see the log of the worker',
  stack: '',
};

/** The end that was written, and whether it is the intended one. */
type Ended = { readonly end: StageEnd; readonly isIntended: boolean };

/**
 * Writes how the attempt ended. When the database refuses this for good, writes a failure with the database's reason, so that the stage is
 * tried again or fails at once, without waiting for the end of its lease. When the database refuses the reason too, writes a failure without
 * it. Throws when the database refuses that as well.
 */
const writeEndOrFail = async (
  context: AttemptContext,
  attempt: Attempt,
  intended: StageEnd,
): Promise<Ended> => {
  const ends: readonly ((refusal: unknown) => StageEnd)[] = [
    () => intended,
    endOfRefused,
    () => withoutReason,
  ];
  let refusal: unknown;
  for (const [tries, endAfter] of ends.entries())
    try {
      const end = endAfter(refusal);
      await writeEnd(context, attempt, end);
      return { end, isIntended: tries === 0 };
    } catch (error) {
      if (isStale(error) || attempt.abandon.signal.aborted) throw error;
      context.log.error({ err: error }, 'the database refused a result');
      refusal = error;
    }
  throw refusal;
};

/**
 * One attempt from its claim to its last write. Never throws. After a lost lease, writes nothing more (the database refused and counted the
 * write). When the end cannot be written at all, the lease runs out. Resolves to false when the database refused a write for good.
 */
export const runAttempt = async (
  context: AttemptContext,
  attempt: Attempt,
  getTrainer: () => Promise<Trainer>,
): Promise<boolean> => {
  const { spec, fencingToken, attempt: number, sweepIds: sweeps } = attempt.claimed;
  const log = context.log.child({ sweeps, stage: spec.id, kind: spec.kind, attempt: number, fencingToken });
  const trace = traceAttempt(context.tracer, attempt.claimed);
  const inner = { ...context, log, trace };
  const started = performance.now();
  log.info({ epochs: spec.epochs, from: attempt.claimed.start?.manifest.position }, 'stage started');
  try {
    const trained = await train(inner, attempt, getTrainer)
      .catch(failureOf)
      .finally(() => noteEnd(attempt));
    if (attempt.abandon.signal.aborted) {
      log.info({ reason: attempt.stopping }, 'attempt was abandoned');
      return true;
    }
    const wasRefused = attempt.stopping === 'refused';
    const intended = wasRefused ? endOfRefused(attempt.refusal) : trained;
    const storing = trace.begin('store result');
    const { end, isIntended } = await writeEndOrFail(inner, attempt, intended).finally(() => storing.end());
    trace.end(end.status, 'message' in end ? end.message : undefined);
    const seconds = Number(((performance.now() - started) / 1000).toFixed(2));
    if (end.status === 'failed') log.error({ seconds, code: end.code, error: end.message }, 'attempt failed');
    else log.info({ seconds, status: end.status }, 'stage ended');
    return isIntended && !wasRefused;
  } catch (error) {
    if (isStale(error)) log.warn('lease was lost: the result was refused');
    else if (!attempt.abandon.signal.aborted) {
      log.error({ err: error }, 'result could not be written: the lease will run out');
      return false;
    }
    return true;
  } finally {
    // Ends the span of an attempt whose result was not written. For any other attempt this does nothing: its span has ended.
    trace.end(attempt.stopping ?? 'lost');
  }
};
