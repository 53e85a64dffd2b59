/**
 * Announces ready stages to the workers. The relay notifies the queue after every commit of this process that made stages ready. Every few
 * seconds the reconciler repairs omissions: it ends expired leases, makes stages ready that should be ready, and wakes the relay. So a lost
 * notification delays a stage by seconds, and no work is lost.
 */
import { AppError } from '@funnel/contracts';
import { type Db, type Rounds, startPropagation, startRelay } from '@funnel/db';
import { startProposer } from '@funnel/proposer';
import type { StageQueue } from '@funnel/queue';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';
import { createWarning } from './warning.ts';

type ReconcilerOptions = {
  /** One round: expires leases, repairs statuses, and announces ready stages again. */
  readonly reconcile: () => Promise<unknown>;
  /** Milliseconds from the end of one round to the start of the next. */
  readonly interval: number;
  readonly onError: (error: unknown) => void;
};

type Reconciler = { readonly stop: () => Promise<void> };

/** Rounds never overlap. A round that fails is reported, and the next one follows as usual. */
const startReconciler = ({ reconcile, interval, onError }: ReconcilerOptions): Reconciler => {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let round = Promise.resolve();

  const schedule = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      round = reconcile()
        .then(() => {}, onError)
        .then(schedule);
    }, interval);
  };

  schedule();
  return {
    stop: async () => {
      stopped = true;
      clearTimeout(timer);
      await round;
    },
  };
};

declare module 'fastify' {
  interface FastifyInstance {
    readonly relay: Rounds;
    /** Decides for searches. */
    readonly proposer: Rounds;
  }
}

type ReconcilerPluginOptions = Omit<ReconcilerOptions, 'onError'> & {
  readonly db: Db;
  readonly engineVersion: string;
  readonly queue: StageQueue;
};

const reconciler = async (
  app: FastifyInstance,
  { db, queue, engineVersion, ...options }: ReconcilerPluginOptions,
): Promise<void> => {
  const relay = startRelay(db, {
    notify: queue.notify,
    onError: createWarning(app.log, 'could not notify the queue of ready stages'),
  });
  const propagation = startPropagation(
    db,
    createWarning(app.log, 'could not continue a change of many trials'),
  );
  const proposer = startProposer(db, {
    engineVersion,
    onError: createWarning(app.log, 'could not decide for a search'),
  });
  app.decorate('relay', relay);
  app.decorate('proposer', proposer);

  // Set while the database has the schema of another version. The API then neither reads nor writes the database.
  let mismatch: AppError | null = null;
  app.addHook('onRequest', async ({ routeOptions }) => {
    if (mismatch && routeOptions.url?.startsWith('/v1/')) throw mismatch;
  });

  const warn = createWarning(app.log, 'could not reconcile');
  let running: Reconciler | undefined;
  app.addHook('onListen', async () => {
    running = startReconciler({
      ...options,
      reconcile: async () => {
        await options.reconcile();
        proposer.wake(); // for searches that another process made due
        mismatch = null;
      },
      onError: (error) => {
        app.metrics.countReconcilerFault();
        if (!(error instanceof AppError) || error.code !== 'SCHEMA_MISMATCH') return warn(error);
        if (!mismatch) app.log.error({ code: error.code }, error.message);
        mismatch = error;
      },
    });
  });
  app.addHook('preClose', async () => {
    await running?.stop();
    await Promise.all([relay.close(), propagation.close(), proposer.close()]);
  });
};

/**
 * Adds `app.relay` and `app.proposer`, and runs the reconciler while the app listens. While the schema does not match, every route below /v1/ answers
 * SCHEMA_MISMATCH.
 */
export const reconcilerPlugin = fp(reconciler, { name: 'reconciler', dependencies: ['access', 'metrics'] });
