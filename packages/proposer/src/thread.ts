/** The thread of `deciding-thread.ts`. */
import { parentPort } from 'node:worker_threads';
import { AppError } from '@funnel/contracts';
import type { Answer, Question } from './deciding-thread.ts';
import { nextDecisions } from './next-decisions.ts';

const answer = ({ record, now }: Question): Answer => {
  try {
    return { decided: nextDecisions(record, now) };
  } catch (error) {
    if (!(error instanceof AppError)) return { fault: error };
    const { code, message, details } = error;
    return { refusal: { code, message, details } };
  }
};

parentPort!.on('message', (question: Question) => parentPort!.postMessage(answer(question)));
