import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@funnel/contracts';
import {
  completeStage,
  type Db,
  endStage,
  failAttempt,
  getBlobs,
  isTransient,
  recordCheckpoint,
  releaseStage,
} from '@funnel/db';
import type { Tracer } from '@funnel/tracing';
import type { Logger } from 'pino';
import { type Attempt, noteEnd, noteProgress, stopAttempt } from './attempt.ts';
import { type AttemptTrace, traceAttempt } from './attempt-trace.ts';
import type { Checkpoint, StageEnd, StageStart, StageTask, Surrogate } from './messages.ts';
import { type Trainer, TrainerDeath } from './trainer-process.ts';

export const isStale = (error: unknown): boolean => error instanceof AppError && error.code === 'STALE_LEASE';

/** Another version has migrated the database: this one can write no result there. */
export const isMismatch = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'SCHEMA_MISMATCH';

const firstWait = 100;
const longestWait = 3_000;

/**
 * Sends a write until it is taken: while the database is away, waits from 0.1 s up to 3 s between tries. Throws what waiting cannot
 * mend, and whatever came last once `signal` is aborted.
 */
export const persist = async <T>(write: () => Promise<T>, signal: AbortSignal, log: Logger): Promise<T> => {
  for (let wait = firstWait; ; wait = Math.min(wait * 2, longestWait)) {
    try {
      return await write();
    } catch (error) {
      if (signal.aborted || !isTransient(error)) throw error;
      log.warn(
        { error: error instanceof Error ? error.message : String(error), wait },
        'database was out of reach',
      );
      // Spread out, so that many workers do not come back in step.
      await sleep(wait * (0.5 + Math.random()), undefined, { signal }).catch(() => {});
    }
  }
};

export type AttemptContext = {
  readonly db: Db;
  readonly maxAttempts: number;
  readonly tracer: Tracer;
  readonly log: Logger;
};
type Running = AttemptContext & { readonly trace: AttemptTrace };

const blobsOf = (manifest: StageStart['manifest']): string[] => [
  ...Object.values(manifest.networks).map((network) => network.blob),
  ...(manifest.moments ? [manifest.moments.blob] : []),
];

/** What the stage is done from, with all bytes: its start and the surrogates of its attack. */
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

/** A trainer that is told to stop because of what it wrote has this long, in milliseconds. */
const refusedGrace = 1000;

/** Stores a checkpoint. Never throws: what cannot be stored ends the attempt. */
const store = async (
  context: Running,
  attempt: Attempt,
  { manifest, blobs }: Checkpoint,
  metrics: Readonly<Record<string, number | null>> | null,
): Promise<void> => {
  const { db, log, trace } = context;
  const { spec, fencingToken, workerId } = attempt.claimed;
  const write = { stageId: spec.id, fencingToken, workerId, manifest, blobs, metrics };
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
        'state differs from the one stored before',
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

/** Lets the trainer work. A trainer that was killed because its stage was to stop has stopped; one that died otherwise has failed. */
const train = async (
  context: Running,
  attempt: Attempt,
  getTrainer: () => Promise<Trainer>,
): Promise<StageEnd> => {
  try {
    const loading = context.trace.begin('load start');
    const task = await loadTask(context, attempt).finally(() => loading.end());
    if (attempt.stopping) return { status: 'stopped' };
    attempt.trainer = await getTrainer();
    if (attempt.stopping) return { status: 'stopped' };
    context.trace.trainerStarts();
    return await attempt.trainer.run(task, {
      onProgress: ({ position, imagesPerSecond }) => {
        noteProgress(attempt);
        attempt.position = position ?? attempt.position;
        attempt.imagesPerSecond = imagesPerSecond;
      },
      onCheckpoint: (state, metrics) => store(context, attempt, state, metrics),
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
    return { status: 'failed', code: error.code, message: error.message, stack: error.stack ?? '' };
  }
};

/** Codes of errors that another attempt, on whatever machine, would meet again. */
const hopeless: ReadonlySet<string> = new Set(['ATTACK_INPUT']);

/** Writes how the attempt ended. */
const writeEnd = async (
  { db, maxAttempts, log }: AttemptContext,
  attempt: Attempt,
  end: StageEnd,
): Promise<void> => {
  const { stageId, fencingToken, workerId } = attempt.claimed;
  const lease = { stageId, fencingToken, workerId };
  const write = <T>(operation: () => Promise<T>) => persist(operation, attempt.abandon.signal, log);
  switch (end.status) {
    case 'completed':
      return write(() => completeStage(db, { ...lease, evaluation: end.evaluation ?? undefined }));
    case 'diverged':
    case 'collapsed':
      return write(() => endStage(db, { ...lease, status: end.status, message: end.message }));
    case 'stopped':
      return write(() => releaseStage(db, lease));
    case 'failed':
      await write(() =>
        failAttempt(db, {
          ...lease,
          code: end.code,
          message: end.message,
          stack: end.stack,
          maxAttempts: hopeless.has(end.code) ? 1 : maxAttempts,
        }),
      );
  }
};

const failureOf = (error: unknown): StageEnd => {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  const code = error instanceof AppError ? error.code : 'INTERNAL';
  return { status: 'failed', code, message, stack: stack ?? message };
};

/** A result for a database that another version has migrated is nobody's fault: its stage is handed back. */
const endOfRefused = (refusal: unknown): StageEnd =>
  isMismatch(refusal) ? { status: 'stopped' } : failureOf(refusal);

/** In place of a reason that the database does not take either. */
const unsaid: StageEnd = {
  status: 'failed',
  code: 'INTERNAL',
  message: 'The database took neither the result nor the reason: see the log of the worker',
  stack: '',
};

type Ended = { readonly end: StageEnd; readonly asIntended: boolean };

/**
 * Writes how it ended. An end that the database refuses, for a reason that waiting does not mend, becomes a failure with that reason, so
 * that the stage is tried again or given up and its lease does not expire. Throws when the database refuses that too.
 */
const writeEndOrFail = async (
  context: AttemptContext,
  attempt: Attempt,
  intended: StageEnd,
): Promise<Ended> => {
  const ends: readonly ((refusal: unknown) => StageEnd)[] = [() => intended, endOfRefused, () => unsaid];
  let refusal: unknown;
  for (const [tries, endAfter] of ends.entries())
    try {
      const end = endAfter(refusal);
      await writeEnd(context, attempt, end);
      return { end, asIntended: tries === 0 };
    } catch (error) {
      if (isStale(error) || attempt.abandon.signal.aborted) throw error;
      context.log.error({ err: error }, 'the database refused a result');
      refusal = error;
    }
  throw refusal;
};

/**
 * One attempt from its claim to its last write. Never throws: a lost lease ends it silently (its writes were refused and counted), and
 * what cannot be written at all is left to the lease, which lapses. Resolves to false when the database refused a write for a reason
 * that waiting does not mend.
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
      log.info({ reason: attempt.stopping }, 'stage was given up');
      return true;
    }
    const wasRefused = attempt.stopping === 'refused';
    const intended = wasRefused ? endOfRefused(attempt.refusal) : trained;
    const storing = trace.begin('store result');
    const { end, asIntended } = await writeEndOrFail(inner, attempt, intended).finally(() => storing.end());
    trace.end(end.status, 'message' in end ? end.message : undefined);
    const seconds = Number(((performance.now() - started) / 1000).toFixed(2));
    if (end.status === 'failed') log.error({ seconds, code: end.code, error: end.message }, 'attempt failed');
    else log.info({ seconds, status: end.status }, 'stage ended');
    return asIntended && !wasRefused;
  } catch (error) {
    if (isStale(error)) log.warn('lease was lost: the result was refused');
    else if (!attempt.abandon.signal.aborted) {
      log.error({ err: error }, 'result could not be written: the lease will lapse');
      return false;
    }
    return true;
  } finally {
    // Whatever ended it before its result was written; a span ends once.
    trace.end(attempt.stopping ?? 'lost');
  }
};
