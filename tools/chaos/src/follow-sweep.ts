/** A client of a service that fails again and again: it submits sweeps, and waits for their ends. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, createClient, FunnelError } from '@funnel/client';
import type { SweepInput } from '@funnel/contracts';

/** A client that repeats a call for some minutes while the API is down. */
export const patientClient = (url: string): Client => createClient({ url, retries: 60, backoff: 250 });

const pollMs = 500;

export type Patience = { readonly limitSeconds: number; readonly signal: AbortSignal };

/** Waits until the sweep has ended, even while the API is down. Resolves to true where the sweep completed. */
export const untilEnded = async (
  url: string,
  id: string,
  { limitSeconds, signal }: Patience,
  onProgress: (progress: number) => void,
): Promise<boolean> => {
  const client = createClient({ url, retries: 0 });
  const deadline = Date.now() + limitSeconds * 1000;
  while (Date.now() < deadline && !signal.aborted) {
    const sweep = await client.getSweep({ params: { id } }).catch((error: unknown) => {
      if (error instanceof FunnelError && error.status === 404) throw error;
      return null;
    });
    if (sweep && sweep.status !== 'running') return sweep.status === 'completed';
    if (sweep) onProgress(sweep.progress);
    await sleep(pollMs);
  }
  return false;
};

/** Submits until an answer comes. The idempotency key ensures that only one sweep is made. */
export const submit = async (url: string, definition: SweepInput, key = 'chaos'): Promise<string> => {
  const sweep = await patientClient(url).createSweep({
    body: definition,
    headers: { 'idempotency-key': key },
  });
  return sweep.id;
};
