/** Workers and garbage collections as text. */
import {
  type Collection,
  describeRefusals,
  formatBytes,
  formatDuration,
  formatSpeed,
  plural,
  totalSpeed,
  type Worker,
  type WorkerLogLine,
} from '@funnel/contracts';
import { formatMinute, formatTable } from './format.ts';
import { countsText } from './sweeps.ts';
import { logLineText } from './trials.ts';

type Row = Collection['sweeps'][number];

export const describeCollection = (collection: Collection, collected: boolean): string => {
  const { trials, checkpoints, blobs, datasets, bytes, sweeps } = collection;
  if (checkpoints === 0 && datasets === 0) return 'Nothing to delete: the kept trials need every checkpoint.';
  const table = formatTable<Row>(
    [
      { title: 'sweep', value: ({ id }) => id },
      { title: 'name', value: ({ name }) => name },
      { title: 'not kept', value: (row) => `${row.trials}`, align: 'right' },
      { title: 'kept', value: ({ kept }) => `${kept}`, align: 'right' },
    ],
    sweeps,
  );
  const what = `${plural(checkpoints, 'checkpoint')} of ${plural(trials, 'trial')}: ${plural(blobs, 'blob')}${datasets === 0 ? '' : `, ${plural(datasets, 'data set')}`}, ${formatBytes(bytes)}.`;
  const conclusion = collected
    ? `Deleted ${what}`
    : `Would delete ${what} Metrics and evaluations stay. Nothing was deleted: add --yes to delete.`;
  return `${table}\n${conclusion}`;
};

const workText = ({ running }: Worker): string => {
  const counts: Partial<Record<string, number>> = {};
  for (const { kind } of running) counts[kind] = (counts[kind] ?? 0) + 1;
  return countsText(counts);
};

const speedText = ({ running }: Worker): string => {
  const speed = totalSpeed(running);
  return speed ? formatSpeed(speed) : '–';
};

/** Why a live worker gets fewer stages than it could, and what to do. Empty for a worker without faults. */
const troubleLines = ({ id, status, setAside, refusals }: Worker): readonly string[] => {
  if (status === 'gone') return [];
  const aside = setAside && [
    `✗ ${id} is set aside since ${formatMinute(setAside.since)}: it failed ${setAside.failures} times in a row, and others completed the same stages. It gets a stage to try at ${formatMinute(setAside.probeAt)}.`,
  ];
  const lines = [
    ...(aside ?? []),
    ...describeRefusals(refusals).map((text) => `· ${id} handed back ${text}`),
  ];
  return lines.length === 0
    ? []
    : [...lines, `→ \`npx funnel workers restore ${id}\` lets it try everything again.`];
};

/** The starts and ends of a worker's attempts, oldest first, each with its stage. */
export const describeWorkerLog = (lines: readonly WorkerLogLine[]): string =>
  lines.length === 0
    ? 'It has run nothing yet.'
    : lines.map(({ stage, kind, ...line }) => logLineText(line, `${kind} ${stage.slice(0, 8)}, `)).join('\n');

/** The workers, their hardware, and the stages that they run now or have handed back. */
/** `now`: milliseconds since 1970. (Default: this moment) */
export const describeWorkers = (workers: readonly Worker[], now = Date.now()): string =>
  [describeHardware(workers, now), ...workers.flatMap(troubleLines)].join('\n');

/** Workers send a heartbeat every few seconds. After this long without one, a worker may have ended: the service notices after 40 s. */
const silentSeconds = 10;

const statusText = ({ status, setAside, heartbeatAt }: Worker, now: number): string => {
  const silent = (now - Date.parse(heartbeatAt)) / 1000;
  const late = status === 'online' && silent >= silentSeconds ? `, silent for ${formatDuration(silent)}` : '';
  return `${setAside ? 'set aside' : status}${late}`;
};

const describeHardware = (workers: readonly Worker[], now: number): string =>
  workers.length === 0
    ? 'No worker is online, so sweeps wait. Start a worker on a machine that can reach the database: `npx funnel worker`'
    : formatTable<Worker>(
        [
          { title: 'worker', value: ({ id }) => id },
          { title: 'host', value: ({ host }) => host },
          { title: 'status', value: (worker) => statusText(worker, now) },
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
          {
            title: 'per trainer',
            value: ({ trainerBytes }) => (trainerBytes === null ? '–' : formatBytes(trainerBytes)),
            align: 'right',
          },
          {
            title: 'data',
            value: ({ datasets }) => datasets?.map(({ name }) => name).join(', ') ?? '–',
          },
          { title: 'since', value: ({ startedAt }) => formatMinute(startedAt) },
        ],
        workers,
      );
