/** What the other seeds of a trial's configuration say. */
import { ranksBelow, type Trial, type TrialVerdict, verdictText, worstTrialVerdict } from '@funnel/contracts';

const pointOf = ({ hyperparameters }: Trial): string =>
  JSON.stringify(Object.entries(hyperparameters).sort(([a], [b]) => (a < b ? -1 : 1)));

/** The other trials of the same recipe, hyperparameters and rung. */
const otherSeeds = (trial: Trial, trials: readonly Trial[]): readonly Trial[] => {
  const point = pointOf(trial);
  return trials.filter(
    (other) =>
      other.number !== trial.number &&
      other.recipe === trial.recipe &&
      other.rung === trial.rung &&
      pointOf(other) === point,
  );
};

/**
 * Why a configuration ranks below although this trial of it does not: the worst verdict of its other seeds. Null where the trial itself ranks
 * below, and where no seed does.
 */
const belowBySeed = (trial: Trial, trials: readonly Trial[]): TrialVerdict | null => {
  if (trial.verdict !== null && ranksBelow(trial.verdict)) return null;
  // Few trials rank below, so few points are compared.
  const below = trials.filter(({ verdict }) => verdict !== null && ranksBelow(verdict));
  const verdicts = otherSeeds(trial, below).flatMap(({ verdict }) => verdict ?? []);
  return verdicts.length === 0 ? null : worstTrialVerdict(verdicts);
};

/** `its configuration ranks below: another seed is masked`; null where it does not. */
export const belowBySeedText = (trial: Trial, trials: readonly Trial[]): string | null => {
  const verdict = belowBySeed(trial, trials);
  if (verdict === null) return null;
  const state = verdict === 'too-few' ? 'has too few images' : `is ${verdictText(verdict)}`;
  return `its configuration ranks below: another seed ${state}`;
};
