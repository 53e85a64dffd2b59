/**
 * The outcome of a unit, the trials of one configuration at a rung: pending until all of them have ended, bad, or measured with the mean of each
 * objective over the seeds.
 */
import {
  criterionTitle,
  isWorse,
  meanOf,
  type ResolvedConstraint,
  type ResolvedObjective,
  type SweepDefinition,
  type TrialVerdict,
  varianceOfMean,
  worstTrialVerdict,
} from '@funnel/contracts';
import type { RecordedDecision, SearchRecord, UnitTrial } from '@funnel/db';
import type { Decision, Decisions, Outcome } from '@funnel/search';
import { decidedSearchOf } from './decided-search.ts';
import { searchCriteriaOf } from './wanted-values.ts';

export type UnitOutcome =
  | { readonly status: 'pending' }
  /** `values`: as far as there are any. `reason`: a sentence for people. */
  | { readonly status: 'bad'; readonly values: readonly (number | null)[]; readonly reason: string }
  /** `values`: of each objective. `variances`: of these means; absent for one seed, or where a value is infinite. */
  | {
      readonly status: 'measured';
      readonly values: readonly number[];
      readonly variances?: readonly number[];
    };

/** The values at a place of all seeds; null if one of them is missing. */
const valuesAt = (trials: readonly UnitTrial[], place: number): readonly number[] | null => {
  const values = trials.flatMap(({ values }) => values[place] ?? []);
  return values.length === trials.length ? values : null;
};

/** `2 of 3 trials diverged`; `the trial failed` for one seed. Null if all completed. */
const describeEnds = (trials: readonly UnitTrial[]): string | null => {
  const ends = (['failed', 'diverged', 'collapsed', 'cancelled'] as const).flatMap((status) => {
    const count = trials.filter((trial) => trial.status === status).length;
    if (count === 0) return [];
    const text = status === 'cancelled' ? 'was cancelled' : status;
    if (trials.length === 1) return [`the trial ${text}`];
    return [`${count} of ${trials.length} trials ${status === 'cancelled' ? 'were cancelled' : status}`];
  });
  return ends.length > 0 ? ends.join(', ') : null;
};

const holds: Readonly<Record<'>=' | '<=' | '>' | '<', (value: number, bound: number) => boolean>> = {
  '>=': (value, bound) => value >= bound,
  '<=': (value, bound) => value <= bound,
  '>': (value, bound) => value > bound,
  '<': (value, bound) => value < bound,
};

/** Null before the first evaluation of every trial. */
const verdictOf = (trials: readonly UnitTrial[]): TrialVerdict | null => {
  const verdicts = trials.flatMap(({ verdict }) => verdict ?? []);
  return verdicts.length === 0 ? null : worstTrialVerdict(verdicts);
};

/**
 * Why the unit violates the constraint; null if it meets it. `place`: of the values of a metric. A verdict that is even worse than the one that
 * must not be violates the constraint too.
 */
const violationOf = (
  constraint: ResolvedConstraint,
  place: number,
  trials: readonly UnitTrial[],
): string | null => {
  if (constraint.kind === 'verdict') {
    const worst = verdictOf(trials);
    return worst !== null && !isWorse(constraint.not, worst)
      ? `the verdict is ${worst}, but the constraint is ${constraint.text}`
      : null;
  }
  const values = valuesAt(trials, place);
  if (!values) return `${criterionTitle(constraint)} has no value, but the constraint is ${constraint.text}`;
  const mean = meanOf(values);
  return holds[constraint.operator](mean, constraint.bound)
    ? null
    : `${criterionTitle(constraint)} is ${Number(mean.toPrecision(6))}, but the constraint is ${constraint.text}`;
};

const isOfAttack = ({ run, metric }: ResolvedObjective): boolean =>
  run !== undefined || metric !== 'cleanAccuracy';

/** Returns the function from the trials of a unit, by seed, to its outcome. */
export const createOutcomeOf = (
  definition: SweepDefinition,
): ((trials: readonly UnitTrial[]) => UnitOutcome) => {
  const { objectives, constraints } = searchCriteriaOf(definition);
  const refusesMasked = decidedSearchOf(definition).masked === 'bad' && objectives.some(isOfAttack);
  let next = objectives.length;
  const placed = constraints.map((constraint) => ({
    constraint,
    place: constraint.kind === 'metric' ? next++ : -1,
  }));

  /** Why a unit whose trials have ended is bad; null if it is good. */
  const reasonOf = (trials: readonly UnitTrial[]): string | null => {
    const ends = describeEnds(trials);
    if (ends !== null) return ends;
    const missing = objectives.find((_, place) => valuesAt(trials, place) === null);
    if (missing) return `${criterionTitle(missing)} has no value`;
    const verdict = refusesMasked ? verdictOf(trials) : null;
    if (verdict === 'masked') return 'its gradients are masked';
    if (verdict === 'untrained') return 'it is untrained';
    for (const { constraint, place } of placed) {
      const violation = violationOf(constraint, place, trials);
      if (violation !== null) return violation;
    }
    return null;
  };

  return (trials) => {
    if (trials.length === 0 || trials.some(({ status }) => status === 'waiting' || status === 'running'))
      return { status: 'pending' };
    const bySeed = objectives.map((_, place) => valuesAt(trials, place));
    const reason = reasonOf(trials);
    if (reason !== null)
      return { status: 'bad', values: bySeed.map((values) => values && meanOf(values)), reason };
    const complete = bySeed as readonly (readonly number[])[]; // a missing value is a reason
    const isNoise = trials.length > 1 && complete.every((values) => values.every(Number.isFinite));
    return {
      status: 'measured',
      values: complete.map(meanOf),
      ...(isNoise && { variances: complete.map(varianceOfMean) }),
    };
  };
};

/** An outcome as the search reads it: more is better. */
export const utilitiesOf = (
  outcome: UnitOutcome,
  objectives: readonly Pick<ResolvedObjective, 'direction'>[],
): Outcome => {
  if (outcome.status !== 'measured') return { status: outcome.status };
  const { values, variances } = outcome;
  return {
    status: 'measured',
    utilities: values.map((value, place) => (objectives[place]!.direction === 'max' ? value : -value)),
    ...(variances && { variances }),
  };
};

/** The decisions of a search, each at its number, with their outcomes. */
export const outcomesOf = ({
  definition,
  decisions,
}: Pick<SearchRecord, 'definition' | 'decisions'>): Decisions => {
  const outcomeOf = createOutcomeOf(definition);
  const { objectives } = searchCriteriaOf(definition);
  const list: (Decision | undefined)[] = [];
  for (const {
    number,
    configuration,
    point,
    rung,
    newEpochs,
    trials,
  } of decisions as readonly RecordedDecision[])
    list[number] =
      configuration === null || point === null || rung === null
        ? { kind: 'empty' }
        : {
            kind: 'unit',
            configuration,
            point,
            rung,
            newEpochs,
            outcome: utilitiesOf(outcomeOf(trials), objectives),
          };
  return list;
};
