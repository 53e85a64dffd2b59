/** Continues the work that requests have begun: submissions, and actions on large sweeps. Runs while the app listens. */
import { setTimeout as sleep } from 'node:timers/promises';
import { continueActions, type Db } from '@funnel/db';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { createSubmissions, type Submissions, type SubmissionsOptions } from './planning/submissions.ts';

/** Milliseconds between two looks for actions that another process has begun. */
const pollMs = 3000;

type Actions = { readonly wake: () => void; readonly start: () => void; readonly stop: () => Promise<void> };

const createActions = (db: Db, onError: (error: unknown) => void): Actions => {
  const closed = new AbortController();
  let wake = new AbortController();
  let running: Promise<void> | undefined;

  const run = async (): Promise<void> => {
    while (!closed.signal.aborted) {
      const isDone = !(await continueActions(db).catch((error: unknown) => {
        onError(error);
        return false;
      }));
      if (!isDone) continue;
      const signal = AbortSignal.any([closed.signal, wake.signal]);
      await sleep(pollMs, undefined, { signal }).catch(() => {});
    }
  };

  const start = (): void => {
    running ??= run();
  };

  return {
    wake: () => {
      start();
      wake.abort();
      wake = new AbortController();
    },
    start,
    stop: async () => {
      closed.abort();
      await running;
    },
  };
};

declare module 'fastify' {
  interface FastifyInstance {
    readonly submissions: Pick<Submissions, 'submit'>;
    /** Continues actions on large sweeps now. */
    readonly wakeActions: () => void;
  }
}

type BackgroundOptions = Pick<SubmissionsOptions, 'waitMs' | 'limits'> & {
  readonly db: Db;
  /** Called when a sweep of a stored submission has been written. */
  readonly onCreated: SubmissionsOptions['onCreated'];
};

const background = async (
  app: FastifyInstance,
  { db, onCreated, waitMs, limits }: BackgroundOptions,
): Promise<void> => {
  const onError = (error: unknown) =>
    app.log.warn({ err: error }, 'could not continue the work of a request');
  const actions = createActions(db, onError);
  const submissions = createSubmissions(db, {
    planning: app.planning,
    onCreated: (sweepId, startedAt) => {
      actions.wake(); // a large sweep is connected with others in batches
      app.relay.wake(); // a planning process commits on its own connection, so its commit does not wake this relay
      onCreated(sweepId, startedAt);
    },
    onError,
    ...{ waitMs, limits },
  });
  app.decorate('submissions', submissions);
  app.decorate('wakeActions', actions.wake);
  app.addHook('onListen', async () => {
    submissions.start();
    actions.start();
  });
  app.addHook('preClose', async () => {
    submissions.stop();
    await actions.stop();
  });
  app.addHook('onClose', async () => {
    await app.planning.close(); // PostgreSQL rolls the transactions of its processes back
    await submissions.close();
  });
};

/** Adds `app.submissions` and `app.wakeActions`. */
export const backgroundPlugin = fp(background, {
  name: 'background',
  dependencies: ['planning', 'reconciler'],
});
