import type { Collection } from '@funnel/contracts';
import { formatTable } from './table.ts';

type Row = Collection['sweeps'][number];

const units = ['B', 'kB', 'MB', 'GB', 'TB'];

/** 1000 to a kB, three digits: 1.23 GB. */
export const formatBytes = (bytes: number): string => {
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return `${Number((bytes / 1000 ** power).toPrecision(3))} ${units[power]}`;
};

export const describeCollection = (collection: Collection, collected: boolean): string => {
  const { trials, checkpoints, blobs, bytes, sweeps } = collection;
  if (checkpoints === 0) return 'Nothing to free: every checkpoint is one that a kept trial needs.';
  const table = formatTable<Row>(
    [
      { title: 'sweep', value: ({ id }) => id },
      { title: 'name', value: ({ name }) => name },
      { title: 'given up', value: (row) => `${row.trials}`, align: 'right' },
      { title: 'kept', value: ({ kept }) => `${kept}`, align: 'right' },
    ],
    sweeps,
  );
  const what = `${checkpoints} checkpoints of ${trials} trials: ${blobs} blobs, ${formatBytes(bytes)}.`;
  const next = collected
    ? `Freed ${what}`
    : `Would free ${what} Metrics and evaluations stay. Nothing has been done: add --yes.`;
  return `${table}\n${next}`;
};
