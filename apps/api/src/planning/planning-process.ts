/** The process that plans large sweeps, one at a time, since each may take a gigabyte. It ends with the process that started it. */
import { AppError } from '@funnel/contracts';
import { createDb } from '@funnel/db';
import { type Planning, planningWith } from './plan-and-submit.ts';
import type { Answer, Question } from './planning-messages.ts';

const work = async (planning: Planning, question: Question): Promise<Answer> => {
  const { id, kind, request } = question;
  try {
    return { id, value: await (kind === 'plan' ? planning.plan(request) : planning.submit(request)) };
  } catch (error) {
    if (!(error instanceof AppError)) return { id, fault: error };
    const { code, message, details } = error;
    return { id, refusal: { code, message, details } };
  }
};

let planning: Planning | undefined;
let last = Promise.resolve();
process.on('message', (question: Question) => {
  planning ??= planningWith(createDb(question.databaseUrl, { max: 2, name: 'funnel planning' }));
  const ready = planning;
  last = last.then(async () => {
    process.send!(await work(ready, question));
  });
});
process.on('disconnect', () => process.exit(0));
// Ctrl-C goes to every process of a terminal: the one that asked decides when this one ends.
process.on('SIGINT', () => {});
