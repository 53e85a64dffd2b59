import { endWithReader } from '../output/streams.ts';

/** Signals that a person or a service manager sends to end a program in the foreground; SIGHUP comes when its terminal is closed. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One Ctrl-C arrives twice when npm passes on what the terminal has sent to both: what follows within this time is the same one. */
const sameMilliseconds = 1000;

export type Interruption = {
  /** Aborted by the first signal, or when the reader of the output has gone. */
  readonly signal: AbortSignal;
  /** Resolves then. */
  readonly happened: Promise<void>;
  /** Returns true when it was the reader who went, and no signal. */
  readonly isReaderGone: () => boolean;
};

/** Waits for the first signal, or for the reader's end; a second signal, a second later or more, calls `force`. */
export const untilInterrupted = (force: () => void): Interruption => {
  const controller = new AbortController();
  const { signal } = controller;
  let firstAt = 0;
  let readerGone = false;
  const happened = new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => {
      firstAt = performance.now();
      resolve();
    });
  });
  const onSignal = (): void => {
    if (!signal.aborted) controller.abort();
    else if (performance.now() - firstAt > sameMilliseconds) force();
  };
  for (const name of signals) process.on(name, onSignal);
  endWithReader(() => {
    if (signal.aborted) return;
    readerGone = true;
    controller.abort();
  });
  return { signal, happened, isReaderGone: () => readerGone };
};

/** Milliseconds that a connection which did not close may still hold a process that has ended its work. */
const holdMilliseconds = 2000;

/** Ends the process soon, with its exit status, even when something that did not close still holds it. */
export const endSoon = (): void => void setTimeout(() => process.exit(), holdMilliseconds).unref();
