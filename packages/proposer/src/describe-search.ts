/** The state of a search for people: its rungs, and the best so far or the Pareto front. */
import {
  evaluationMetrics,
  type ResolvedObjective,
  type SearchState,
  writeExtended,
} from '@funnel/contracts';
import type { SearchRecord } from '@funnel/db';
import { finiteUtilities, growingHypervolume, paretoFront } from '@funnel/search';
import { rungEpochsOf } from './decided-search.ts';
import { highestMeasured, type MeasuredUnit, unitsOf } from './ended-units.ts';
import { searchCriteriaOf } from './wanted-values.ts';

/** `Robust accuracy (pgd-linf)`. */
const titleOf = ({ run, metric }: ResolvedObjective): string => {
  const { title } = evaluationMetrics[metric];
  if (run) return `${title} (${run.attack})`;
  return metric === 'cleanAccuracy' ? title : `${title} (worst case)`;
};

type Best = SearchState['front'][number];

const describeUnit = ({ number, result: { values } }: MeasuredUnit): Best => ({
  decision: number,
  values: values.map(writeExtended),
});

/** Ties: the lower number. */
const bestOf = (units: readonly MeasuredUnit[]): MeasuredUnit | undefined =>
  units.reduce<MeasuredUnit | undefined>(
    (best, unit) => (best && best.outcome.utilities[0]! >= unit.outcome.utilities[0]! ? best : unit),
    undefined,
  );

/** The time for more units of more than two objectives would be seconds. */
const maxUnits = 1000;

/** The volume of the Pareto front over the decisions, above the worst finite value of each objective. */
const describeVolume = (
  units: readonly MeasuredUnit[],
  objectives: readonly ResolvedObjective[],
): SearchState['hypervolume'] => {
  const isLong = objectives.length > 2 && units.length > maxUnits;
  if (objectives.length === 1 || units.length === 0 || isLong) return null;
  const utilities = finiteUtilities(units);
  const worst = objectives.map((_, place) => Math.min(...utilities.map((each) => each[place]!)));
  const volumes = growingHypervolume(utilities, worst);
  return {
    reference: worst.map((utility, place) => (objectives[place]!.direction === 'max' ? utility : -utility)),
    overDecisions: volumes.flatMap((value, at) =>
      value > (volumes[at - 1] ?? 0) ? [{ decision: units[at]!.number, value }] : [],
    ),
  };
};

export const describeSearch = (sweepId: string, record: SearchRecord): SearchState => {
  const { definition, configurations, decisions, earlier, handPoints, ended } = record;
  const { objectives } = searchCriteriaOf(definition);
  const units = unitsOf(record);
  const highest = highestMeasured(record, units);
  const isSingle = objectives.length === 1;
  const best = isSingle ? bestOf(highest) : undefined;
  return {
    sweepId,
    ended,
    configurations,
    proposed: units.filter(({ number, configuration }) => number === configuration).length,
    decisions: decisions.length,
    rungs: rungEpochsOf(definition).map((epochs, at) => {
      const here = units.filter(({ rung }) => rung === at);
      return {
        epochs,
        units: here.length,
        ended: here.filter(({ result }) => result.status !== 'pending').length,
      };
    }),
    objectives: objectives.map((objective) => ({
      title: titleOf(objective),
      attack: objective.run?.attack ?? null,
      metric: objective.metric,
      direction: objective.direction,
    })),
    earlier: earlier.length,
    waitingPoints: [...handPoints],
    best: best ? describeUnit(best) : null,
    front: isSingle
      ? []
      : paretoFront(highest.map(({ outcome }) => outcome.utilities)).map((at) => describeUnit(highest[at]!)),
    hypervolume: describeVolume(highest, objectives),
  };
};
