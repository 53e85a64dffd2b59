/**
 * Places for work, shared between callers: the next one is the caller's who has the least under way, and a caller with work under way leaves
 * the last place to the others. So nobody waits for one other caller, however much that one asks for.
 */

import { setImmediate } from 'node:timers/promises';
import {
  AppError,
  type Plan,
  type Route,
  type RouteName,
  routes,
  type SweepDefinition,
} from '@funnel/contracts';
import type { Db, Submitted } from '@funnel/db';
import { isQuicklyRead, type RawBody, readBody } from '../request/bodies.ts';
import {
  largestFactor,
  type PlanRequest,
  planningWith,
  type SubmitRequest,
  sizeOf,
} from './plan-and-submit.ts';
import { type Answers, type Asked, BeyondLimits, createPlanningProcesses } from './planning-processes.ts';

/** Questions that one caller may have waiting. */
const maxWaiting = 20;

type Waiting = { readonly caller: string; readonly begin: () => void };

export type FairQueue = {
  /** Runs `work` when it has a place. Errors: RATE_LIMITED, and what `work` throws. */
  readonly run: <T>(caller: string, work: () => Promise<T>) => Promise<T>;
};

export const createFairQueue = (places: number): FairQueue => {
  const waiting = new Set<Waiting>();
  const underWay = new Map<string, number>();
  const of = (caller: string): number => underWay.get(caller) ?? 0;
  const taken = (): number => [...underWay.values()].reduce((sum, count) => sum + count, 0);

  /** The first of those with the least under way. */
  const next = (): Waiting | undefined => {
    const free = places - taken();
    const may = [...waiting].filter(({ caller }) => free > (of(caller) > 0 ? 1 : 0));
    return may.sort((a, b) => of(a.caller) - of(b.caller))[0];
  };

  const begin = (): void => {
    for (let one = next(); one; one = next()) {
      waiting.delete(one);
      underWay.set(one.caller, of(one.caller) + 1);
      one.begin();
    }
  };

  const end = (caller: string): void => {
    const left = of(caller) - 1;
    if (left > 0) underWay.set(caller, left);
    else underWay.delete(caller);
    begin();
  };

  return {
    run: async (caller, work) => {
      const own = [...waiting].filter((one) => one.caller === caller).length;
      if (own >= maxWaiting)
        throw new AppError(
          'RATE_LIMITED',
          `Expected at most ${maxWaiting} large requests to wait for one caller, but there are more`,
        );
      await new Promise<void>((resolve) => {
        waiting.add({ caller, begin: resolve });
        begin();
      });
      try {
        return await work();
      } finally {
        end(caller);
      }
    },
  };
};

/**
 * Planning that never holds up other requests: small sweeps and bodies take milliseconds and are planned and read where they arrive; what
 * takes longer goes to processes of its own. There, what takes a second never waits for what takes ten.
 */

/** Of computing, for reading one body or planning one sweep; what the database takes to write it is not counted. */
const maxSeconds = 10;
const maxBytes = 2 ** 30;

/** Questions under way at once, each in a process: what takes a second, large plans, and submissions, which may wait for the database. */
const createQueues = () => ({
  medium: createFairQueue(2),
  large: createFairQueue(3),
  submit: createFairQueue(2),
});

/** Gives every piece of work a turn of the event loop of its own: between two small questions, requests of others are answered. */
const createTurns = () => {
  let last: Promise<unknown> = Promise.resolve();
  return async <T>(work: () => T | Promise<T>): Promise<T> => {
    const turn = last.then(() => setImmediate());
    last = turn;
    await turn;
    return work();
  };
};

/** `caller`: whose questions wait for one another. (Default: nobody in particular) */
type By<Request, Answer> = (request: Request, caller?: string) => Promise<Answer>;
const nobody = '';

export type OffLoopPlanning = {
  readonly plan: By<PlanRequest, Plan>;
  readonly submit: By<SubmitRequest, Submitted>;
  /** The body of a request, checked. Errors: MALFORMED_BODY, INVALID_REQUEST. */
  readonly read: By<{ readonly route: RouteName; readonly body: RawBody | undefined }, unknown>;
  /** Has a process ready before there is anything to ask it. */
  readonly start: () => void;
  readonly close: () => Promise<void>;
  /** Ids of the processes that there are. */
  readonly processes: () => readonly number[];
};

export type PlanningOptions = {
  /** Of computing, for one question. (Default: 10) */
  readonly seconds?: number | undefined;
};

export const createPlanning = (db: Db, { seconds = maxSeconds }: PlanningOptions = {}): OffLoopPlanning => {
  const here = planningWith(db);
  const processes = createPlanningProcesses({ seconds, bytes: maxBytes });
  const queues = createQueues();
  const inTurn = createTurns();

  const within = `within ${seconds} s of computing and 1 GB`;
  const tooLarge = (definition: SweepDefinition): AppError => {
    const { path, values } = largestFactor(definition);
    const received = `${values.toLocaleString('en-US')} values`;
    return new AppError(
      'SWEEP_TOO_LARGE',
      `Expected a sweep that can be planned ${within}, but this one cannot. Its largest dimension is ${path} with ${received}.`,
      { issues: [{ path, expected: 'fewer values', received }] },
    );
  };

  const ask = <K extends Asked['kind']>(
    queue: FairQueue,
    caller: string,
    question: Extract<Asked, { kind: K }>,
    refusal: () => AppError,
  ): Promise<Answers[K]> =>
    queue.run(caller, async () => {
      try {
        return (await processes.ask({ ...question, databaseUrl: db.url })) as Answers[K]; // as asked
      } catch (error) {
        throw error instanceof BeyondLimits ? refusal() : error;
      }
    });

  return {
    plan: async (request, caller = nobody) => {
      const size = sizeOf(request.definition);
      if (size === 'small') return inTurn(() => here.plan(request));
      return ask<'plan'>(queues[size], caller, { kind: 'plan', request }, () => tooLarge(request.definition));
    },
    submit: async (request, caller = nobody) => {
      if (sizeOf(request.definition) === 'small') return inTurn(() => here.submit(request));
      return ask<'submit'>(queues.submit, caller, { kind: 'submit', request }, () =>
        tooLarge(request.definition),
      );
    },
    read: async ({ route, body }, caller = nobody) => {
      const schema = (routes[route] as Route).body;
      if (!body) return readBody(schema, body);
      if (isQuicklyRead(body)) return inTurn(() => readBody(schema, body));
      return ask<'read'>(
        queues.medium,
        caller,
        { kind: 'read', request: { route, body } },
        () =>
          new AppError('MALFORMED_BODY', `Expected a body that can be read ${within}, but this one cannot`),
      );
    },
    start: processes.start,
    close: processes.close,
    processes: processes.ids,
  };
};
