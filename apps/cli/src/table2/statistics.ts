/** Numbers over seeds. */
import { mean, median, wilsonInterval } from '@funnel/attacks/statistics';
import { type EvaluationSummary, readExtended } from '@funnel/contracts';
import { halfWidth } from '@funnel/db/student-t';
import type { Printed } from './printed.ts';

const deviation = (values: readonly number[]): number | null => {
  if (values.length < 2) return null;
  const centre = mean(values)!;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
};

/** Mean over seeds and half the width of its 95 % interval (Student's t); the latter null for one seed. */
export type Estimate = {
  readonly mean: number;
  readonly halfWidth: number | null;
  readonly count: number;
};

/** Null without values. */
export const estimate = (values: readonly number[]): Estimate | null => {
  const centre = mean(values);
  return centre === null
    ? null
    : { mean: centre, halfWidth: halfWidth(values.length, deviation(values)), count: values.length };
};

/** One row of one configuration: an attack on every seed's network. Shares in [0, 1]. */
export type Measured = {
  readonly success: Estimate;
  /** Images attacked, all seeds together. */
  readonly attempted: number;
  /** 95 % Wilson interval of all seeds' images together. */
  readonly pooled: readonly [number, number];
  /** Mean L2 over successes; null where no seed had any. */
  readonly noise: Estimate | null;
  /** Mean L2 over all attacked images, failures as 0. */
  readonly noiseAll: Estimate | null;
  /** Median over seeds of the median L2 with failures as infinity. */
  readonly medianL2: number;
  readonly meanSteps: number | null;
  /** Each seed's median L2. */
  readonly medians: ReadonlyMap<number, number>;
};

const present = (values: readonly (number | null)[]): number[] =>
  values.filter((value): value is number => value !== null);

/** Null where no image was attacked: a network that errs on all of them has nothing to be fooled on. */
export const measure = (bySeed: ReadonlyMap<number, EvaluationSummary>): Measured | null => {
  const tried = [...bySeed].filter(([, { attempted }]) => attempted > 0);
  const summaries = tried.map(([, summary]) => summary);
  const success = estimate(summaries.map(({ successRate }) => successRate));
  if (success === null) return null;
  const total = (of: (summary: EvaluationSummary) => number) =>
    summaries.reduce((sum, summary) => sum + of(summary), 0);
  const attempted = total((summary) => summary.attempted);
  // Null only where nothing was attempted, and those seeds are left out.
  const medians = tried.map(([seed, { medianL2 }]) => [seed, readExtended(medianL2)!] as const);
  return {
    success,
    attempted,
    pooled: wilsonInterval(
      total(({ successes }) => successes),
      attempted,
    ),
    noise: estimate(present(summaries.map(({ noiseLevel }) => noiseLevel))),
    noiseAll: estimate(present(summaries.map(({ noiseLevelAll }) => noiseLevelAll))),
    medianL2: median(medians.map(([, value]) => value))!,
    medians: new Map(medians),
    meanSteps: mean(present(summaries.map(({ meanSteps }) => meanSteps))),
  };
};

/** Whether a printed noise level lies within the interval over seeds; false where there is none. */
export const noiseAgrees = (printed: number, { noise }: Measured): boolean =>
  noise !== null && Math.abs(printed - noise.mean) <= (noise.halfWidth ?? 0) + 0.005;

/** “Near 100 %” is at least this. */
const nearlyAll = 0.95;

/** Whether a printed percentage lies within the interval over seeds, or within that of the images. */
export const agrees = (printed: Printed, { success, pooled }: Measured): boolean => {
  if (printed.near) return success.mean >= nearlyAll;
  const share = printed.success / 100;
  const printing = 0.5e-4; // rounded to two decimals of a per cent
  const within = (low: number, high: number) => share >= low - printing && share <= high + printing;
  const half = success.halfWidth ?? 0;
  return within(success.mean - half, success.mean + half) || within(...pooled);
};
