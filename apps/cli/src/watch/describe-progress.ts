/** What one sees while a sweep runs: pure text from what the API answers. */
import type { SweepDetail, Worker } from '@funnel/contracts';
import { formatDuration } from '../output/duration.ts';
import { progressBar } from '../output/progress-bar.ts';

const ended = new Set(['completed', 'diverged', 'collapsed', 'failed', 'skipped', 'cancelled']);

/** Stages that have ended, of all. */
export const countStages = ({ stages }: SweepDetail): { readonly done: number; readonly total: number } => ({
  done: stages.reduce((sum, { status, count }) => sum + (ended.has(status) ? count : 0), 0),
  total: stages.reduce((sum, { count }) => sum + count, 0),
});

const percent = (share: number): string => `${Math.floor(share * 100)} %`.padStart(5);

/** `63 % · 5 of 9 stages · 12 of 24 epochs · about 20 s left` */
export const progressSentence = (sweep: SweepDetail): string => {
  const { done, total } = countStages(sweep);
  const { needed } = sweep.plan.epochs;
  const parts = [
    `${done} of ${total} stages`,
    ...(needed > 0 ? [`${sweep.epochsTrained} of ${needed} epochs`] : []),
    ...(sweep.etaSeconds !== null && sweep.status === 'running'
      ? [`about ${formatDuration(sweep.etaSeconds)} left`]
      : []),
    ...(sweep.status === 'running' ? [] : [sweep.status]),
  ];
  return `${percent(sweep.progress)} · ${parts.join(' · ')}`;
};

const runningLine = (
  { kind, position, epochs, imagesPerSecond }: Worker['running'][number],
  width: number,
): string => {
  const share = epochs > 0 && position ? position.epoch / epochs : 0;
  const where = epochs > 0 ? `epoch ${(position?.epoch ?? 0) + 1}/${epochs}` : '';
  const speed = imagesPerSecond === null ? '' : `${Math.round(imagesPerSecond)} images/s`;
  return `  ${kind.padEnd(10)} ${epochs > 0 ? progressBar(share, width) : ' '.repeat(width)} ${where.padEnd(12)} ${speed}`.trimEnd();
};

/** Lines of the running sweep, at most `columns` wide: the sweep's bar, then one per running stage of any worker. */
export const progressLines = (
  sweep: SweepDetail,
  workers: readonly Worker[],
  columns: number,
): readonly string[] => {
  const bar = Math.max(8, Math.min(32, columns - 60));
  const running = workers.filter(({ status }) => status !== 'gone').flatMap((worker) => worker.running);
  const shown = running.slice(0, 8).map((stage) => runningLine(stage, 16));
  const more = running.length > shown.length ? [`  … and ${running.length - shown.length} more stages`] : [];
  return [`${sweep.name}  ${progressBar(sweep.progress, bar)} ${progressSentence(sweep)}`, ...shown, ...more];
};
