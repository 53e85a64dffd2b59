/**
 * Plans sweeps and reads bodies without blocking the event loop. Small sweeps and small bodies take milliseconds; this process handles them, each
 * in its own turn of the event loop. Larger ones go to planning processes, through queues that are fair between callers. Requests that take about a
 * second have their own queue, so that they never wait for requests that take ten.
 */
import { setImmediate } from 'node:timers/promises';
import {
  AppError,
  defaultSweepLimits,
  formatAmount,
  type Plan,
  type Route,
  type RouteName,
  routes,
  type SweepDefinition,
  type SweepLimits,
} from '@funnel/contracts';
import type { Db, Submitted } from '@funnel/db';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { isQuickToRead, type RawBody, readBody } from '../request/bodies.ts';
import {
  createPlanner,
  largestFactor,
  type PlanRequest,
  type SubmitRequest,
  sizeOf,
} from './plan-and-submit.ts';
import { type Answers, type Asked, BeyondLimits, createPlanningProcesses } from './planning-processes.ts';

/** How many requests of one caller may wait in one queue. */
const maxWaiting = 20;

type Waiting = { readonly caller: string; readonly start: () => void };

/**
 * Runs a bounded number of tasks at once. The next task belongs to the caller with the fewest running tasks, and a caller with running
 * tasks may not take the last free slot. So no caller can make the others wait.
 */
export type FairQueue = {
  /** Runs `task` when it has a slot. Throws RATE_LIMITED, and the errors of `task`. */
  readonly run: <T>(caller: string, task: () => Promise<T>) => Promise<T>;
};

export const createFairQueue = (slots: number): FairQueue => {
  const waiting = new Set<Waiting>();
  /** Running tasks by caller. */
  const running = new Map<string, number>();
  const runningOf = (caller: string): number => running.get(caller) ?? 0;

  const next = (): Waiting | undefined => {
    const free = slots - [...running.values()].reduce((sum, count) => sum + count, 0);
    const allowed = [...waiting].filter(({ caller }) => free > (runningOf(caller) > 0 ? 1 : 0));
    return allowed.sort((a, b) => runningOf(a.caller) - runningOf(b.caller))[0];
  };

  const fill = (): void => {
    for (let task = next(); task; task = next()) {
      waiting.delete(task);
      running.set(task.caller, runningOf(task.caller) + 1);
      task.start();
    }
  };

  const end = (caller: string): void => {
    const left = runningOf(caller) - 1;
    if (left > 0) running.set(caller, left);
    else running.delete(caller);
    fill();
  };

  return {
    run: async (caller, task) => {
      const waitingOfCaller = [...waiting].filter((other) => other.caller === caller).length;
      if (waitingOfCaller >= maxWaiting)
        throw new AppError(
          'RATE_LIMITED',
          `Expected at most ${maxWaiting} waiting large requests per caller, but got more`,
        );
      await new Promise<void>((resolve) => {
        waiting.add({ caller, start: resolve });
        fill();
      });
      try {
        return await task();
      } finally {
        end(caller);
      }
    },
  };
};

/** Limits of one question: seconds of computing (waiting for the database does not count), and bytes of memory. */
const maxSeconds = 10;
const maxBytes = 2 ** 30;

/**
 * One queue for each kind of question: those that take about a second, and large plans. Each number says how many questions run at once.
 * Submissions have their own queue in the database (`submissions.ts`).
 */
const createQueues = () => ({
  medium: createFairQueue(2),
  large: createFairQueue(3),
});

/** Runs each task in its own turn of the event loop, so that the API answers other requests between two tasks. */
const createTurns = () => {
  let last: Promise<unknown> = Promise.resolve();
  return async <T>(task: () => T | Promise<T>): Promise<T> => {
    const turn = last.then(() => setImmediate());
    last = turn;
    await turn;
    return task();
  };
};

/** The queues are fair between values of `caller`. (Default: one caller for all questions) */
type Ask<Request, Answer> = (request: Request, caller?: string) => Promise<Answer>;
const anyCaller = '';

export type Planning = {
  readonly plan: Ask<PlanRequest, Plan>;
  /** Begins at once. The caller sees to it that few run at a time. */
  readonly submit: (request: SubmitRequest) => Promise<Submitted>;
  /** The body of a request, parsed and checked. Throws MALFORMED_BODY, INVALID_REQUEST. */
  readonly read: Ask<{ readonly route: RouteName; readonly body: RawBody | undefined }, unknown>;
  /** Starts a process before the first question. */
  readonly start: () => void;
  readonly close: () => Promise<void>;
  /** The ids of all planning processes. */
  readonly processes: () => readonly number[];
};

export type PlanningOptions = {
  /** Seconds of computing that one question may take. (Default: 10) */
  readonly seconds?: number | undefined;
  /** (Default: `defaultSweepLimits`) */
  readonly limits?: SweepLimits | undefined;
};

export const createPlanning = (
  db: Db,
  { seconds = maxSeconds, limits = defaultSweepLimits }: PlanningOptions = {},
): Planning => {
  const planner = createPlanner(db, { limits });
  const processes = createPlanningProcesses({ seconds, bytes: maxBytes, sweep: limits });
  const queues = createQueues();
  const inTurn = createTurns();

  const limit = `at most ${seconds} s of computing (FUNNEL_PLANNING_SECONDS) and 1 GB of memory`;
  const tooLarge = (definition: SweepDefinition): AppError => {
    const { path, values } = largestFactor(definition);
    const received = `${formatAmount(values)} values`;
    return new AppError(
      'SWEEP_TOO_LARGE',
      `Expected a sweep that takes ${limit} to plan, but this one takes more. Its largest dimension is ${path} with ${received}.`,
      { issues: [{ path, expected: 'fewer values', received }] },
    );
  };

  const ask = async <K extends Asked['kind']>(
    question: Extract<Asked, { kind: K }>,
    refusal: () => AppError,
    isLarge = false,
  ): Promise<Answers[K]> => {
    try {
      return (await processes.ask({ ...question, databaseUrl: db.url }, { isLarge })) as Answers[K]; // the answer to this kind of question
    } catch (error) {
      throw error instanceof BeyondLimits ? refusal() : error;
    }
  };

  return {
    plan: async (request, caller = anyCaller) => {
      const size = sizeOf(request.definition);
      if (size === 'small') return inTurn(() => planner.plan(request));
      return queues[size].run(caller, () =>
        ask<'plan'>({ kind: 'plan', request }, () => tooLarge(request.definition), size === 'large'),
      );
    },
    submit: async (request) => {
      const size = sizeOf(request.definition);
      if (size === 'small') return inTurn(() => planner.submit(request));
      return ask<'submit'>({ kind: 'submit', request }, () => tooLarge(request.definition), size === 'large');
    },
    read: async ({ route, body }, caller = anyCaller) => {
      const schema = (routes[route] as Route).body;
      if (!body) return readBody(schema, body);
      if (isQuickToRead(body)) return inTurn(() => readBody(schema, body));
      return queues.medium.run(caller, () =>
        ask<'read'>(
          { kind: 'read', request: { route, body } },
          () =>
            new AppError(
              'MALFORMED_BODY',
              `Expected a body that takes ${limit} to read, but this one takes more`,
            ),
        ),
      );
    },
    start: processes.start,
    close: processes.close,
    processes: processes.ids,
  };
};

declare module 'fastify' {
  interface FastifyInstance {
    readonly planning: Planning;
  }
}

const planning = async (
  app: FastifyInstance,
  { db, ...options }: PlanningOptions & { readonly db: Db },
): Promise<void> => {
  const own = createPlanning(db, options);
  app.decorate('planning', own);
  app.addHook('onListen', async () => own.start());
  app.addHook('onClose', own.close);
};

/** Adds `app.planning`. Its processes start when the app listens, and end when it closes. */
export const planningPlugin = fp(planning, { name: 'planning' });
