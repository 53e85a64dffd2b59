/**
 * A planning process: reads large bodies and plans large sweeps, one question at a time. It ends with its parent, the API.
 *
 * Planning never yields to the event loop, so a thread watches it. The thread ends the process when a question needs too much memory, or when
 * both the clock and the processor time of the question have passed the limit. The clock alone counts too much on a busy machine; the
 * processor time alone counts too much while many threads collect garbage.
 */
import { Worker } from 'node:worker_threads';
import { AppError, type Route, routes } from '@funnel/contracts';
import { createDb } from '@funnel/db';
import { readBody } from '../request/bodies.ts';
import { createPlanner, type Planner } from './plan-and-submit.ts';
import { type Answer, type Limits, limitSignal, type Message, type Question } from './planning-processes.ts';

/** Processor time of all threads so far, in seconds. */
const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/**
 * `ends`: when the question must have ended, in seconds of the clock and of the processor. The first is Infinity while no question runs.
 */
const watcher = `
const { workerData: { ends, bytes, signal } } = require('node:worker_threads');
const processorSeconds = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
setInterval(() => {
  if (ends[0] === Infinity) return;
  const late = Date.now() / 1000 > ends[0] && processorSeconds() > ends[1];
  if (late || process.memoryUsage.rss() > bytes) process.kill(process.pid, signal);
}, 50);
`;

type TimeLimit = {
  /** Returns the value of `compute`. When `compute` exceeds the limits, the process ends instead. */
  readonly time: <T>(compute: () => T) => T;
};

const createTimeLimit = ({ seconds, bytes }: Limits): TimeLimit => {
  const ends = new Float64Array(new SharedArrayBuffer(16)).fill(Number.POSITIVE_INFINITY);
  new Worker(watcher, { eval: true, execArgv: [], workerData: { ends, bytes, signal: limitSignal } });
  return {
    time: (compute) => {
      ends[1] = processorSeconds() + seconds;
      ends[0] = Date.now() / 1000 + seconds;
      try {
        return compute();
      } finally {
        ends[0] = Number.POSITIVE_INFINITY;
      }
    },
  };
};

const limits = JSON.parse(process.argv[2]!) as Limits; // planning-processes.ts writes this argument
const limit = createTimeLimit(limits);

let planner: Planner | undefined;
const plannerOn = (databaseUrl: string): Planner => {
  planner ??= createPlanner(createDb(databaseUrl, { max: 2, name: 'funnel planning' }), {
    time: limit.time,
    limits: limits.sweep,
  });
  return planner;
};

const compute = async (question: Question): Promise<unknown> => {
  if (question.kind === 'plan') return plannerOn(question.databaseUrl).plan(question.request);
  if (question.kind === 'submit') return plannerOn(question.databaseUrl).submit(question.request);
  const { route, body } = question.request;
  return limit.time(() => readBody((routes[route] as Route).body, body));
};

const answer = async (question: Question): Promise<Answer> => {
  const bytes = () => process.memoryUsage.rss();
  try {
    return { value: await compute(question), bytes: bytes() };
  } catch (error) {
    if (!(error instanceof AppError)) return { fault: error, bytes: bytes() };
    const { code, message, details } = error;
    return { refusal: { code, message, details }, bytes: bytes() };
  }
};

const send = (message: Message): void => {
  process.send!(message, (error: Error | null) => error && process.exit(1)); // the parent is gone
};

process.on('message', async (question: Question) => send(await answer(question)));
process.on('disconnect', () => process.exit(0));
if (!process.connected) process.exit(0); // the parent ended while this process started
// Ctrl-C reaches every process of a terminal. The parent decides when this process ends.
process.on('SIGINT', () => {});
send('ready');
