/** Lets the event loop turn now and then: timers, signals and messages get their chance while tensors are computed. */

const longestBlockMs = 50;

/** Resolves in a later turn of the event loop when the last one was long ago. Throws the signal's reason once it is aborted. */
export const createYield = (signal?: AbortSignal): (() => Promise<void>) => {
  let last = performance.now();
  return async () => {
    signal?.throwIfAborted();
    if (performance.now() - last < longestBlockMs) return;
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    last = performance.now();
    signal?.throwIfAborted();
  };
};
