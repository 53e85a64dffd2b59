/**
 * Carries out stored submissions: at most one of each size at a time over all API processes. A request waits some seconds for the end of its
 * submission. The submission outlives the request, and also this process: when its lease has run out, another process takes it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, type ClientLimits, defaultLimits, type SweepDefinition } from '@funnel/contracts';
import {
  type Author,
  type Db,
  getSubmission,
  postponeSubmission,
  refuseSubmission,
  renewSubmission,
  type SubmissionSize,
  type SubmissionState,
  storeSubmission,
  type TakenSubmission,
  takeSubmission,
} from '@funnel/db';
import { measure } from './all-faults.ts';
import { hashBody } from './plan-and-submit.ts';
import type { Planning } from './planning.ts';

/** Seconds of a lease, and between two renewals. */
const leaseSeconds = 30;
const renewMs = 10_000;
/** Milliseconds between two looks for submissions of other processes, and for the end of a submission. */
const pollMs = 2000;
const endPollMs = 200;
/** Seconds after which a submission that found another operation in its way tries again, as often as necessary. */
const busySeconds = 2;
/** After a failure of the process or of the database the pause doubles each time, up to this many seconds. */
const maxPauseSeconds = 60;
/** After this many attempts, each of which ended with its process or with the database, a submission is refused. */
const maxAttempts = 10;

export type SubmitOptions = {
  readonly client: string;
  readonly author?: Author;
  readonly definition: SweepDefinition;
  readonly engineVersion: string;
  /** The tags of the new sweep. (Default: none) */
  readonly tags?: readonly string[];
  readonly idempotencyKey?: string;
  /** When it aborts, the submission goes on, and the request waits no longer. */
  readonly signal?: AbortSignal;
};

export type Outcome =
  /** `created`: false if an earlier request with the same key made the sweep. */
  { readonly sweepId: string; readonly created: boolean } | { readonly submission: SubmissionState };

export type Submissions = {
  /**
   * Writes a small sweep at once. Stores any other one, and waits up to `waitMs` for its end. Throws the errors of
   * `Planner.submit`, and TOO_MANY_OWN_SUBMISSIONS.
   */
  readonly submit: (options: SubmitOptions) => Promise<Outcome>;
  readonly start: () => void;
  /** Takes no more submissions. Requests that wait for theirs are answered with its place. */
  readonly stop: () => void;
  /** Resolves when none runs any more. The planning processes must have ended: their submissions wait for the next process. */
  readonly close: () => Promise<void>;
};

export type SubmissionsOptions = {
  readonly planning: Pick<Planning, 'submit'>;
  /** Called when a sweep of a stored submission has been written. */
  readonly onCreated: (sweepId: string, startedAt: number) => void;
  readonly onError: (error: unknown) => void;
  /** Milliseconds for which a request waits for the end of its submission. (Default: 6000) */
  readonly waitMs?: number | undefined;
  /** (Default: `defaultLimits`) */
  readonly limits?: ClientLimits | undefined;
};

const isBusy = (error: unknown): boolean => error instanceof AppError && error.details.isBusy === true;
const isTemporary = (error: unknown): boolean =>
  error instanceof AppError && (error.code === 'UNAVAILABLE' || error.code === 'SCHEMA_MISMATCH');

export const createSubmissions = (
  db: Db,
  { planning, onCreated, onError, waitMs = 6000, limits = defaultLimits }: SubmissionsOptions,
): Submissions => {
  const closed = new AbortController();
  let wake = new AbortController();

  const pause = (ms: number): Promise<void> =>
    sleep(ms, undefined, { signal: AbortSignal.any([closed.signal, wake.signal]) }).catch(() => {});

  /** Writes the sweep of a submission, and renews the lease meanwhile. */
  const carryOut = async (taken: TakenSubmission): Promise<void> => {
    const { id, attempt, ...request } = taken;
    const startedAt = Date.now();
    const renewal = setInterval(() => void renewSubmission(db, taken, leaseSeconds).catch(onError), renewMs);
    try {
      const { sweepId, created } = await planning.submit({ ...request, ticket: { id, attempt } });
      if (created) onCreated(sweepId, startedAt);
    } catch (error) {
      if (closed.signal.aborted) return await postponeSubmission(db, taken, 0);
      if (isBusy(error)) return await postponeSubmission(db, taken, busySeconds);
      if (isTemporary(error) && attempt < maxAttempts)
        return await postponeSubmission(db, taken, Math.min(maxPauseSeconds, 2 ** attempt));
      const { code, message, details } =
        error instanceof AppError ? error : new AppError('INTERNAL', 'The service failed unexpectedly');
      if (!(error instanceof AppError)) onError(error);
      await refuseSubmission(db, taken, { code, message, details });
    } finally {
      clearInterval(renewal);
    }
  };

  const serve = async (size: SubmissionSize): Promise<void> => {
    while (!closed.signal.aborted) {
      try {
        const taken = await takeSubmission(db, size, leaseSeconds);
        if (taken) await carryOut(taken);
        else await pause(pollMs);
      } catch (error) {
        if (!closed.signal.aborted) onError(error);
        await pause(pollMs);
      }
    }
  };

  /** The state when the submission has ended, or when the request should be answered. */
  const untilEnd = async (id: string, signal: AbortSignal | undefined): Promise<SubmissionState> => {
    const last = Date.now() + waitMs;
    for (;;) {
      const state = await getSubmission(db, id);
      const isEnded = state.status === 'completed' || state.status === 'refused';
      if (isEnded || Date.now() > last || signal?.aborted || closed.signal.aborted) return state;
      await sleep(endPollMs, undefined, { signal: closed.signal }).catch(() => {});
    }
  };

  let running: Promise<unknown> | undefined;
  const start = (): void => {
    running ??= Promise.all((['small', 'medium', 'large'] as const).map(serve));
  };

  return {
    submit: async ({ client, author, definition, engineVersion, tags = [], idempotencyKey: key, signal }) => {
      const size = await measure(db, definition);
      const request = {
        ...{ client, definition, engineVersion, tags },
        ...(author && { author }),
        ...(key !== undefined && { idempotencyKey: key }),
      };
      try {
        if (size === 'small') return await planning.submit(request, { caller: client });
      } catch (error) {
        if (!isBusy(error)) throw error;
      }
      const stored = await storeSubmission(db, {
        ...{ client, limits, size, definition, engineVersion, tags },
        bodyHash: hashBody(definition),
        ...(author && { author }),
        ...(key !== undefined && { key }),
      });
      if ('sweepId' in stored) return { sweepId: stored.sweepId, created: false };
      start();
      wake.abort();
      wake = new AbortController();
      const submission = await untilEnd(stored.id, signal);
      const { refusal, sweepId } = submission;
      if (refusal) throw new AppError(refusal.code, refusal.message, refusal.details);
      return sweepId === null ? { submission } : { sweepId, created: stored.isNew };
    },
    start,
    stop: () => closed.abort(),
    close: async () => {
      closed.abort();
      await running;
    },
  };
};
