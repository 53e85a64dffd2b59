/** How sure the distances of one evaluation are. The leaderboard has the same rules, in SQL, and also those for several seeds. */
import type { EvaluationRecords, EvaluationSummary } from './attacks/evaluation.ts';
import { type ExtendedNumber, readExtended, writeExtended } from './json.ts';
import type { DistanceIntervals } from './resources/trials.ts';
import { type Interval, meanAndError, medianRanks, reachingTo } from './statistics.ts';
import { studentT975 } from './student-t.ts';

/** `found`: the distances of the attacked images that have one. The others are at an infinite distance. */
const medianInterval = (found: readonly number[], attempted: number): Interval | null => {
  const ranks = medianRanks(attempted);
  if (ranks === null) return null;
  const sorted = [...found].sort((a, b) => a - b);
  const [low, high] = ranks.map((rank) => sorted[rank - 1] ?? Number.POSITIVE_INFINITY);
  return [low!, high!];
};

const meanInterval = (values: readonly number[]): Interval | null => {
  if (values.length < 2) return null;
  const { mean, error } = meanAndError(values);
  const half = studentT975(values.length - 1) * error;
  return [Math.max(0, mean - half), mean + half];
};

/** Reaches to the value: that of an even number of images lies between two of them. */
const written = (
  interval: Interval | null,
  value: ExtendedNumber | null,
): DistanceIntervals[keyof DistanceIntervals] => {
  const reached = readExtended(value);
  if (interval === null || reached === null) return null;
  const [low, high] = reachingTo(interval, reached);
  return [writeExtended(low), writeExtended(high)];
};

export const distanceIntervals = ({
  summary: { attempted, medianL2, medianLinf, noiseLevel },
  records,
}: {
  readonly summary: Pick<EvaluationSummary, 'attempted' | 'medianL2' | 'medianLinf' | 'noiseLevel'>;
  readonly records: Pick<EvaluationRecords, 'success' | 'l2' | 'linf'>;
}): DistanceIntervals => {
  const ofMedian = (distances: readonly (number | null)[]): Interval | null =>
    medianInterval(
      distances.flatMap((distance) => distance ?? []),
      attempted,
    );
  const fooled = records.l2.flatMap((distance, row) => (records.success[row] ? (distance ?? []) : []));
  return {
    medianL2: written(ofMedian(records.l2), medianL2),
    medianLinf: written(ofMedian(records.linf), medianLinf),
    noiseLevel: written(meanInterval(fooled), noiseLevel),
  };
};
