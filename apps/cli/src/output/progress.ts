/** The progress of work that takes more than two seconds. */
import { formatDuration, formatRoughDuration } from '@funnel/contracts';
import type { Output } from './terminal.ts';

/** On a terminal, one line that changes in place: what runs, how much is finished, and the time left. `clock`: now in ms. */
export const createProgress = (output: Output, unit = '', clock = () => performance.now()) => {
  let started = clock();
  return {
    draw: (what: string, { done, total }: { readonly done: number; readonly total: number }): void => {
      const elapsed = clock() - started;
      if (output.columns() === null || elapsed < 2000 || done === 0 || done === total) return;
      const left = formatRoughDuration(((elapsed / done) * (total - done)) / 1000);
      output.draw([`${what}: ${done} of ${total}${unit && ` ${unit}`} · ${left} left`]);
    },
    /** Removes the line, returns how long the work took in words, and starts anew. */
    end: (): string => {
      if (output.columns() !== null) output.draw([]);
      const elapsed = clock() - started;
      started = clock();
      return formatDuration(elapsed / 1000);
    },
  };
};
