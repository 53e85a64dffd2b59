/**
 * Wakes slots that wait for work. A ring wakes one; whoever finds work rings again, so one ring drains all there is. A ring that comes
 * while nobody waits is kept: the next one to wait returns at once.
 */
export type WakeUpSignal = {
  readonly notify: () => void;
  readonly notifyAll: () => void;
  /** Resolves at the next ring. */
  readonly wait: () => Promise<void>;
};

export const createWakeUpSignal = (): WakeUpSignal => {
  const sleepers = new Set<() => void>();
  let kept = false;
  const notify = (): void => {
    const [first] = sleepers;
    if (first) first();
    else kept = true;
  };
  return {
    notify,
    notifyAll: () => {
      for (const wake of [...sleepers]) wake();
      kept = true;
    },
    wait: () =>
      new Promise((resolve) => {
        if (kept) {
          kept = false;
          return resolve();
        }
        const wake = (): void => {
          sleepers.delete(wake);
          resolve();
        };
        sleepers.add(wake);
      }),
  };
};
