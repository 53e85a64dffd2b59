import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, FunnelError } from '@funnel/client';
import {
  type AttackName,
  type LeaderboardRow,
  type SweepDetail,
  usualRankings,
  type Worker,
} from '@funnel/contracts';
import { formatDuration, progressBar } from './output/format.ts';
import type { Output } from './output/terminal.ts';

/** What one sees while a sweep runs: pure text from what the API answers. */

const endedStatuses = new Set(['completed', 'diverged', 'collapsed', 'failed', 'skipped', 'cancelled']);

/** Stages that have endedStatuses, of all. */
export const countStages = ({ stages }: SweepDetail): { readonly done: number; readonly total: number } => ({
  done: stages.reduce((sum, { status, count }) => sum + (endedStatuses.has(status) ? count : 0), 0),
  total: stages.reduce((sum, { count }) => sum + count, 0),
});

const percent = (share: number): string => `${Math.floor(share * 100)} %`.padStart(5);

const progressParts = (sweep: SweepDetail): readonly string[] => {
  const { done, total } = countStages(sweep);
  const { needed } = sweep.plan.epochs;
  return [
    percent(sweep.progress),
    `${done} of ${total} stages`,
    ...(needed > 0 ? [`${sweep.epochsTrained} of ${needed} epochs`] : []),
    ...(sweep.etaSeconds !== null && sweep.status === 'running'
      ? [`about ${formatDuration(sweep.etaSeconds)} left`]
      : []),
    ...(sweep.status === 'running' ? [] : [sweep.status]),
  ];
};

/** `63 % · 5 of 9 stages · 12 of 24 epochs · about 20 s left` */
export const progressSentence = (sweep: SweepDetail): string => progressParts(sweep).join(' · ');

/** As long as its sentence gets: what is laid out by it stands still while numbers grow and shrink. */
const longestSentence = (sweep: SweepDetail): number => {
  const { total } = countStages(sweep);
  const { needed } = sweep.plan.epochs;
  return `100 % · ${total} of ${total} stages · ${needed} of ${needed} epochs · about 59 min 59 s left`
    .length;
};

/** Parts joined by dots, over as many lines as they take. */
const wrapped = (parts: readonly string[], width: number): readonly string[] => {
  const lines: string[] = [];
  for (const part of parts) {
    const joined = `${lines.at(-1)} · ${part}`;
    if (lines.length > 0 && joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(part);
  }
  return lines;
};

const widestBar = 32;
/** Shorter than this a bar says nothing. */
const shortestBar = 8;

/** The sweep in one line where there is room, else its name above its bar, else what is done below them: nothing is cut off. */
const sweepLines = (sweep: SweepDetail, width: number): readonly string[] => {
  const bar = (room: number): string => progressBar(sweep.progress, Math.min(widestBar, room));
  const below = width - longestSentence(sweep) - 1;
  const beside = below - [...sweep.name].length - 2;
  if (beside >= shortestBar) return [`${sweep.name}  ${bar(beside)} ${progressSentence(sweep)}`];
  if (below >= shortestBar) return [sweep.name, `${bar(below)} ${progressSentence(sweep)}`];
  return [sweep.name, bar(width), ...wrapped(progressParts(sweep), width)];
};

const runningLine = (
  { kind, position, epochs, imagesPerSecond }: Worker['running'][number],
  width: number,
): string => {
  const share = epochs > 0 && position ? position.epoch / epochs : 0;
  const where = epochs > 0 ? `epoch ${Math.min(epochs, (position?.epoch ?? 0) + 1)}/${epochs}` : '';
  const speed = imagesPerSecond === null ? '' : `${Math.round(imagesPerSecond)} images/s`;
  return `  ${kind.padEnd(10)} ${epochs > 0 ? progressBar(share, width) : ' '.repeat(width)} ${where.padEnd(12)} ${speed}`.trimEnd();
};

/** Lines of the running sweep, less than `columns` wide: the sweep's bar, then one per running stage of any worker. */
export const progressLines = (
  sweep: SweepDetail,
  workers: readonly Worker[],
  columns: number,
): readonly string[] => {
  const running = workers.filter(({ status }) => status !== 'gone').flatMap((worker) => worker.running);
  const shown = running.slice(0, 8).map((stage) => runningLine(stage, 16));
  const more = running.length > shown.length ? [`  … and ${running.length - shown.length} more stages`] : [];
  return [...sweepLines(sweep, columns - 1), ...shown, ...more];
};

const isOver = ({ status }: SweepDetail): boolean => status === 'completed' || status === 'cancelled';

/** Milliseconds between looks: often on a terminal, where the picture moves; a log gets a line when something ended, or twice a minute. */
const lookMilliseconds = { terminal: 500, log: 1000 };
const quietMilliseconds = 30_000;

/** The API is away, or its database is, or its disk is full: it comes back without being asked to. */
const isPassing = (error: unknown): error is FunnelError =>
  error instanceof FunnelError && (!error.answered || [502, 503, 504, 507].includes(error.status));

/** In a log: a line at the start, whenever stages have ended, and as a sign of life. */
const createLineLog = (output: Output) => {
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

const askBoth = async (
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
  const log = createLineLog(output);
  let away = false;
  for (;;) {
    try {
      const [sweep, workers] = await askBoth(client, id, signal);
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

type SweepRanking = {
  /** Undefined: the worst case over all. */
  readonly attack: AttackName | undefined;
  readonly rows: readonly LeaderboardRow[];
};

/** The ranking of one sweep by its objective, or by what it is usually judged by. */
export const readLeaderboard = async (
  client: Client,
  { id, definition }: SweepDetail,
): Promise<SweepRanking> => {
  const [{ attack, metric }] = usualRankings(definition);
  const { items } = await client.leaderboard({ query: { sweep: id, limit: 1000, attack, metric } });
  return { attack, rows: items };
};
