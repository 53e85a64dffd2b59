/**
 * Planning that never holds up other requests: small sweeps take milliseconds and are planned where they arrive; large ones take seconds of
 * computing and go to a process of their own. It takes a second to start, which nobody waits for who is not the first to ask.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AppError, type Plan, type SweepDefinition } from '@funnel/contracts';
import type { Db, Submitted } from '@funnel/db';
import { countStages } from './outline-checked.ts';
import { type Planning, planningWith } from './plan-and-submit.ts';
import type { Answer, Question } from './planning-messages.ts';

const script = fileURLToPath(new URL('./planning-process.ts', import.meta.url));
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;

/** Stages up to which a sweep is planned on the event loop: some 50 ms. */
const fewStages = 2000;
/** A sweep that needs more memory ends the process that plans it, and the service goes on. */
const mostMegabytes = 4096;
/** Nearly all that planning makes lives until its end: fewer copies on the way are a quarter less time. */
const youngMegabytes = 64;

type Pending = {
  readonly resolve: (value: Plan | Submitted) => void;
  readonly reject: (error: Error) => void;
};
type Asked<K extends Question['kind']> = Extract<Question, { kind: K }>['request'];

const settle = ({ resolve, reject }: Pending, answer: Answer): void => {
  if ('value' in answer) resolve(answer.value);
  else if ('refusal' in answer)
    reject(new AppError(answer.refusal.code, answer.refusal.message, answer.refusal.details));
  else reject(new Error('Planning failed', { cause: answer.fault }));
};

/** The process behind a function: one question, one answer. */
const createPlanner = (databaseUrl: string) => {
  const pending = new Map<number, Pending>();
  let child: ChildProcess | null = null;
  let closing = false;
  let count = 0;

  /** What was asked of it has no answer; the next question starts another. */
  const fail = (): void => {
    child = null;
    const reason = closing ? 'the service is closing' : 'the process that plans has ended';
    for (const { reject } of pending.values())
      reject(new AppError('UNAVAILABLE', `Expected the sweep to be planned, but ${reason}`));
    pending.clear();
  };

  const start = (): ChildProcess => {
    const started = fork(script, {
      execArgv: [
        '--import',
        tsx,
        `--max-old-space-size=${mostMegabytes}`,
        `--max-semi-space-size=${youngMegabytes}`,
      ],
      serialization: 'advanced',
    });
    started.on('message', (answer: Answer) => {
      const asked = pending.get(answer.id);
      pending.delete(answer.id);
      if (asked) settle(asked, answer);
    });
    started.once('exit', fail);
    return started;
  };

  const running = (): ChildProcess => (child ??= start());

  return {
    start: running,
    ask: <K extends Question['kind']>(kind: K, request: Asked<K>): Promise<Plan | Submitted> =>
      new Promise((resolve, reject) => {
        const planner = running();
        const id = ++count;
        pending.set(id, { resolve, reject });
        planner.send({ id, databaseUrl, kind, request }, (error) => error && planner.kill('SIGKILL'));
      }),
    close: async (): Promise<void> => {
      closing = true;
      const running = child;
      if (!running) return;
      const ended = new Promise((resolve) => running.once('exit', resolve));
      running.kill('SIGKILL'); // PostgreSQL rolls back what it had begun
      await ended;
    },
  };
};

export type OffLoopPlanning = Planning & {
  /** Has the process ready before there is anything to ask it. */
  readonly start: () => void;
  readonly close: () => Promise<void>;
};

export const createPlanning = (db: Db): OffLoopPlanning => {
  const here = planningWith(db);
  const planner = createPlanner(db.url);
  const isSmall = (definition: SweepDefinition): boolean => countStages(definition) <= fewStages;
  return {
    plan: async (request) =>
      isSmall(request.definition) ? here.plan(request) : ((await planner.ask('plan', request)) as Plan), // as asked
    submit: async (request) =>
      isSmall(request.definition)
        ? here.submit(request)
        : ((await planner.ask('submit', request)) as Submitted), // as asked
    start: planner.start,
    close: planner.close,
  };
};
