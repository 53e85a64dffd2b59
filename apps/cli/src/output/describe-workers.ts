import type { Worker } from '@funnel/contracts';
import { formatBytes } from './describe-collection.ts';
import { countsText } from './describe-sweep.ts';
import { formatTable } from './table.ts';
import { formatMinute } from './time.ts';

const workText = ({ running }: Worker): string => {
  const counts: Partial<Record<string, number>> = {};
  for (const { kind } of running) counts[kind] = (counts[kind] ?? 0) + 1;
  return countsText(counts);
};

const speedText = ({ running }: Worker): string => {
  const speeds = running.flatMap(({ imagesPerSecond }) => imagesPerSecond ?? []);
  return speeds.length === 0 ? '–' : String(Math.round(speeds.reduce((sum, speed) => sum + speed, 0)));
};

/** Who works, on what hardware, and what each runs now. */
export const describeWorkers = (workers: readonly Worker[]): string =>
  workers.length === 0
    ? 'No worker is here, so no sweep goes on. On a machine that reaches the database: funnel worker'
    : formatTable<Worker>(
        [
          { title: 'worker', value: ({ id }) => id },
          { title: 'host', value: ({ host }) => host },
          { title: 'status', value: ({ status }) => status },
          { title: 'version', value: ({ version }) => version },
          { title: 'schema', value: ({ schema }) => schema ?? '–' },
          { title: 'backend', value: ({ backend }) => backend },
          { title: 'busy', value: ({ running, slots }) => `${running.length} of ${slots}`, align: 'right' },
          { title: 'runs', value: workText },
          { title: 'images/s', value: speedText, align: 'right' },
          {
            title: 'memory',
            value: ({ memoryBytes }) => (memoryBytes === null ? '–' : formatBytes(memoryBytes)),
            align: 'right',
          },
          { title: 'since', value: ({ startedAt }) => formatMinute(startedAt) },
        ],
        workers,
      );
