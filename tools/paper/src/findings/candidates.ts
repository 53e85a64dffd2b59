/**
 * The configurations of a search beyond the paper, with the median of the smallest change that any attack found (L2, image by image, failures as
 * infinity), beside that of the classic auto-encoder.
 */
import { mean, median } from '@funnel/attacks/statistics';
import { ranksBelow, readExtended, type TrialVerdict, worstTrialVerdict } from '@funnel/contracts';
import { type Configuration, configurationsOf } from '../measured.ts';
import type { SweepResults } from '../results.ts';
import { welch } from './effects.ts';

export type Candidate = {
  readonly configuration: Configuration;
  /** The median L2 of each seed. */
  readonly medians: readonly number[];
  /** The median over seeds. */
  readonly medianL2: number;
  readonly cleanAccuracy: number;
  /** The worst over seeds. */
  readonly verdict: TrialVerdict;
};

/** The trials that ran all epochs and all attacks: those of the highest rung. */
const atTheTop = ({ results }: SweepResults): SweepResults['results'] => {
  const top = Math.max(...results.map(({ trial }) => trial.rung ?? 0));
  return results.filter(({ trial }) => (trial.rung ?? 0) === top);
};

/** Leaves out configurations of which a seed has no value. */
export const candidatesOf = (sweeps: readonly SweepResults[]): readonly Candidate[] => {
  const results = sweeps.flatMap(atTheTop);
  const trials = new Map(results.map(({ trial }) => [trial.id, trial]));
  return configurationsOf(results).flatMap((configuration) => {
    const own = configuration.trials.map((id) => trials.get(id)!);
    const medians = own.flatMap(({ worstCase }) => readExtended(worstCase?.values.medianL2 ?? null) ?? []);
    const [medianL2, cleanAccuracy] = [
      median(medians),
      mean(own.flatMap((trial) => trial.cleanAccuracy ?? [])),
    ];
    if (medians.length < own.length || medianL2 === null || cleanAccuracy === null) return [];
    const verdict = worstTrialVerdict(own.flatMap((trial) => trial.verdict ?? []));
    return [{ configuration, medians, medianL2, cleanAccuracy, verdict }];
  });
};

/** ∞ − ∞ is no number, so infinities are compared and not subtracted. */
export const compare = (a: number, b: number): number => Number(a > b) - Number(a < b);

/** The classic auto-encoder that is the hardest to beat, of those whose numbers say something if there are any. */
export const referenceOf = (candidates: readonly Candidate[]): Candidate | undefined =>
  candidates
    .filter(({ configuration }) => configuration.recipe === 'classic')
    .toSorted(
      (a, b) =>
        Number(ranksBelow(a.verdict)) - Number(ranksBelow(b.verdict)) || compare(b.medianL2, a.medianL2),
    )[0];

export type Ratio = {
  readonly value: number;
  /** 95 %, over the seeds. Null for one seed, and for an infinite median. */
  readonly interval: readonly [number, number] | null;
};

/**
 * The ratio of the geometric means over seeds. Its interval is Welch's for the difference of the logarithms, so seeds are the sample, and not
 * images. An infinite or zero median makes it the plain ratio of the medians. Null if the other median is infinite or zero.
 */
export const ratioOf = (ours: Candidate, base: Candidate): Ratio | null => {
  if (!Number.isFinite(base.medianL2) || base.medianL2 === 0) return null;
  const usable = [...ours.medians, ...base.medians].every((value) => Number.isFinite(value) && value > 0);
  const difference = usable ? welch(ours.medians.map(Math.log), base.medians.map(Math.log)) : null;
  if (difference === null) return { value: ours.medianL2 / base.medianL2, interval: null };
  const { mean: centre, halfWidth } = difference;
  return {
    value: Math.exp(centre),
    interval: halfWidth === null ? null : [Math.exp(centre - halfWidth), Math.exp(centre + halfWidth)],
  };
};
