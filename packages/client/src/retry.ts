/** When to ask again, and after how long. */
import { FunnelError } from './funnel-error.ts';

export type RetryOptions = {
  /** Times that a call is repeated at most. (Default: 4) */
  readonly retries: number;
  /** Milliseconds before the first repetition; each further one waits up to twice as long. (Default: 200) */
  readonly backoff: number;
};

/** No wait is longer, whatever was asked for. */
const longestWait = 30_000;

/**
 * A call that may be repeated safely is, when nobody answered or the service says that it cannot now. One that may not is repeated
 * only where the service says that it did nothing.
 */
export const mayRetry = (error: FunnelError, idempotent: boolean): boolean => {
  if (error.status === 429) return true;
  const passing = !error.answered || [502, 503, 504].includes(error.status);
  return idempotent && passing;
};

/** Milliseconds: what the service asked for, else doubling, and somewhere in the upper half so that clients do not come in step. */
export const retryDelay = (error: FunnelError, attempt: number, { backoff }: RetryOptions): number => {
  const least = error.retryAfter === null ? 0 : error.retryAfter * 1000;
  const doubling = backoff * 2 ** attempt;
  return Math.min(longestWait, least + doubling * (0.5 + Math.random() / 2));
};

/** Resolves after `delay` milliseconds; rejects at once with the signal's reason. */
export const wait = (delay: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, delay);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });

export const withRetries = async <T>(
  call: (attempt: number) => Promise<T>,
  options: RetryOptions & { readonly idempotent: boolean; readonly signal?: AbortSignal },
): Promise<T> => {
  for (let attempt = 0; ; attempt++) {
    try {
      return await call(attempt);
    } catch (error) {
      if (!(error instanceof FunnelError) || attempt >= options.retries) throw error;
      if (!mayRetry(error, options.idempotent)) throw error;
      await wait(retryDelay(error, attempt, options), options.signal);
    }
  }
};
