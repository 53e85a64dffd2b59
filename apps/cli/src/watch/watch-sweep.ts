import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, FunnelError } from '@funnel/client';
import type { SweepDetail, Worker } from '@funnel/contracts';
import type { Output } from '../output/output.ts';
import { countStages, progressLines, progressSentence } from './describe-progress.ts';

const isOver = ({ status }: SweepDetail): boolean => status === 'completed' || status === 'cancelled';

/** Milliseconds between looks: often on a terminal, where the picture moves; a log gets a line when something ended, or twice a minute. */
const lookMilliseconds = { terminal: 500, log: 1000 };
const quietMilliseconds = 30_000;

/** The API is away, or its database is, or its disk is full: it comes back without being asked to. */
const isPassing = (error: unknown): error is FunnelError =>
  error instanceof FunnelError && (!error.answered || [502, 503, 504, 507].includes(error.status));

/** In a log: a line at the start, whenever stages have ended, and as a sign of life. */
const createLogger = (output: Output) => {
  let done = -1;
  let saidAt = 0;
  return (sweep: SweepDetail): void => {
    const now = performance.now();
    if (countStages(sweep).done === done && now - saidAt < quietMilliseconds) return;
    done = countStages(sweep).done;
    saidAt = now;
    output.note(`${sweep.name} ${progressSentence(sweep)}`);
  };
};

const look = async (
  client: Client,
  id: string,
  signal: AbortSignal,
): Promise<[SweepDetail, readonly Worker[]]> => {
  const [sweep, { items }] = await Promise.all([
    client.getSweep({ params: { id } }, { signal }),
    client.listWorkers({}, { signal }),
  ]);
  return [sweep, items];
};

/**
 * Shows the progress of a sweep until it has ended, and returns it then. An API that goes away is waited for: what it says when it is
 * back is the whole truth. Throws an AbortError when `signal` is aborted.
 */
export const watchSweep = async (
  client: Client,
  id: string,
  output: Output,
  signal: AbortSignal,
): Promise<SweepDetail> => {
  const log = createLogger(output);
  let away = false;
  for (;;) {
    try {
      const [sweep, workers] = await look(client, id, signal);
      away = false;
      const columns = output.columns();
      if (columns === null) log(sweep);
      else output.draw(progressLines(sweep, workers, columns));
      if (isOver(sweep)) return sweep;
    } catch (error) {
      if (signal.aborted || !isPassing(error)) throw error;
      if (!away) output.note(`${error.message}. Waiting for it to come back …`);
      away = true;
    }
    await sleep(output.columns() === null ? lookMilliseconds.log : lookMilliseconds.terminal, undefined, {
      signal,
    });
  }
};
