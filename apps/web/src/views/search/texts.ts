/** What the pages say about a search, in words. */
import {
  type DecidedSearch,
  type DecisionSource,
  isPromoting,
  readExtended,
  type SearchDecision,
  type SearchEnd,
  searchTitles,
} from '@funnel/contracts';
import type { ShownObjective } from '../../charts/search/objective.ts';
import { inSentence } from '../../format.ts';

export const describeSource = (source: DecisionSource, search: DecidedSearch): string => {
  const strategy = searchTitles[isPromoting(search) ? search.sampler : search.strategy];
  const texts: Readonly<Record<DecisionSource, string>> = {
    start: `one of the first points, which need no outcome (${strategy})`,
    strategy: `proposed by ${strategy} from the outcomes before`,
    try: 'listed under `try` in the sweep file',
    hand: 'a user asked for it',
    promotion: 'promoted from the rung below',
    empty: 'an empty place: no good configuration was left to promote',
  };
  return texts[source];
};

/** One word or two for a table. */
export const sourceTitles: Readonly<Record<DecisionSource, string>> = {
  start: 'first points',
  strategy: 'strategy',
  try: 'try',
  hand: 'by hand',
  promotion: 'promotion',
  empty: 'empty place',
};

const ends: Readonly<Record<SearchEnd, string>> = {
  trials: 'It has all of its configurations.',
  exhausted: 'Its space has no new point.',
  stopped: 'A rule of `stop` holds.',
};

export const describeEnd = (ended: SearchEnd | null): string =>
  ended === null ? 'The search goes on.' : `The search decides no more. ${ends[ended]}`;

type Outcome = Pick<SearchDecision, 'outcome' | 'trials'>;

/** The value of an objective; `–` without one. */
export const valueText = ({ outcome }: Outcome, { place, format }: ShownObjective): string => {
  const value = readExtended(outcome.values[place] ?? null);
  return value === null ? '–' : format(value);
};

/** `clean accuracy 97.1%, robust accuracy 44.0%`; why a unit is bad; `pending`; `–` for an empty place. */
export const outcomeText = (decision: Outcome, objectives: readonly ShownObjective[]): string => {
  const { status, reason } = decision.outcome;
  if (decision.trials.length === 0) return '–';
  if (status === 'bad') return `bad: ${reason ?? 'it has no value'}`;
  if (status === 'pending') return status;
  return objectives
    .map((objective) => `${inSentence(objective.title)} ${valueText(decision, objective)}`)
    .join(', ');
};

/** Whether the configuration went on. At the highest rung there is nothing to say. */
export const promotionText = ({ promoted, outcome }: Pick<SearchDecision, 'promoted' | 'outcome'>): string =>
  promoted === null ? (outcome.status === 'pending' ? 'open' : '–') : promoted ? 'yes' : 'no';
