/** The units of a search that have ended, as people read them: with the values of the objectives. */
import type { ResolvedObjective } from '@funnel/contracts';
import type { RecordedDecision, SearchRecord } from '@funnel/db';
import type { Measured } from '@funnel/search';
import { createOutcomeOf, type UnitOutcome, utilitiesOf } from './unit-outcome.ts';
import { searchCriteriaOf } from './wanted-values.ts';

/** A decision with a unit. */
export type DecidedUnit = RecordedDecision & {
  readonly configuration: number;
  readonly rung: number;
  readonly result: UnitOutcome;
};

export type MeasuredUnit = DecidedUnit & {
  readonly result: Extract<UnitOutcome, { status: 'measured' }>;
  readonly outcome: Measured;
};

/** The decisions with a unit, by number. */
export const unitsOf = ({ definition, decisions }: SearchRecord): readonly DecidedUnit[] => {
  const outcomeOf = createOutcomeOf(definition);
  return decisions.flatMap((decision): DecidedUnit[] => {
    const { configuration, rung } = decision;
    return configuration === null || rung === null
      ? []
      : [{ ...decision, configuration, rung, result: outcomeOf(decision.trials) }];
  });
};

/** The measured ones of these units, with their utilities. */
export const measuredOf = (
  units: readonly DecidedUnit[],
  objectives: readonly ResolvedObjective[],
): readonly MeasuredUnit[] =>
  units.flatMap((unit) => {
    const outcome = utilitiesOf(unit.result, objectives);
    return unit.result.status === 'measured' && outcome.status === 'measured'
      ? [{ ...unit, result: unit.result, outcome }]
      : [];
  });

/** The measured units at the highest rung that has one: values of different rungs cannot be compared. */
export const highestMeasured = (
  record: SearchRecord,
  units: readonly DecidedUnit[],
): readonly MeasuredUnit[] => {
  const measured = measuredOf(units, searchCriteriaOf(record.definition).objectives);
  const highest = measured.reduce((max, { rung }) => Math.max(max, rung), 0);
  return measured.filter(({ rung }) => rung === highest);
};
