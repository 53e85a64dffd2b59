/** Planning: the requests that run on the event loop and those in processes, the limits, and the order of callers. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  AppError,
  defaultLimits,
  type ServiceLimits,
  SweepDefinition,
  type SweepInput,
} from '@funnel/contracts';
import type { Db } from '@funnel/db';
import { openTestDb } from '@funnel/db/testing';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createFairQueue, type FairQueueOptions } from '../src/planning/fair-queue.ts';
import { createPlanning, type Planning } from '../src/planning/planning.ts';
import { createPlanningProcesses } from '../src/planning/planning-processes.ts';
import { sizeOf } from '../src/planning/size-of.ts';
import { toProblem } from '../src/problems.ts';
import { readBody } from '../src/request/bodies.ts';
import { oneTrial } from './build.ts';

const engineVersion = 'test';
const longWait = { timeout: 60_000 };
const sweep = (input: Partial<SweepInput>): SweepDefinition =>
  SweepDefinition.parse({ ...oneTrial, ...input });
const range = (count: number) => ({ min: 1, max: 64, count });
/** 600 trials: about a second in a process. */
const medium = sweep({ space: { gamma: range(600) } });
/** So large that planning outlasts every check of these tests. */
const large = sweep({ space: { gamma: range(100_000) }, attacks: { preset: 'quick' } });

let db: Db;
beforeAll(async () => {
  db = await openTestDb();
});
afterAll(() => db.close());

const opened = (limits: Partial<ServiceLimits> = {}) => {
  const planning = createPlanning(db, { ...defaultLimits, ...limits });
  onTestFinished(planning.close);
  return planning;
};

test('each small question takes a turn of the event loop of its own', async () => {
  const planning = opened();
  const body = { format: 'json', bytes: Buffer.from(JSON.stringify(oneTrial)) } as const;
  let turn = 0;
  const count = (): void => {
    turn++;
    turning = setImmediate(count);
  };
  let turning = setImmediate(count);
  onTestFinished(() => clearImmediate(turning));
  const turns = await Promise.all(
    Array.from({ length: 10 }, () => planning.read({ route: 'planSweep', body }).then(() => turn)),
  );
  expect(new Set(turns).size).toBe(10);
});

const many = 100_001;
test.each<[string, Partial<SweepInput>, string]>([
  ['one trial', {}, 'small'],
  ['stages', { space: { gamma: range(600) } }, 'medium'],
  ['very many stages', { space: { gamma: range(9000) } }, 'large'],
  [
    'a few points of many values',
    { space: { gamma: range(5000) }, search: { strategy: 'random', trials: 1 } },
    'medium',
  ],
  [
    'one point of a hundred million values, none of which is made',
    { space: { gamma: { min: 0, max: 1e6, step: 0.01 } }, search: { strategy: 'random', trials: 1 } },
    'large',
  ],
  [
    'one point of a continuous range',
    { space: { gamma: { min: 1, max: 2 } }, search: { strategy: 'random', trials: 1 } },
    'small',
  ],
  ['presets', { attacks: Array.from({ length: 999 }, () => 'preset:full' as const) }, 'large'],
  [
    'long settings',
    {
      attacks: Array.from({ length: 3 }, () => ({
        attack: 'gradient' as const,
        epsilons: Array.from({ length: 9000 }, (_, i) => i + 1),
      })),
    },
    'large',
  ],
  ['seeds', { seeds: 900 }, 'medium'],
  [
    'draws of a random search',
    {
      space: { gamma: { min: 1, max: 2 }, beta: { min: 0.01, max: 0.1 }, noise: { min: 1, max: 9 } },
      search: { strategy: 'random', trials: 350 },
    },
    'medium',
  ],
  [
    'a random search of many trials over two points',
    { space: { gamma: [1, 2] }, search: { strategy: 'random', trials: 100_000 } },
    'small',
  ],
])('the size of %s is computed, not tried', (_, input, size) => {
  expect(sizeOf(sweep(input))).toBe(size);
});

test('more trials than a sweep may have are refused without a process', async () => {
  const planning = opened();
  const definition = sweep({ space: { gamma: range(1000), beta: { min: 0.1, max: 1, count: 1000 } } });
  await expect(planning.plan({ definition, engineVersion })).rejects.toMatchObject({
    code: 'SWEEP_TOO_LARGE',
  });
  expect(planning.processes()).toEqual([]);
});

describe('a limit', () => {
  test('stops planning that takes too long, and the refusal names the largest dimension', async () => {
    const planning = opened({ planningSeconds: 0.1, planSeconds: 100 });
    const refused = {
      code: 'SWEEP_TOO_LARGE',
      message: expect.stringMatching(
        /at most 0.1 s of computing \(FUNNEL_PLANNING_SECONDS\) .*space\.gamma with 100,000 values/,
      ),
      details: { issues: [{ path: 'space.gamma', expected: 'fewer values', received: '100,000 values' }] },
    };
    const before = await db.pool.query('SELECT count(*) FROM sweeps');
    await expect(planning.plan({ definition: large, engineVersion })).rejects.toMatchObject(refused);
    await expect(planning.submit({ definition: large, engineVersion })).rejects.toMatchObject(refused);
    expect((await db.pool.query('SELECT count(*) FROM sweeps')).rows).toEqual(before.rows);
  });

  test('stops a plan that is not made in time, and says what to make smaller', async () => {
    const planning = opened({ planningSeconds: 100 });
    const request = { definition: large, engineVersion };
    const late = new AbortController();
    await planning.plan({ definition: medium, engineVersion }); // now a process is ready
    const plan = planning.plan(request, { signal: late.signal });
    const refused = expect(plan).rejects.toMatchObject({
      code: 'SWEEP_TOO_LARGE',
      message:
        'Expected a plan within 10 s (FUNNEL_PLAN_SECONDS), but this one takes more. Its largest dimension is space.gamma with 100,000 values.',
      details: { hint: expect.stringContaining('submit the sweep without a plan') as string },
    });
    const [pid] = planning.processes();
    await new Promise(setImmediate); // the process has the question
    late.abort();
    await refused;
    expect(planning.processes()).not.toContain(pid);
    await expect(planning.plan(request, { signal: AbortSignal.abort() })).rejects.toThrow(AppError);
  });

  test('stops planning that needs too much memory', async () => {
    const processes = createPlanningProcesses({ seconds: 1000, bytes: 1 });
    onTestFinished(processes.close);
    const request = { definition: large, engineVersion };
    await expect(processes.ask({ kind: 'plan', request, databaseUrl: db.url })).rejects.toMatchObject({
      name: 'BeyondLimits',
    });
  });

  test('does not count the time of the database', async () => {
    const planning = opened({ planningSeconds: 30 });
    const blocked = await db.connect();
    await blocked.query('BEGIN');
    await blocked.query('LOCK TABLE stages IN ACCESS EXCLUSIVE MODE');
    const plan = planning.plan({ definition: medium, engineVersion });
    await expect
      .poll(
        async () => (await db.pool.query(`SELECT count(*) AS n FROM pg_locks WHERE NOT granted`)).rows[0].n,
        longWait,
      )
      .toBeGreaterThan(0);
    await blocked.query('ROLLBACK');
    blocked.release();
    expect((await plan).trials).toBe(600);
  });
});

describe('processes', () => {
  test('plan for two callers at once, and a medium sweep at the same time', async () => {
    const planning = opened();
    const plans = ['a', 'b'].map((caller) => planning.plan({ definition: large, engineVersion }, { caller }));
    const closed = Promise.all(
      plans.map((plan) => expect(plan).rejects.toMatchObject({ code: 'UNAVAILABLE' })),
    );
    await expect.poll(() => planning.processes(), longWait).toHaveLength(2);
    const small = planning.plan({ definition: medium, engineVersion }, { caller: 'a' });
    await expect.poll(() => planning.processes(), longWait).toHaveLength(3);
    const late = expect(small).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await planning.close();
    await Promise.all([closed, late]);
  });

  const long = { ...oneTrial, space: { gamma: Array.from({ length: 9999 }, (_, i) => i) } };
  test.each<[string, (planning: Planning, signal?: AbortSignal) => Promise<unknown>]>([
    ['plan', (planning, signal) => planning.plan({ definition: medium, engineVersion }, { signal })],
    [
      'body',
      (planning, signal) => {
        const body = { format: 'json', bytes: Buffer.from(JSON.stringify(long)) } as const;
        return planning.read({ route: 'planSweep', body }, { signal });
      },
    ],
  ])(
    'that are starting survive the requests that wait for them, and serve the next one: a %s',
    async (_, ask) => {
      const planning = opened();
      const pids = new Set<number>();
      for (let request = 0; request < 5; request++) {
        const late = new AbortController();
        const asked = ask(planning, late.signal).catch((error: unknown) => error);
        await new Promise(setImmediate);
        for (const pid of planning.processes()) pids.add(pid);
        late.abort();
        expect(await asked).toMatchObject({ details: { retryAfterSeconds: 5 } });
        expect(toProblem((await asked) as AppError)).toMatchObject({
          status: 503,
          title: 'The service cannot answer this request now',
          detail: expect.stringContaining('were still starting when this request came') as string,
        });
      }
      await ask(planning);
      expect([...pids]).toEqual(planning.processes());
      expect(pids.size).toBe(1);
    },
  );

  test('a request that waited for a start to read its body, and is late with its plan, is not called too large', async () => {
    const planning = opened();
    const late = new AbortController();
    const body = { format: 'json', bytes: Buffer.from(JSON.stringify(long)) } as const;
    await planning.read({ route: 'planSweep', body }, { signal: late.signal });
    const plan = planning
      .plan({ definition: large, engineVersion }, { signal: late.signal })
      .catch((error: unknown) => error);
    await new Promise(setImmediate); // the process has the question
    late.abort();
    expect(await plan).toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('were still starting when this request came') as string,
    });
  });

  test('that are starting are as many as the questions that wait', async () => {
    const processes = createPlanningProcesses({ seconds: 1000, bytes: 2 ** 40 });
    onTestFinished(processes.close);
    processes.start();
    const [first] = processes.ids();
    const question = {
      kind: 'plan',
      request: { definition: medium, engineVersion },
      databaseUrl: db.url,
    } as const;
    const asked = [processes.ask(question), processes.ask(question)];
    expect(processes.ids()).toHaveLength(2);
    process.kill(first!, 'SIGKILL');
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  test('when one is killed, its question fails and another process answers the next', async () => {
    const planning = opened();
    const plan = planning.plan({ definition: medium, engineVersion });
    const refused = expect(plan).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect.poll(() => planning.processes(), longWait).toHaveLength(1);
    const [pid] = planning.processes();
    process.kill(pid!, 'SIGKILL');
    await refused;
    expect((await planning.plan({ definition: medium, engineVersion })).trials).toBe(600);
    expect(planning.processes()).not.toContain(pid);
  });

  test('one that uses too much memory ends after its answer, and others answer again', async () => {
    for (const keptBytes of [1, 2 ** 40]) {
      const processes = createPlanningProcesses({ seconds: 1000, bytes: 2 ** 40, keptBytes });
      onTestFinished(processes.close);
      processes.start();
      const before = processes.ids();
      const request = { definition: medium, engineVersion };
      await processes.ask({ kind: 'plan', request, databaseUrl: db.url });
      expect(processes.ids()).toHaveLength(1);
      expect(processes.ids()[0] === before[0]).toBe(keptBytes > 1);
    }
  });

  test('end with their parent, even when it is killed', async () => {
    const script = `
      import { createPlanningProcesses } from ${JSON.stringify(new URL('../src/planning/planning-processes.ts', import.meta.url).href)};
      const processes = createPlanningProcesses({ seconds: 1000, bytes: 1e12 });
      processes.start();
      console.log(processes.ids()[0]);
    `;
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [text] = await once(parent.stdout, 'data');
    const pid = Number(String(text));
    expect(pid).toBeGreaterThan(0);
    parent.kill('SIGKILL');
    await once(parent, 'close'); // the output closes only when parent and child have both ended
  });
});

describe('a body', () => {
  const schema = SweepDefinition;
  const json = (value: unknown) => ({ format: 'json' as const, bytes: Buffer.from(JSON.stringify(value)) });
  const ask = async (read: () => unknown): Promise<unknown> => {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { code: error.code, message: error.message, details: error.details };
    }
  };

  test.each([
    ['right', json({ ...oneTrial, space: { gamma: Array.from({ length: 9999 }, (_, i) => i) } })],
    [
      'wrong',
      json({ ...oneTrial, space: Object.fromEntries(Array.from({ length: many }, (_, i) => [i, 1])) }),
    ],
    ['malformed', { format: 'json' as const, bytes: Buffer.from('['.repeat(many)) }],
    ['YAML', { format: 'yaml' as const, bytes: Buffer.from(`name: x\nseeds: [${'1,'.repeat(5000)}]`) }],
  ])('that is large is read in a process, with the same result: %s', async (_, body) => {
    const planning = opened();
    const answer = await ask(() => planning.read({ route: 'planSweep', body }));
    expect(planning.processes()).toHaveLength(1);
    expect(answer).toEqual(await ask(() => readBody(schema, body)));
  });

  test('that is not read in time is not called wrong', async () => {
    const body = json({ ...oneTrial, space: { gamma: Array.from({ length: 9999 }, (_, i) => i) } });
    const late = opened().read({ route: 'planSweep', body }, { signal: AbortSignal.abort() });
    await expect(late).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message:
        'Expected a body that is read within 10 s (FUNNEL_PLAN_SECONDS), but the service has too much to do',
    });
  });

  test('that is small is read at once', async () => {
    const planning = opened();
    const body = json(oneTrial);
    expect(await planning.read({ route: 'planSweep', body })).toEqual(schema.parse(oneTrial));
    expect(planning.processes()).toEqual([]);
  });
});

describe('createFairQueue', () => {
  /** Tasks that end when the test says so, and the names of started tasks. */
  const setUp = (options: FairQueueOptions) => {
    const queue = createFairQueue(options);
    const begun: string[] = [];
    const ends = new Map<string, () => void>();
    const run = (caller: string, name: string) =>
      queue.run(caller, () => {
        begun.push(name);
        return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
      });
    const end = async (name: string): Promise<void> => {
      ends.get(name)!();
      await new Promise(setImmediate);
    };
    return { run, end, begun };
  };

  test('leaves the last slot to other callers, and starts with the caller that has the fewest running tasks', async () => {
    const { run, end, begun } = setUp({ slots: 3 });
    for (const name of ['a1', 'a2', 'a3', 'a4']) void run('a', name);
    await new Promise(setImmediate);
    expect(begun).toEqual(['a1', 'a2']);
    void run('b', 'b1');
    void run('b', 'b2');
    void run('c', 'c1');
    await new Promise(setImmediate);
    expect(begun).toEqual(['a1', 'a2', 'b1']);
    await end('a1');
    expect(begun).toEqual(['a1', 'a2', 'b1', 'c1']);
    await end('c1');
    await end('b1');
    expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'b2']);
  });

  test('a failed task frees its slot', async () => {
    const queue = createFairQueue({ slots: 1 });
    await expect(queue.run('a', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(await queue.run('a', async () => 1)).toBe(1);
  });

  test('runs as many tasks of one caller as it may have, and takes callers in turns', async () => {
    const { run, end, begun } = setUp({ slots: Number.POSITIVE_INFINITY, perCaller: 2 });
    for (const name of ['a1', 'a2', 'a3']) void run('a', name);
    void run('b', 'b1');
    await new Promise(setImmediate);
    expect(begun).toEqual(['a1', 'a2', 'b1']);
    await end('b1');
    expect(begun).toEqual(['a1', 'a2', 'b1']);
    await end('a1');
    expect(begun).toEqual(['a1', 'a2', 'b1', 'a3']);

    const one = setUp({ slots: 1 });
    for (const name of ['a1', 'a2', 'a3']) void one.run('a', name);
    void one.run('b', 'b1');
    await new Promise(setImmediate);
    for (const name of ['a1', 'b1', 'a2']) await one.end(name);
    expect(one.begun).toEqual(['a1', 'b1', 'a2', 'a3']);
  });

  test('refuses a task that waits for too long, and one whose signal aborts; both leave the queue', async () => {
    const queue = createFairQueue({ slots: 1 });
    let release = (): void => {};
    const held = queue.run('a', () => new Promise<void>((resolve) => (release = resolve)));
    const never = async () => expect.unreachable();
    const own = new AppError('TOO_MANY_OWN_PLANS', 'too many');
    await expect(queue.run('a', never, { waitMs: 1, refusal: () => own })).rejects.toBe(own);
    await expect(queue.run('b', never, { waitMs: 1 })).rejects.toMatchObject({
      code: 'RATE_LIMITED',
      details: { retryAfterSeconds: 2 },
    });
    await expect(queue.run('b', never, { signal: AbortSignal.abort() })).rejects.toThrow(AppError);
    release();
    await held;
    expect(await queue.run('a', async () => 1, { waitMs: 1 })).toBe(1);
  });

  test('limits the waiting tasks of one caller, and not those of others', async () => {
    const { run, begun } = setUp({ slots: 1 });
    for (let i = 0; i < 21; i++) void run('a', `a${i}`);
    await expect(run('a', 'too many')).rejects.toMatchObject({ code: 'RATE_LIMITED' });
    void run('b', 'b');
    expect(begun).toEqual(['a0']);
  });
});
