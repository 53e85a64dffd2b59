/** From per-image records to the numbers of a report. */
import {
  type EvaluationRecords,
  type EvaluationSummary,
  type ExtendedNumber,
  writeExtended,
} from '@funnel/contracts';
import { mean, median, wilsonInterval } from './statistics.ts';

/**
 * Only images classified correctly when clean are attacked, so they alone are the denominator of the success rate.
 * `width` is the number of values of an image, for the mean squared error. `rejected`: images that a defence rejected when clean, and
 * attacked ones whose candidate it rejected; absent where it rejects nothing.
 */
export const summarise = (
  records: EvaluationRecords,
  width: number,
  rejected?: { readonly clean: number; readonly attacked: number },
): EvaluationSummary => {
  const images = records.index.length;
  const attacked = records.index.map((_, i) => i).filter((i) => records.correct[i]);
  const fooled = attacked.filter((i) => records.success[i]);
  const attempted = attacked.length;
  const successes = fooled.length;
  const l2 = fooled.map((i) => records.l2[i]!);
  const minimal = (column: readonly (number | null)[]): ExtendedNumber | null => {
    const value = median(attacked.map((i) => column[i] ?? Number.POSITIVE_INFINITY));
    return value === null ? null : writeExtended(value);
  };
  return {
    images,
    attempted,
    cleanAccuracy: images === 0 ? 0 : attempted / images,
    cleanInterval: wilsonInterval(attempted, images),
    successes,
    successRate: attempted === 0 ? 0 : successes / attempted,
    successInterval: wilsonInterval(successes, attempted),
    robustAccuracy: images === 0 ? 0 : (attempted - successes) / images,
    robustInterval: wilsonInterval(attempted - successes, images),
    noiseLevel: mean(l2),
    noiseLevelAll: mean(attacked.map((i) => records.l2[i] ?? 0)),
    meanSquaredError: mean(l2.map((norm) => (norm * norm) / width)),
    medianL2Success: median(l2),
    medianL2: minimal(records.l2),
    medianLinf: minimal(records.linf),
    medianL0: minimal(records.l0),
    meanQueries: mean(attacked.map((i) => records.queries[i]!)),
    meanSteps: mean(attacked.map((i) => records.steps[i]!)),
    ...(rejected && {
      rejectedClean: images === 0 ? 0 : rejected.clean / images,
      rejectedAttacked: attempted === 0 ? 0 : rejected.attacked / attempted,
    }),
  };
};
