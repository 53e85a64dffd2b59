import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AppError, type ErrorCode, type Plan, type RouteName } from '@funnel/contracts';
import type { Submitted } from '@funnel/db';
import type { RawBody } from '../request/bodies.ts';
import type { PlanRequest, SubmitRequest } from './plan-and-submit.ts';

/** How a process ends that went beyond a limit: of all signals, nobody else sends this one. */
export const limitSignal = 'SIGVTALRM';

export type Limits = {
  readonly seconds: number;
  readonly bytes: number;
};

/** A body, and the route that it is for. */
export type ReadRequest = { readonly route: RouteName; readonly body: RawBody };

export type Answers = { readonly plan: Plan; readonly submit: Submitted; readonly read: unknown };
type Requests = { readonly plan: PlanRequest; readonly submit: SubmitRequest; readonly read: ReadRequest };
export type Kind = keyof Answers;

export type Asked = {
  readonly [K in Kind]: { readonly kind: K; readonly request: Requests[K] };
}[Kind];

/** To a planning process. The address comes with every question, and so in no list of processes. */
export type Question = Asked & { readonly databaseUrl: string };

/** Back from it: errors do not keep their class on the way. `bytes`: memory of the process after it. */
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

/** Processes that answer one question at a time. One is kept warm, since a start takes a second; memory goes back when it is not needed. */

const script = fileURLToPath(new URL('./planning-process.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Of heap, for all of a submission: writing it down takes more than planning it, which has a limit of its own. */
const maxMegabytes = 2048;
/** Nearly all that planning makes lives until its end: fewer copies on the way are a quarter less time. */
const youngMegabytes = 64;
/** A process that has grown beyond this is ended after its answer. */
const maxKept = 400 * 2 ** 20;
/** Milliseconds without a question after which a process ends that is not the only one. */
const idle = 30_000;

/** How V8 ends a process that has no memory left. */
const outOfMemory: readonly unknown[] = ['SIGABRT', 'SIGTRAP', 'SIGILL', 134];

/** The process went beyond a limit. Whoever asked knows what to say. */
export class BeyondLimits extends Error {
  override readonly name = 'BeyondLimits';
}

type Process = {
  readonly child: ChildProcess;
  /** Told how the question ended: an answer, or the end of the process. */
  asked: ((outcome: Answer | Error) => void) | null;
  /** It has answered before: a process that ends at its start is not started again by itself. */
  proven: boolean;
  idle: NodeJS.Timeout | undefined;
};

export type PlanningProcesses = {
  /** Has one ready before there is anything to ask it. */
  readonly start: () => void;
  /** Throws BeyondLimits, UNAVAILABLE, and what the question throws. */
  readonly ask: (question: Question) => Promise<unknown>;
  readonly close: () => Promise<void>;
  /** Ids of the processes that there are. */
  readonly ids: () => readonly number[];
};

const unwrap = (answer: Answer): unknown => {
  if ('value' in answer) return answer.value;
  if ('refusal' in answer)
    throw new AppError(answer.refusal.code, answer.refusal.message, answer.refusal.details);
  throw new Error('Planning failed', { cause: answer.fault });
};

export type ProcessOptions = Limits & {
  /** Bytes of memory that a process may have and wait for its next question. (Default: 400 MiB) */
  readonly keptBytes?: number;
};

export const createPlanningProcesses = ({
  keptBytes = maxKept,
  ...limits
}: ProcessOptions): PlanningProcesses => {
  const all = new Set<Process>();
  let warm = false;
  let closing = false;

  const unavailable = (): AppError =>
    new AppError(
      'UNAVAILABLE',
      `Expected the sweep to be planned, but ${closing ? 'the service is closing' : 'the process that plans has ended'}`,
    );

  const ended = (process: Process, how: unknown): void => {
    if (!all.delete(process)) return;
    clearTimeout(process.idle);
    const beyond = how === limitSignal || outOfMemory.includes(how);
    if (beyond) process.proven = true;
    process.asked?.(beyond && !closing ? new BeyondLimits() : unavailable());
    if (warm && all.size === 0 && process.proven && !closing) rest(begin());
  };

  const begin = (): Process => {
    const execArgv = [
      '--import',
      tsx,
      `--max-old-space-size=${maxMegabytes}`,
      `--max-semi-space-size=${youngMegabytes}`,
    ];
    const child = fork(script, [JSON.stringify(limits)], { execArgv, serialization: 'advanced' });
    const process: Process = { child, asked: null, proven: false, idle: undefined };
    all.add(process);
    child.on('message', (answer: Answer) => process.asked?.(answer));
    child.once('exit', (code, signal) => ended(process, signal ?? code));
    // A start that failed, or a question that did not arrive: without this listener it would end the service.
    child.on('error', () => {
      child.kill('SIGKILL');
      if (child.pid === undefined) ended(process, null);
    });
    return process;
  };

  /** Waits for its next question, or ends. */
  const rest = (process: Process): void => {
    process.asked = null;
    clearTimeout(process.idle);
    process.idle = setTimeout(() => {
      if (all.size > 1) process.child.kill('SIGKILL');
      else process.idle?.refresh();
    }, idle).unref();
  };

  const leave = (process: Process): void => {
    ended(process, null);
    process.child.kill('SIGKILL');
  };

  return {
    start: () => {
      warm = true;
      if (all.size === 0) rest(begin());
    },
    ask: async (question) => {
      if (closing) throw unavailable();
      const process = [...all].find(({ asked, child }) => asked === null && child.connected) ?? begin();
      clearTimeout(process.idle);
      const outcome = await new Promise<Answer | Error>((resolve) => {
        process.asked = resolve;
        process.child.send(question, (error) => error && process.child.kill('SIGKILL'));
      });
      if (outcome instanceof Error) throw outcome;
      process.proven = true;
      rest(process);
      if (outcome.bytes > keptBytes) leave(process);
      return unwrap(outcome);
    },
    close: async () => {
      closing = true;
      await Promise.all(
        [...all].map(async ({ child }) => {
          const end = new Promise((resolve) => child.once('exit', resolve));
          if (child.pid === undefined) return;
          child.kill('SIGKILL'); // PostgreSQL rolls back what it had begun
          await end;
        }),
      );
    },
    ids: () => [...all].flatMap(({ child: { pid } }) => pid ?? []),
  };
};
