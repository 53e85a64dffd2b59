import type { Worker } from '@funnel/contracts';
import { formatBytes } from './describe-collection.ts';
import { formatTable } from './table.ts';
import { formatMinute } from './time.ts';

const workText = ({ running }: Worker): string => {
  const kinds = [...new Set(running.map(({ kind }) => kind))];
  return kinds.map((kind) => `${running.filter((stage) => stage.kind === kind).length} ${kind}`).join(', ');
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
