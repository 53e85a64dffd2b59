/** The duty that makes the queue a mere doorbell: every few seconds, repair what should be ready, and ring for it. */

export type ReconcilerOptions = {
  /** Repairs the database and answers the stages that are ready. */
  readonly reconcile: () => Promise<{ readonly readyStages: readonly string[] }>;
  readonly notify: (stageIds: readonly string[]) => Promise<void>;
  /** Milliseconds from the end of one round to the start of the next. */
  readonly interval: number;
  readonly onError: (error: unknown) => void;
};

export type Reconciler = { readonly stop: () => Promise<void> };

/** Rounds never overlap; one that fails is reported and the next one comes all the same. */
export const startReconciler = ({ reconcile, notify, interval, onError }: ReconcilerOptions): Reconciler => {
  let stopped = false;
  let timer: NodeJS.Timeout | undefined;
  let round = Promise.resolve();

  const work = async (): Promise<void> => {
    const { readyStages } = await reconcile();
    if (readyStages.length > 0) await notify(readyStages);
  };
  const schedule = (): void => {
    if (stopped) return;
    timer = setTimeout(() => {
      round = work().catch(onError).then(schedule);
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
