/** The decisions of a search for people: what came of each, and why it was made. */
import {
  type DecisionSource,
  isPromoting,
  type SearchDecision,
  type SearchOutcome,
  writeExtended,
} from '@funnel/contracts';
import type { RecordedDecision, SearchRecord } from '@funnel/db';
import { strategies } from '@funnel/search';
import { decidedSearchOf } from './decided-search.ts';
import { type DecidedUnit, unitsOf } from './ended-units.ts';
import { createPromotionOf, ordinal, type Promotion } from './promotion-notes.ts';
import type { UnitOutcome } from './unit-outcome.ts';

const describeOutcome = (result: UnitOutcome): SearchOutcome => {
  if (result.status === 'pending') return { status: 'pending', values: [], reason: null };
  const values = result.values.map((value) => (value === null ? null : writeExtended(value)));
  return { status: result.status, values, reason: result.status === 'bad' ? result.reason : null };
};

/** Why a decision was made. `strategy`: the title of the one that proposes. */
const reasonOf = ({ source, place, among, rung, epochs }: RecordedDecision, strategy: string): string => {
  const reasons: Readonly<Record<DecisionSource, string>> = {
    start: 'One of the first points, from before ten outcomes were known.',
    strategy: `${strategy} proposed it.`,
    try: 'One of the points to try first.',
    hand: 'A user asked for this point.',
    promotion: `${ordinal(place ?? 1)} of ${among} at rung ${(rung ?? 1) - 1}, so it went on to ${epochs} epochs.`,
    empty: 'The place stays empty: no good unit was left to promote.',
  };
  return reasons[source];
};

const emptyOutcome: SearchOutcome = { status: 'bad', values: [], reason: null };

/** All decisions by number. */
export const describeDecisions = (record: SearchRecord): readonly SearchDecision[] => {
  const search = decidedSearchOf(record.definition);
  const { title } = strategies[isPromoting(search) ? search.sampler : search.strategy];
  const units = unitsOf(record);
  const byNumber = new Map<number, DecidedUnit>(units.map((unit) => [unit.number, unit]));
  const promotionOf = createPromotionOf(record, units);
  return record.decisions.map((decision): SearchDecision => {
    const { number, source, configuration, point, rung, epochs, trials, decidedAt } = decision;
    const unit = byNumber.get(number);
    const promotion: Promotion = unit ? promotionOf(unit) : { promoted: null, note: null };
    return {
      number,
      source,
      configuration,
      point,
      rung,
      epochs,
      trials: trials.map(({ id }) => id),
      outcome: unit ? describeOutcome(unit.result) : emptyOutcome,
      promoted: promotion.promoted,
      note: [reasonOf(decision, title), ...(promotion.note === null ? [] : [promotion.note])].join(' '),
      decidedAt,
    };
  });
};
