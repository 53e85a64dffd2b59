/**
 * The planning processes. Each answers one question at a time. One process is kept ready, because a start takes a second, and ten on a busy
 * machine. A question waits until a process is ready. If its time ends before that, the process goes on with its start and serves the next
 * question. A process that uses too much memory ends after its answer. An idle process ends when there are others.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { constants, setPriority } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AppError, type ErrorCode, type Plan, type RouteName, type ServiceLimits } from '@funnel/contracts';
import type { Submitted } from '@funnel/db';
import type { RawBody } from '../request/bodies.ts';
import type { PlanRequest, SubmitRequest } from './plan-and-submit.ts';

/** The signal that ends a process which exceeded a limit. Nothing else sends this signal. */
export const limitSignal = 'SIGVTALRM';

/** The limits of one question. */
export type Limits = {
  /** Seconds of computing. */
  readonly seconds: number;
  /** Memory of the process. */
  readonly bytes: number;
  /** (Default: `defaultLimits`) */
  readonly sweep?: ServiceLimits;
};

/** A body, and the route whose schema it must match. */
export type ReadRequest = { readonly route: RouteName; readonly body: RawBody };

export type Answers = { readonly plan: Plan; readonly submit: Submitted; readonly read: unknown };
type Requests = { readonly plan: PlanRequest; readonly submit: SubmitRequest; readonly read: ReadRequest };
export type Kind = keyof Answers;

export type Asked = {
  readonly [K in Kind]: { readonly kind: K; readonly request: Requests[K] };
}[Kind];

/** A message to a planning process. Every question carries the database's address: an argument would show its password in `ps`. */
export type Question = Asked & { readonly databaseUrl: string };

/** A message from a planning process. Errors lose their class between processes, so a refusal is plain data. `bytes`: the memory of the process. */
export type Answer = { readonly bytes: number } & (
  | { readonly value: unknown }
  | {
      readonly refusal: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly details: Readonly<Record<string, unknown>>;
      };
    }
  | { readonly fault: unknown }
);

/** A message from a planning process: it is ready for its first question, or it has the answer to the last one. */
export type Message = 'ready' | Answer;

const script = fileURLToPath(new URL('./planning-process.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** The limit of a process's heap. It is higher than the bound on planning (`Limits`), because submitting a sweep needs more memory. */
const heapMegabytes = 2048;
/**
 * V8's young generation. Most objects of a plan live until its end; with more room V8 copies them less often, which saves a quarter of the
 * time.
 */
const youngMegabytes = 64;
/** A process with more memory than this ends after its answer. */
const defaultKeptBytes = 400 * 2 ** 20;
/** Milliseconds without a question after which a process ends, unless it is the only one. */
const idleMs = 30_000;

/** Seconds after which a request that found no process ready should come again. */
const startRetrySeconds = 5;

/** The signals and the exit code with which V8 ends a process that has no memory left. */
const outOfMemory: readonly unknown[] = ['SIGABRT', 'SIGTRAP', 'SIGILL', 134];

/** A question exceeded its limits. The caller knows what the user should change. */
export class BeyondLimits extends Error {
  override readonly name = 'BeyondLimits';
}

type Process = {
  readonly child: ChildProcess;
  /** False while the process starts. */
  isReady: boolean;
  /** Resolves the current question: with its answer, or with an error if the process ends. Null while the process has no question. */
  onOutcome: ((outcome: Answer | Error) => void) | null;
  /** Whether the process has worked on a question. If it ends before that, nothing replaces it at once: the next one might end as well. */
  hasWorked: boolean;
  idleTimer: NodeJS.Timeout | undefined;
};

/** A question that waits until a process is ready. */
type Waiting = {
  readonly take: (process: Process) => void;
  readonly refuse: (error: Error) => void;
};

export type PlanningProcesses = {
  /** Starts a process before the first question. */
  readonly start: () => void;
  /**
   * The answer. A process that answers a large question has a low priority, so that it delays nothing else, and ends after it, so that its
   * memory is free again. When `signal` aborts, the process that works on the question ends, and BeyondLimits is thrown; UNAVAILABLE instead,
   * if its request had to wait for the start of a process. Throws BeyondLimits, UNAVAILABLE, and the errors of the question itself.
   */
  readonly ask: (
    question: Question,
    options?: { readonly isLarge?: boolean; readonly signal?: AbortSignal | undefined },
  ) => Promise<unknown>;
  readonly close: () => Promise<void>;
  /** The ids of all running processes. */
  readonly ids: () => readonly number[];
};

/** The value of an answer. Throws its error. */
const unwrap = (answer: Answer): unknown => {
  if ('value' in answer) return answer.value;
  if ('refusal' in answer)
    throw new AppError(answer.refusal.code, answer.refusal.message, answer.refusal.details);
  throw new Error('Planning failed', { cause: answer.fault });
};

export type ProcessOptions = Limits & {
  /** A process with more bytes of memory than this ends after its answer. (Default: 400 MiB) */
  readonly keptBytes?: number;
};

const lowerPriority = ({ child: { pid } }: Process): void => {
  try {
    if (pid !== undefined) setPriority(pid, constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // The process has ended, or the system does not allow it: the answer is the same.
  }
};

export const createPlanningProcesses = ({
  keptBytes = defaultKeptBytes,
  ...limits
}: ProcessOptions): PlanningProcesses => {
  const all = new Set<Process>();
  /** The questions that wait for a process, in their order. At least as many processes are starting. */
  const waiting = new Set<Waiting>();
  /** The signals of requests that had to wait for a start. A request may ask two questions: to read its body, and to plan its sweep. */
  const waitedForStart = new WeakSet<AbortSignal>();
  let keepOneReady = false;
  let closing = false;

  const unavailable = (): AppError =>
    new AppError(
      'UNAVAILABLE',
      `Expected the sweep to be planned, but ${closing ? 'the service is closing' : 'the planning process has ended'}`,
      { hint: 'Send the request again: it has changed nothing.' },
    );

  const stillStarting = (): AppError =>
    new AppError(
      'UNAVAILABLE',
      'Expected a planning process that is ready, but the planning processes were still starting when this request came',
      {
        hint: 'Try again later, as Retry-After says: this request has changed nothing.',
        retryAfterSeconds: startRetrySeconds,
      },
    );

  const countStarting = (): number => [...all].filter(({ isReady }) => !isReady).length;

  /** `how`: the signal or the exit code. */
  const ended = (process: Process, how: unknown): void => {
    if (!all.delete(process)) return;
    clearTimeout(process.idleTimer);
    const beyond = how === limitSignal || outOfMemory.includes(how);
    if (beyond) process.hasWorked = true;
    process.onOutcome?.(beyond && !closing ? new BeyondLimits() : unavailable());
    if (waiting.size > countStarting()) [...waiting][0]?.refuse(unavailable());
    if (keepOneReady && all.size === 0 && process.hasWorked && !closing) begin();
  };

  const begin = (): Process => {
    const execArgv = [
      '--import',
      tsx,
      `--max-old-space-size=${heapMegabytes}`,
      `--max-semi-space-size=${youngMegabytes}`,
    ];
    const child = fork(script, [JSON.stringify(limits)], { execArgv, serialization: 'advanced' });
    const process: Process = {
      child,
      isReady: false,
      onOutcome: null,
      hasWorked: false,
      idleTimer: undefined,
    };
    all.add(process);
    child.on('message', (message: Message) => {
      if (message !== 'ready') return process.onOutcome?.(message);
      process.isReady = true;
      setIdle(process);
    });
    child.once('exit', (code, signal) => ended(process, signal ?? code));
    // A start or a message failed. Without this listener the error would end the API.
    child.on('error', () => {
      child.kill('SIGKILL');
      if (child.pid === undefined) ended(process, null);
    });
    return process;
  };

  /** Gives the process to the first question that waits, or lets it wait for one. After `idleMs` it ends, unless it is the only one. */
  const setIdle = (process: Process): void => {
    process.onOutcome = null;
    clearTimeout(process.idleTimer);
    const [first] = waiting;
    if (first) {
      first.take(process);
      return;
    }
    process.idleTimer = setTimeout(() => {
      if (all.size > 1) process.child.kill('SIGKILL');
      else process.idleTimer?.refresh();
    }, idleMs).unref();
  };

  /** A process that is ready, as soon as there is one. Begins one if too few are starting. Throws UNAVAILABLE. */
  const untilReady = (signal: AbortSignal | undefined): Promise<Process> =>
    new Promise((resolve, reject) => {
      const leave = (): void => {
        waiting.delete(question);
        signal?.removeEventListener('abort', onLate);
      };
      const question: Waiting = {
        take: (process) => {
          leave();
          process.onOutcome = () => {}; // nobody else may take it
          resolve(process);
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      const onLate = (): void => question.refuse(stillStarting());
      waiting.add(question);
      if (signal) waitedForStart.add(signal);
      signal?.addEventListener('abort', onLate);
      if (waiting.size > countStarting()) begin();
    });

  const end = (process: Process): void => {
    ended(process, null);
    process.child.kill('SIGKILL');
  };

  return {
    start: () => {
      keepOneReady = true;
      if (all.size === 0) begin();
    },
    ask: async (question, { isLarge = false, signal } = {}) => {
      if (closing) throw unavailable();
      if (signal?.aborted) throw new BeyondLimits();
      const ready = [...all].find(
        ({ isReady, onOutcome, child }) => isReady && onOutcome === null && child.connected,
      );
      const process = ready ?? (await untilReady(signal));
      clearTimeout(process.idleTimer);
      if (isLarge) lowerPriority(process);
      const stop = (): void => {
        ended(process, limitSignal);
        process.child.kill('SIGKILL'); // PostgreSQL rolls its transaction back
      };
      signal?.addEventListener('abort', stop, { once: true });
      const outcome = await new Promise<Answer | Error>((resolve) => {
        process.onOutcome = resolve;
        process.child.send(question, (error) => error && process.child.kill('SIGKILL'));
      });
      signal?.removeEventListener('abort', stop);
      if (outcome instanceof BeyondLimits && signal?.aborted && waitedForStart.has(signal))
        throw stillStarting();
      if (outcome instanceof Error) throw outcome;
      process.hasWorked = true;
      if (isLarge || outcome.bytes > keptBytes) end(process);
      else setIdle(process);
      return unwrap(outcome);
    },
    close: async () => {
      closing = true;
      for (const question of waiting) question.refuse(unavailable());
      await Promise.all(
        [...all].map(async ({ child }) => {
          const exited = new Promise((resolve) => child.once('exit', resolve));
          if (child.pid === undefined) return;
          child.kill('SIGKILL'); // PostgreSQL rolls its transaction back
          await exited;
        }),
      );
    },
    ids: () => [...all].flatMap(({ child: { pid } }) => pid ?? []),
  };
};
