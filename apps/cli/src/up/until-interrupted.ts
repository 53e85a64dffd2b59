/** Signals that a person or a service manager sends to end a program in the foreground. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One Ctrl-C arrives twice when npm passes on what the terminal has sent to both: what follows within this time is the same one. */
const sameMilliseconds = 1000;

export type Interruption = {
  /** Aborted by the first signal. */
  readonly signal: AbortSignal;
  /** Resolves at the first signal. */
  readonly happened: Promise<void>;
};

/** Waits for the first signal; a second one, a second later or more, calls `force`. */
export const untilInterrupted = (force: () => void): Interruption => {
  const controller = new AbortController();
  let firstAt = 0;
  const happened = new Promise<void>((resolve) => {
    const onSignal = (): void => {
      const now = performance.now();
      if (controller.signal.aborted) {
        if (now - firstAt > sameMilliseconds) force();
        return;
      }
      firstAt = now;
      controller.abort();
      resolve();
    };
    for (const name of signals) process.on(name, onSignal);
  });
  return { signal: controller.signal, happened };
};

/** Milliseconds that a connection which did not close may still hold a process that has ended its work. */
const holdMilliseconds = 2000;

/** Ends the process soon, with its exit status, even when something that did not close still holds it. */
export const endSoon = (): void => void setTimeout(() => process.exit(), holdMilliseconds).unref();
