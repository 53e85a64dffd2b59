/**
 * Ends this process when one question has computed for too long or holds too much memory. Planning never yields, so a thread looks. The
 * limit is reached when both the clock and the processor have counted the seconds: on a busy machine the clock runs ahead, and while garbage is
 * collected by many threads the processor does.
 */
import { Worker } from 'node:worker_threads';
import { AppError, type Route, routes } from '@funnel/contracts';
import { createDb } from '@funnel/db';
import { readBody } from '../request/bodies.ts';
import { planningWith } from './plan-and-submit.ts';
import { type Answer, type Limits, limitSignal, type Question } from './planning-processes.ts';

/** Seconds of the processor, of all threads. */
const processorSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** `ends`: seconds of the clock and of the processor; the clock's is Infinity while nothing is timed. */
const look = `
const { workerData: { ends, bytes, signal } } = require('node:worker_threads');
const processorSeconds = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1e6; };
setInterval(() => {
  if (ends[0] === Infinity) return;
  const late = Date.now() / 1000 > ends[0] && processorSeconds() > ends[1];
  if (late || process.memoryUsage.rss() > bytes) process.kill(process.pid, signal);
}, 50);
`;

export type StopWatch = {
  /** What `work` returns, if the process lives to see it. */
  readonly time: <T>(work: () => T) => T;
};

export const createStopWatch = ({ seconds, bytes }: Limits): StopWatch => {
  const ends = new Float64Array(new SharedArrayBuffer(16)).fill(Number.POSITIVE_INFINITY);
  new Worker(look, { eval: true, execArgv: [], workerData: { ends, bytes, signal: limitSignal } });
  return {
    time: (work) => {
      ends[1] = processorSeconds() + seconds;
      ends[0] = Date.now() / 1000 + seconds;
      try {
        return work();
      } finally {
        ends[0] = Number.POSITIVE_INFINITY;
      }
    },
  };
};

/** The process that reads large bodies and plans large sweeps, one question at a time. It ends with the process that started it. */

const watch = createStopWatch(JSON.parse(process.argv[2]!) as Limits); // written by planning-processes.ts

let planning: ReturnType<typeof planningWith> | undefined;
const planningOn = (databaseUrl: string) => {
  planning ??= planningWith(createDb(databaseUrl, { max: 2, name: 'funnel planning' }), watch.time);
  return planning;
};

const answerTo = async (question: Question): Promise<unknown> => {
  if (question.kind === 'plan') return planningOn(question.databaseUrl).plan(question.request);
  if (question.kind === 'submit') return planningOn(question.databaseUrl).submit(question.request);
  const { route, body } = question.request;
  return watch.time(() => readBody((routes[route] as Route).body, body));
};

const work = async (question: Question): Promise<Answer> => {
  const bytes = () => process.memoryUsage.rss();
  try {
    return { value: await answerTo(question), bytes: bytes() };
  } catch (error) {
    if (!(error instanceof AppError)) return { fault: error, bytes: bytes() };
    const { code, message, details } = error;
    return { refusal: { code, message, details }, bytes: bytes() };
  }
};

process.on('message', async (question: Question) => {
  process.send!(await work(question), (error: Error | null) => error && process.exit(1)); // nobody listens any more
});
process.on('disconnect', () => process.exit(0));
if (!process.connected) process.exit(0); // the other one ended while this one started
if (!process.connected) process.exit(0); // it ended while this one started
// Ctrl-C goes to every process of a terminal: the one that asked decides when this one ends.
process.on('SIGINT', () => {});
