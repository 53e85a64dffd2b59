export type ReconcilerOptions = {
  /** One round: expires leases, repairs, and announces ready stages again. */
  readonly reconcile: () => Promise<unknown>;
  /** Milliseconds from the end of one round to the start of the next. */
  readonly interval: number;
  readonly onError: (error: unknown) => void;
};

export type Reconciler = { readonly stop: () => Promise<void> };

/** Rounds never overlap; one that fails is reported and the next one comes all the same. */
export const startReconciler = ({ reconcile, interval, onError }: ReconcilerOptions): Reconciler => {
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
