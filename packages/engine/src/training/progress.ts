import type { Position } from '@funnel/contracts';

export type Progress = {
  /** Position, with the steps that an epoch has. */
  readonly position: Position;
  readonly steps: number;
  /** Since the last report. */
  readonly imagesPerSecond: number;
};

const everyMilliseconds = 250;

/** Counts images and reports now and then. */
export const createProgress = (steps: number, report: ((progress: Progress) => void) | undefined) => {
  let images = 0;
  let since = performance.now();
  return {
    trained: (position: Position, count: number): void => {
      images += count;
      const elapsed = performance.now() - since;
      if (elapsed < everyMilliseconds) return;
      report?.({ position, steps, imagesPerSecond: (1000 * images) / elapsed });
      images = 0;
      since = performance.now();
    },
  };
};
