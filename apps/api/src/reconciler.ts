/**
 * The reconciler: every few seconds it expires leases, makes the stages ready that should be, and notifies the workers of them. So a lost
 * notification costs seconds, and never work.
 */

export type ReconcilerOptions = {
  /** Repairs the database and returns the stages that are ready. */
  readonly reconcile: () => Promise<{ readonly readyStages: readonly string[] }>;
  readonly notify: (stageIds: readonly string[]) => Promise<void>;
  /** Milliseconds from the end of one round to the start of the next. */
  readonly interval: number;
  readonly onError: (error: unknown) => void;
};

export type Reconciler = { readonly stop: () => Promise<void> };

/** Rounds never overlap. A round that fails is reported, and the next one follows as usual. */
export const startReconciler = ({ reconcile, notify, interval, onError }: ReconcilerOptions): Reconciler => {
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
