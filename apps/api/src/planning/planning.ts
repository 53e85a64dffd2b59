/**
 * Plans sweeps and reads bodies without blocking the event loop. Small sweeps and small bodies take milliseconds; this process handles them, each
 * in its own turn of the event loop. Larger ones go to planning processes, through queues that are fair between callers. Requests that take about a
 * second have their own queue, so that they never wait for requests that take ten. Every request has a deadline: then its process is stopped.
 */
import { setImmediate } from 'node:timers/promises';
import {
  AppError,
  defaultLimits,
  fixedLimit,
  formatAmount,
  type Plan,
  plural,
  type Route,
  type RouteName,
  routes,
  type ServiceLimits,
  SweepDefinition,
  variableOf,
} from '@funnel/contracts';
import type { Db, Submitted } from '@funnel/db';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { isQuickToRead, type RawBody, readBody, readData } from '../request/bodies.ts';
import { measure, refusalOfBody } from './all-faults.ts';
import { createFairQueue } from './fair-queue.ts';
import { createPlanner, type PlanRequest, type SubmitRequest } from './plan-and-submit.ts';
import { type Answers, type Asked, BeyondLimits, createPlanningProcesses } from './planning-processes.ts';
import { largestFactor } from './size-of.ts';

/**
 * One queue for each kind of question: those that take about a second, and large plans. Each number says how many questions run at once.
 * Submissions have their own queue in the database (`submissions.ts`).
 */
const createQueues = () => ({
  medium: createFairQueue({ slots: 2 }),
  large: createFairQueue({ slots: 3 }),
});

/** Milliseconds for which a plan or a body waits for others before it is refused. */
const waitMs = 3000;

/** Runs each task in its own turn of the event loop, so that the API answers other requests between two tasks. Callers take turns. */
const createTurns = () => {
  const turns = createFairQueue({ slots: 1, maxWaiting: Number.POSITIVE_INFINITY });
  return async <T>(caller: string, task: () => T | Promise<T>): Promise<T> => {
    await turns.run(caller, () => setImmediate());
    return task();
  };
};

/** The queues are fair between values of `caller`. When `signal` aborts, the question is refused, and its process is stopped. */
export type AskOptions = { readonly caller?: string; readonly signal?: AbortSignal | undefined };
type Ask<Request, Answer> = (request: Request, options?: AskOptions) => Promise<Answer>;
const anyCaller = '';

export type Planning = {
  /** Throws TOO_MANY_OWN_PLANS, RATE_LIMITED, SWEEP_TOO_LARGE, and the errors of `Planner.plan`. */
  readonly plan: Ask<PlanRequest, Plan>;
  /** Begins at once. The caller sees to it that few run at a time. */
  readonly submit: (request: SubmitRequest, options?: Pick<AskOptions, 'caller'>) => Promise<Submitted>;
  /** The body of a request, parsed and checked. Throws MALFORMED_BODY, INVALID_REQUEST, RATE_LIMITED, UNAVAILABLE. */
  readonly read: Ask<{ readonly route: RouteName; readonly body: RawBody | undefined }, unknown>;
  /** Starts a process before the first question. */
  readonly start: () => void;
  readonly close: () => Promise<void>;
  /** The ids of all planning processes. */
  readonly processes: () => readonly number[];
  /** The plans of a caller that are being made. */
  readonly plansOf: (caller: string) => number;
};

export const createPlanning = (db: Db, limits: ServiceLimits = defaultLimits): Planning => {
  const { planningSeconds: seconds, planSeconds, ownPlans } = limits;
  const planner = createPlanner(db, { limits });
  const processes = createPlanningProcesses({ seconds, bytes: fixedLimit('planningBytes'), sweep: limits });
  const queues = createQueues();
  const plans = createFairQueue({ slots: Number.POSITIVE_INFINITY, perCaller: ownPlans });
  const inTurn = createTurns();

  const tooManyPlans = (): AppError =>
    new AppError(
      'TOO_MANY_OWN_PLANS',
      `Expected at most ${plural(ownPlans, 'plan')} of one token or address at a time (${variableOf('ownPlans')}), but this one waited for ${waitMs / 1000} s while that many were being made`,
      { retryAfterSeconds: Math.ceil(planSeconds) },
    );

  const computing = `at most ${seconds} s of computing (${variableOf('planningSeconds')}) and 1 GiB of memory`;
  const answering = `a plan within ${planSeconds} s (${variableOf('planSeconds')})`;
  const tooLarge = (definition: SweepDefinition, isLate: boolean): AppError => {
    const { path, values } = largestFactor(definition);
    const received = `${formatAmount(values)} values`;
    return new AppError(
      'SWEEP_TOO_LARGE',
      `Expected ${isLate ? answering : `a sweep that takes ${computing} to plan`}, but this one takes more. Its largest dimension is ${path} with ${received}.`,
      {
        issues: [{ path, expected: 'fewer values', received }],
        ...(isLate && {
          hint: 'Give this dimension fewer values, or use random search. If the service has much to do, try again later. You may also submit the sweep without a plan: a submission may take longer.',
        }),
      },
    );
  };

  const ask = async <K extends Asked['kind']>(
    question: Extract<Asked, { kind: K }>,
    refusal: (isLate: boolean) => AppError,
    {
      isLarge = false,
      signal,
    }: { readonly isLarge?: boolean; readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Answers[K]> => {
    try {
      return (await processes.ask({ ...question, databaseUrl: db.url }, { isLarge, signal })) as Answers[K]; // the answer to this kind of question
    } catch (error) {
      throw error instanceof BeyondLimits ? refusal(signal?.aborted ?? false) : error;
    }
  };

  const plan: Planning['plan'] = async (request, { caller = anyCaller, signal } = {}) => {
    const size = await measure(db, request.definition);
    if (size === 'small') return inTurn(caller, () => planner.plan(request));
    const refusal = (isLate: boolean) => tooLarge(request.definition, isLate);
    const isLarge = size === 'large';
    return queues[size].run(
      caller,
      () => ask<'plan'>({ kind: 'plan', request }, refusal, { isLarge, signal }),
      { waitMs, signal },
    );
  };

  return {
    plan: async (request, options = {}) =>
      plans.run(options.caller ?? anyCaller, () => plan(request, options), {
        ...{ waitMs, refusal: tooManyPlans },
        signal: options.signal,
      }),
    submit: async (request, { caller = anyCaller } = {}) => {
      const size = await measure(db, request.definition);
      if (size === 'small') return inTurn(caller, () => planner.submit(request));
      const refusal = () => tooLarge(request.definition, false);
      return ask<'submit'>({ kind: 'submit', request }, refusal, { isLarge: size === 'large' });
    },
    read: async ({ route, body }, { caller = anyCaller, signal } = {}) => {
      const schema = (routes[route] as Route).body;
      if (!body) return readBody(schema, body);
      if (isQuickToRead(body))
        return inTurn(caller, () => readBody(schema, body)).catch(async (error: unknown) => {
          const isSweep = schema === SweepDefinition;
          throw isSweep ? await refusalOfBody(db, error, () => readData(body), limits) : error;
        });
      const refusal = (isLate: boolean) =>
        isLate
          ? new AppError(
              'UNAVAILABLE',
              `Expected a body that is read within ${planSeconds} s (${variableOf('planSeconds')}), but the service has too much to do`,
              { hint: 'Send the request again later: it has changed nothing.' },
            )
          : new AppError(
              'MALFORMED_BODY',
              `Expected a body that takes ${computing} to read, but this one takes more`,
            );
      return queues.medium.run(
        caller,
        () => ask<'read'>({ kind: 'read', request: { route, body } }, refusal, { signal }),
        { waitMs, signal },
      );
    },
    start: processes.start,
    close: processes.close,
    processes: processes.ids,
    plansOf: plans.running,
  };
};

declare module 'fastify' {
  interface FastifyInstance {
    readonly planning: Planning;
  }
}

const planning = async (
  app: FastifyInstance,
  { db, limits }: { readonly db: Db; readonly limits: ServiceLimits },
): Promise<void> => {
  const own = createPlanning(db, limits);
  app.decorate('planning', own);
  app.addHook('onListen', async () => own.start());
  app.addHook('onClose', own.close);
};

/** Adds `app.planning`. Its processes start when the app listens, and end when it closes. */
export const planningPlugin = fp(planning, { name: 'planning' });
