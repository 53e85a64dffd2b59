/**
 * Waits for `promise`, but no longer than `milliseconds`. Resolves to true if the promise resolved in time, and to false if it did not.
 * Rejects with the error of a promise that rejected in time. A later rejection does no harm. Leaves no timer behind, so the wait does not
 * keep a process alive.
 */
export const within = async (milliseconds: number, promise: Promise<unknown>): Promise<boolean> => {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), milliseconds);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
};
