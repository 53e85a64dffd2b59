/** The process that reads large bodies and plans large sweeps, one question at a time. It ends with the process that started it. */
import { AppError, type Route, routes } from '@funnel/contracts';
import { createDb } from '@funnel/db';
import { readBody } from '../request/bodies.ts';
import { planningWith } from './plan-and-submit.ts';
import type { Answer, Question } from './planning-messages.ts';
import { createStopWatch, type Limits } from './stop-watch.ts';

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
