/**
 * The reconciler: every few seconds it expires leases, makes the stages ready that should be, and notifies the workers of them. So a lost
 * notification costs seconds, and never work.
 */
import { AppError } from '@funnel/contracts';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

type ReconcilerOptions = {
  /** Repairs the database and returns the stages that are ready. */
  readonly reconcile: () => Promise<{ readonly readyStages: readonly string[] }>;
  readonly notify: (stageIds: readonly string[]) => Promise<void>;
  /** Milliseconds from the end of one round to the start of the next. */
  readonly interval: number;
  readonly onError: (error: unknown) => void;
};

type Reconciler = { readonly stop: () => Promise<void> };

/** Rounds never overlap. A round that fails is reported, and the next one follows as usual. */
const startReconciler = ({ reconcile, notify, interval, onError }: ReconcilerOptions): Reconciler => {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let round = Promise.resolve();

  const runRound = async (): Promise<void> => {
    const { readyStages } = await reconcile();
    if (readyStages.length > 0) await notify(readyStages);
  };
  const schedule = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      round = runRound().catch(onError).then(schedule);
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

const reconciler = async (
  app: FastifyInstance,
  options: Omit<ReconcilerOptions, 'onError'>,
): Promise<void> => {
  // Set while the database has the schema of another version. Then the API neither reads nor writes it.
  let mismatch: AppError | null = null;
  app.addHook('onRequest', async ({ routeOptions }) => {
    if (mismatch && routeOptions.url?.startsWith('/v1/')) throw mismatch;
  });

  let running: Reconciler | undefined;
  app.addHook('onListen', async () => {
    running = startReconciler({
      ...options,
      reconcile: async () => {
        const reconciled = await options.reconcile();
        mismatch = null;
        return reconciled;
      },
      onError: (error) => {
        app.metrics.countReconcilerFault();
        if (!(error instanceof AppError) || error.code !== 'SCHEMA_MISMATCH')
          return app.log.warn({ err: error }, 'could not reconcile');
        if (!mismatch) app.log.error({ code: error.code }, error.message);
        mismatch = error;
      },
    });
  });
  app.addHook('preClose', async () => running?.stop());
};

/** Runs the reconciler while the app listens. While the schema does not match, every route below /v1/ answers SCHEMA_MISMATCH. */
export const reconcilerPlugin = fp(reconciler, { name: 'reconciler', dependencies: ['access', 'metrics'] });
