/** Computes the next decisions of searches in a thread of its own, so that heartbeats and requests never wait for a strategy. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AppError, type ErrorCode } from '@funnel/contracts';
import type { SearchRecord } from '@funnel/db';
import type { Decided } from './next-decisions.ts';

/** A question to the thread. */
export type Question = { readonly record: SearchRecord; readonly now: number };

/** Errors lose their class between threads, so a refusal is plain data. */
export type Answer =
  | { readonly decided: Decided }
  | {
      readonly refusal: {
        readonly code: ErrorCode;
        readonly message: string;
        readonly details: Readonly<Record<string, unknown>>;
      };
    }
  | { readonly fault: unknown };

const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx'));

/** Node ignores `--import tsx` for a thread, so the thread registers tsx before it loads `thread.ts`. */
const script = new URL(
  `data:text/javascript,${encodeURIComponent(
    `import { register } from ${JSON.stringify(new URL('./esm/api/index.mjs', tsx).href)};
     register();
     await import(${JSON.stringify(new URL('./thread.ts', import.meta.url).href)});`,
  )}`,
);

/** Milliseconds without a question after which the thread ends: it has the memory of a whole search. */
const idleMs = 30_000;

export type DecidingThread = {
  /** Throws the errors of `nextDecisions`. One question at a time. */
  readonly decide: (question: Question) => Promise<Decided>;
  readonly close: () => Promise<void>;
};

/** The thread starts with the first question. */
export const createDecidingThread = (): DecidingThread => {
  let thread: Worker | null = null;
  let idle: NodeJS.Timeout | undefined;

  const end = async (): Promise<void> => {
    clearTimeout(idle);
    const ending = thread;
    thread = null;
    await ending?.terminate();
  };

  const begin = (): Worker => {
    const worker = new Worker(script, { execArgv: [] });
    worker.unref();
    return worker;
  };

  return {
    decide: async (question) => {
      clearTimeout(idle);
      thread ??= begin();
      const asked = thread;
      const answer = await new Promise<Answer>((resolve, reject) => {
        const onEnd = (error: unknown): void => {
          if (thread === asked) thread = null;
          reject(
            error instanceof Error ? error : new Error('The thread that decides for searches has ended'),
          );
        };
        asked.once('message', (message: Answer) => {
          asked.off('error', onEnd);
          asked.off('exit', onEnd);
          resolve(message);
        });
        asked.once('error', onEnd);
        asked.once('exit', onEnd);
        asked.ref();
        asked.postMessage(question);
      });
      asked.unref();
      idle = setTimeout(end, idleMs).unref();
      if ('decided' in answer) return answer.decided;
      if ('refusal' in answer)
        throw new AppError(answer.refusal.code, answer.refusal.message, answer.refusal.details);
      throw new Error('The decision of a search failed', { cause: answer.fault });
    },
    close: end,
  };
};
