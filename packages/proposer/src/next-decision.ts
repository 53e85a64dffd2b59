/** The next decision of a search, from its record alone. */
import type { SearchEnd, SweepDefinition } from '@funnel/contracts';
import { type Due, nextDue } from '@funnel/search';
import { decidedSearchOf, rungEpochsOf } from './decided-search.ts';
import { searchOf } from './search-of.ts';
import type { NewDecision, SearchRecord } from './search-record.ts';
import { outcomesOf } from './unit-outcome.ts';
import { countNewEpochs } from './unit-plan.ts';

export type NextDecision =
  /** The decision takes the first point by hand if its source is `hand`. */
  | { readonly kind: 'decide'; readonly decision: NewDecision }
  | { readonly kind: 'wait' }
  | { readonly kind: 'end'; readonly reason: SearchEnd };

const emptyPlace = {
  source: 'empty',
  configuration: null,
  rung: null,
  epochs: null,
  point: null,
  place: null,
  among: null,
  newEpochs: 0,
} as const;

const decisionOf = (
  definition: SweepDefinition,
  decisions: SearchRecord['decisions'],
  { number, choice }: Extract<Due, { kind: 'due' }>,
): NewDecision => {
  if (choice.kind === 'empty') return { number, ...emptyPlace };
  const { rung } = choice;
  const epochs = rungEpochsOf(definition)[rung] ?? null;
  if (choice.kind === 'propose') {
    const { point, source } = choice;
    const newEpochs = countNewEpochs(definition, { point, rung }, null);
    return {
      number,
      source,
      configuration: number,
      rung,
      epochs,
      point,
      place: null,
      among: null,
      newEpochs,
    };
  }
  const { configuration, place, among } = choice;
  const point = decisions.find((each) => each.number === configuration)!.point!; // only proposals are promoted
  const newEpochs = countNewEpochs(definition, { point, rung }, rung - 1);
  return { number, source: 'promotion', configuration, rung, epochs, point, place, among, newEpochs };
};

const hour = 3_600_000;

const isOverdue = ({ definition, createdAt }: SearchRecord, now: Date): boolean => {
  const { stop } = decidedSearchOf(definition);
  return stop?.hours !== undefined && now.getTime() - Date.parse(createdAt) >= stop.hours * hour;
};

/** Of the time it reads only `now`, for the rule `stop.hours`. Throws INVALID_REQUEST for a point by hand outside of the space. */
export const nextDecision = (record: SearchRecord, now: Date): NextDecision => {
  const { definition, configurations, decisions, ended } = record;
  if (ended !== null) return { kind: 'end', reason: ended };
  if (isOverdue(record, now)) return { kind: 'end', reason: 'stopped' };
  const due = nextDue(searchOf(definition, record), outcomesOf(record), configurations);
  if (due.kind === 'due') return { kind: 'decide', decision: decisionOf(definition, decisions, due) };
  return due.kind === 'wait' ? { kind: 'wait' } : due;
};

/** Decision 0, which a submission writes. It needs no outcome. Throws INVALID_REQUEST. */
export const firstDecision = (definition: SweepDefinition, earlier: SearchRecord['earlier']): NewDecision => {
  const due = nextDue(
    searchOf(definition, { earlier, handPoints: [] }),
    [],
    decidedSearchOf(definition).trials,
  );
  if (due.kind !== 'due') throw new Error(`Expected a first decision, but the search says ${due.kind}`);
  return decisionOf(definition, [], due);
};
