/** What a search reads of its trials, and the attacks that measure it. */
import {
  type AttackSpec,
  attackKey,
  budgetsOfChoice,
  criteriaOf,
  expandAttacks,
  type SearchCriteria,
  type SweepDefinition,
} from '@funnel/contracts';
import type { WantedValue } from '@funnel/db';
import { decidedSearchOf } from './decided-search.ts';

export const searchCriteriaOf = (definition: SweepDefinition): SearchCriteria =>
  criteriaOf(definition, decidedSearchOf(definition));

/** The values of a trial that a search reads: of each objective, then of each constraint on a metric. */
export const wantedValues = (definition: SweepDefinition): readonly WantedValue[] => {
  const { objectives, constraints } = searchCriteriaOf(definition);
  const bounded = constraints.flatMap((constraint) => (constraint.kind === 'metric' ? [constraint] : []));
  return [...objectives, ...bounded].map(({ run, metric }) => ({ attack: run, metric }));
};

/** All attacks of the sweep. */
export const attacksOf = ({ attacks, dataset }: SweepDefinition): readonly AttackSpec[] =>
  expandAttacks(attacks, { budgets: budgetsOfChoice(dataset) });

/** Whether a value is one of the worst case over all attacks. */
export const isWorstCase = ({ attack, metric }: WantedValue): boolean =>
  attack === undefined && metric !== 'cleanAccuracy';

/**
 * The attacks below the highest rung: those of the objectives and of the constraints. The worst case needs all of them; the clean accuracy
 * without an attack needs none.
 */
export const lowerAttacks = (definition: SweepDefinition): readonly AttackSpec[] => {
  const wanted = wantedValues(definition);
  if (wanted.some(isWorstCase)) return attacksOf(definition);
  const keys = new Set(wanted.flatMap(({ attack }) => (attack ? [attackKey(attack)] : [])));
  return attacksOf(definition).filter((attack) => keys.has(attackKey(attack)));
};
