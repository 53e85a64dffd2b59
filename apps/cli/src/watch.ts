/** Shows the progress of a sweep until its end: the lines of text, and the loop that asks the API. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, FunnelError } from '@funnel/client';
import {
  type EvaluationMetricName,
  epochsOf,
  formatSpeed,
  type SearchState,
  type SweepDetail,
  type SweepStatus,
  statusText,
  usualRankings,
  type Worker,
} from '@funnel/contracts';
import { orByDistance, type Ranked } from './commands/leaderboard.ts';
import { formatProgress, progressBar } from './output/format.ts';
import { bestText, searchLines } from './output/search.ts';
import { describeWaits, leftTexts } from './output/sweeps.ts';
import type { Output } from './output/terminal.ts';
import { cutToWidth, displayWidth } from './output/width.ts';

const endedStatuses = new Set(['completed', 'diverged', 'collapsed', 'failed', 'skipped', 'cancelled']);

/** `done`: stages that have ended. */
export const countStages = ({ stages }: SweepDetail): { readonly done: number; readonly total: number } => ({
  done: stages.reduce((sum, { status, count }) => sum + (endedStatuses.has(status) ? count : 0), 0),
  total: stages.reduce((sum, { count }) => sum + count, 0),
});

const percent = (share: number): string => formatProgress(share).padStart(6);

const keptStatuses = new Set(['completed', 'diverged', 'collapsed']);

/** `86.1 % · cancelled · kept: 61 of 74 stages, 42 of 58 epochs` */
const cancelledParts = (sweep: SweepDetail): readonly string[] => {
  const { stages } = sweep;
  const kept = stages.reduce((sum, { status, count }) => sum + (keptStatuses.has(status) ? count : 0), 0);
  const { done, total: needed } = epochsOf(sweep);
  const epochs = needed > 0 ? `, ${done} of ${needed} epochs` : '';
  return [
    percent(sweep.progress),
    statusText(sweep.status),
    `kept: ${kept} of ${countStages(sweep).total} stages${epochs}`,
  ];
};

const progressParts = (sweep: SweepDetail): readonly string[] => {
  if (sweep.status === 'cancelled') return cancelledParts(sweep);
  const { done, total } = countStages(sweep);
  const epochs = epochsOf(sweep);
  return [
    percent(sweep.progress),
    `${done} of ${total} stages`,
    ...(epochs.total > 0 ? [`${epochs.done} of ${epochs.total} epochs`] : []),
    ...(sweep.status === 'running' ? leftTexts(sweep) : [statusText(sweep.status)]),
  ];
};

/** `63.0 % · 5 of 9 stages · 12 of 24 epochs · about 20 s left` */
export const progressSentence = (sweep: SweepDetail): string => progressParts(sweep).join(' · ');

/** The length of the longest sentence of this sweep. The layout uses this length, so it does not move while the numbers change. */
const longestSentence = (sweep: SweepDetail): number => {
  const { total } = countStages(sweep);
  const { needed } = sweep.plan.epochs;
  const behind = leftTexts({ ...sweep, etaSeconds: null }).map((text) => ` · ${text}`);
  return `99.9 % · ${total} of ${total} stages · ${needed} of ${needed} epochs · about 23 h 59 min left${behind.join('')}`
    .length;
};

/** Joins the parts with ` · `, on as many lines as they need. */
const wrap = (parts: readonly string[], width: number): readonly string[] => {
  const lines: string[] = [];
  for (const part of parts) {
    const joined = `${lines.at(-1)} · ${part}`;
    if (lines.length > 0 && joined.length <= width) lines[lines.length - 1] = joined;
    else lines.push(part);
  }
  return lines;
};

const widestBar = 32;
/** A shorter bar could not show the progress. */
const shortestBar = 8;

/**
 * Name, bar and sentence on one line. If they do not fit, the name has its own line. If bar and sentence do not fit on one line either,
 * each has its own.
 */
const sweepLines = (sweep: SweepDetail, width: number): readonly string[] => {
  const bar = (room: number): string => progressBar(sweep.progress, Math.min(widestBar, room));
  const besideSentence = width - longestSentence(sweep) - 1;
  const besideName = besideSentence - displayWidth(sweep.name) - 2;
  if (besideName >= shortestBar) return [`${sweep.name}  ${bar(besideName)} ${progressSentence(sweep)}`];
  if (besideSentence >= shortestBar) return [sweep.name, `${bar(besideSentence)} ${progressSentence(sweep)}`];
  return [sweep.name, bar(width), ...wrap(progressParts(sweep), width)];
};

/** Why the sweep does not go on: the command that resumes a paused sweep, or what its stages wait for. */
const stopLines = (sweep: SweepDetail, width = Number.POSITIVE_INFINITY): readonly string[] =>
  sweep.status === 'pausing' || sweep.status === 'paused'
    ? [`  \`npx funnel resume ${sweep.id}\` goes on`]
    : describeWaits(sweep).map((line) => cutToWidth(`  ${line}`, width));

const runningLine = (
  { kind, position, epochs, imagesPerSecond }: Worker['running'][number],
  width: number,
): string => {
  const share = epochs > 0 && position ? position.epoch / epochs : 0;
  const epoch = epochs > 0 ? `epoch ${Math.min(epochs, (position?.epoch ?? 0) + 1)}/${epochs}` : '';
  const speed = imagesPerSecond ? `${formatSpeed(imagesPerSecond)} images/s` : '';
  return `  ${kind.padEnd(10)} ${epochs > 0 ? progressBar(share, width) : ' '.repeat(width)} ${epoch.padEnd(12)} ${speed}`.trimEnd();
};

/** Null for a sweep whose trials are all known beforehand. */
type Search = SearchState | null;

/** Lines narrower than `columns`: the sweep, its search, then each stage that a worker runs, whichever sweep it belongs to. */
export const progressLines = (
  sweep: SweepDetail,
  workers: readonly Worker[],
  columns: number,
  search: Search = null,
): readonly string[] => {
  const running = workers.filter(({ status }) => status !== 'gone').flatMap((worker) => worker.running);
  const shown = running.slice(0, 8).map((stage) => runningLine(stage, 16));
  const more = running.length > shown.length ? [`  … and ${running.length - shown.length} more stages`] : [];
  const found = search ? searchLines(search).map((line) => cutToWidth(line, columns - 1)) : [];
  return [...sweepLines(sweep, columns - 1), ...found, ...stopLines(sweep, columns - 1), ...shown, ...more];
};

const goesOn: readonly SweepStatus[] = ['running', 'pausing', 'paused', 'retrying', 'cancelling'];
const isOver = ({ status }: SweepDetail): boolean => !goesOn.includes(status);

/** Milliseconds between two requests. A terminal shows every answer. */
const pollMs = { terminal: 500, log: 1000 };
/**
 * A log gets a line when the status has changed and at the end. In between it gets one when stages have ended, but not sooner than after
 * `minGapMs`, and at least one in `maxQuietMs`.
 */
const minGapMs = 10_000;
const maxQuietMs = 60_000;

/** The API or its database does not answer, it has too many requests, or the disk is full. Waiting helps. */
const isTemporary = (error: unknown): error is FunnelError =>
  error instanceof FunnelError && (!error.answered || [429, 502, 503, 504, 507].includes(error.status));

const pauseMs = 1000;

/** Asks until the API answers, however long it is away. Tells the user once that it waits, and once that the API is back. */
export const untilAnswered = async <T>(
  ask: () => Promise<T>,
  output: Output,
  signal: AbortSignal,
): Promise<T> => {
  for (let isAway = false; ; isAway = true) {
    try {
      const answer = await ask();
      if (isAway) output.note('The API answers again.');
      return answer;
    } catch (error) {
      if (signal.aborted || !isTemporary(error)) throw error;
      if (!isAway) output.note(`${error.message}. Waiting for it to come back …`);
    }
    await sleep(pauseMs, undefined, { signal });
  }
};

/** Writes the progress to an output that is not a terminal. */
const createProgressLog = (output: Output) => {
  let done = -1;
  let status: SweepStatus = 'running';
  let said = '';
  let best: string | null = null;
  let loggedAt = 0;
  return (sweep: SweepDetail, search: Search): void => {
    const found = search && bestText(search);
    if (found !== null && found !== best) output.note(`${sweep.name} best so far: ${found}`);
    best = found;
    const now = performance.now();
    const stop = stopLines(sweep);
    const isNew = sweep.status !== status || stop.join() !== said;
    const quiet = countStages(sweep).done === done ? maxQuietMs : minGapMs;
    if (!isNew && !isOver(sweep) && now - loggedAt < quiet) return;
    done = countStages(sweep).done;
    loggedAt = now;
    output.note(`${sweep.name} ${progressSentence(sweep)}`);
    status = sweep.status;
    said = stop.join();
    if (isNew) for (const line of stop) output.note(line);
  };
};

type Progress = {
  readonly sweep: SweepDetail;
  readonly workers: readonly Worker[];
  readonly search: Search;
};

/** Asks for the search only when its sweep has another number of configurations, or when another trial has ended. */
const createProgressReader = (client: Client, id: string, signal: AbortSignal) => {
  let search: Search = null;
  let asked = '';
  return async (): Promise<Progress> => {
    const [sweep, { items }] = await Promise.all([
      client.getSweep({ params: { id } }, { signal }),
      client.listWorkers({}, { signal }),
    ]);
    const state = JSON.stringify([sweep.search, sweep.trials]);
    if (sweep.search && state !== asked) search = await client.getSearch({ params: { id } }, { signal });
    asked = state;
    return { sweep, workers: items, search };
  };
};

/**
 * Shows the progress of a sweep until the sweep has ended, then returns the sweep. If the API does not answer, it waits; the next answer
 * has the current state. Throws an AbortError when `signal` is aborted.
 */
export const watchSweep = async (
  client: Client,
  id: string,
  output: Output,
  signal: AbortSignal,
): Promise<SweepDetail> => {
  const log = createProgressLog(output);
  const read = createProgressReader(client, id, signal);
  for (;;) {
    const { sweep, workers, search } = await untilAnswered(read, output, signal);
    const columns = output.columns();
    if (columns === null) log(sweep, search);
    else output.draw(progressLines(sweep, workers, columns, search));
    if (isOver(sweep)) return sweep;
    await sleep(columns === null ? pollMs.log : pollMs.terminal, undefined, { signal });
  }
};

const maxRows = 1000;

/**
 * The best configurations of a sweep, ranked by its objective, or by the usual ranking when it has none; as `funnel best` does, by a distance
 * when robust accuracies tell nothing. `output`: says so.
 */
export const readLeaderboard = async (
  client: Client,
  { id, definition }: SweepDetail,
  output: Output,
): Promise<Ranked> => {
  const [{ attack, metric }] = usualRankings(definition);
  const read = async (by: EvaluationMetricName): Promise<Ranked> => {
    const { items, next, ...notes } = await client.leaderboard({
      query: { sweep: id, group: 'configuration', limit: maxRows, attack, metric: by },
    });
    return { attack, rows: items, isComplete: next === null, notes };
  };
  return orByDistance(await read(metric), read, output);
};
