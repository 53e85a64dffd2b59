/** The next decision of a search, from its record alone. */
import { maxTrials, type SearchEnd, type SweepDefinition } from '@funnel/contracts';
import type { NewDecision, SearchRecord } from '@funnel/db';
import { type Due, nextDue } from '@funnel/search';
import { countSeeds, decidedSearchOf, rungEpochsOf } from './decided-search.ts';
import { countNewEpochs } from './outline-unit.ts';
import { searchOf } from './search-of.ts';
import { outcomesOf } from './unit-outcome.ts';

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

const isOverdue = ({ definition, createdAt }: SearchRecord, now: number): boolean => {
  const { stop } = decidedSearchOf(definition);
  return stop?.hours !== undefined && now - Date.parse(createdAt) >= stop.hours * hour;
};

/** A sweep has no trial with a higher number. A plan counts them only about, since ASHA promotes as results come. */
const hasNumbers = (definition: SweepDefinition, number: number): boolean =>
  (number + 1) * countSeeds(definition) <= maxTrials;

/**
 * `now`: milliseconds since 1970, for the rule `stop.hours`; no other rule depends on the time. Throws INVALID_REQUEST for a point by hand
 * outside of the space.
 */
export const nextDecision = (record: SearchRecord, now: number): NextDecision => {
  const { definition, configurations, decisions, ended } = record;
  if (ended !== null) return { kind: 'end', reason: ended };
  if (isOverdue(record, now)) return { kind: 'end', reason: 'stopped' };
  const due = nextDue(searchOf(definition, record), outcomesOf(record), configurations);
  if (due.kind === 'wait') return { kind: 'wait' };
  if (due.kind === 'end') return due;
  return hasNumbers(definition, due.number)
    ? { kind: 'decide', decision: decisionOf(definition, decisions, due) }
    : { kind: 'end', reason: 'trials' };
};
