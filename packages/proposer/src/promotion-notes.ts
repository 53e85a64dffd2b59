/** Whether a unit went on to the next rung, and why not. */
import type { SearchRecord } from '@funnel/db';
import { type Competition, prepare, ranked } from '@funnel/search';
import { rungEpochsOf } from './decided-search.ts';
import { type DecidedUnit, measuredOf } from './ended-units.ts';
import { searchOf } from './search-of.ts';
import { searchCriteriaOf } from './wanted-values.ts';

/** `promoted`: null while it is open, at the highest rung, and without promotion. `note`: a sentence; null if there is nothing to say. */
export type Promotion = { readonly promoted: boolean | null; readonly note: string | null };

/** `1st`, `2nd`, `3rd`, `4th`, `11th`, `21st`. */
export const ordinal = (number: number): string => {
  const isTeen = Math.floor((number % 100) / 10) === 1;
  const ending = isTeen ? undefined : ['st', 'nd', 'rd'][(number % 10) - 1];
  return `${number}${ending ?? 'th'}`;
};

/** To rank more units by several objectives takes long. */
const maxRanked = 300;

/** The units that compete with each other for promotion. */
type Field = {
  /** Null: all units of the rung compete, and more may come. */
  readonly competition: Competition | null;
  /** The number of units that have ended. */
  readonly ended: number;
  /** The places of the good units by the numbers of their decisions, from 1; null if there are too many to rank. */
  readonly places: ReadonlyMap<number, number> | null;
  /** The number of units that went on. */
  readonly promoted: number;
};

const nothing: Promotion = { promoted: null, note: null };

/** `the best 3 went on`. */
const promotedText = (count: number, verb: string): string => {
  if (count === 0) return `none of them ${verb}`;
  return `${count === 1 ? 'the best one' : `the best ${count}`} ${verb}`;
};

/** The promotion of a unit below the highest rung. */
const describePromotion = (
  { number, rung, result }: DecidedUnit,
  wentOn: boolean,
  { competition, ended, places, promoted }: Field,
  isOpen: boolean,
): Promotion => {
  const place = places?.get(number);
  const among = `${place === undefined ? '' : `${ordinal(place)} of `}${ended} at rung ${rung}`;
  if (result.status === 'pending') return nothing;
  if (result.status === 'bad') return { promoted: wentOn, note: wentOn ? null : 'Bad units do not go on.' };
  if (competition === null)
    return {
      promoted: wentOn || (isOpen ? null : false),
      note: wentOn ? null : `${among}${isOpen ? ' so far' : ''}; ${promoted} went on.`,
    };
  if (ended < competition.count) {
    const note = 'The search ended before its bracket was complete, so none of it went on.';
    return isOpen ? nothing : { promoted: false, note };
  }
  const willGoOn = isOpen && place !== undefined && place <= competition.promoted;
  return {
    promoted: wentOn || (willGoOn ? null : false),
    note: `${among}; ${promotedText(
      isOpen ? competition.promoted : promoted,
      isOpen && promoted === 0 ? 'will go on' : 'went on',
    )}.`,
  };
};

/** Returns the function from a unit of the search to its promotion. */
export const createPromotionOf = (
  record: SearchRecord,
  units: readonly DecidedUnit[],
): ((unit: DecidedUnit) => Promotion) => {
  const { rule } = prepare(searchOf(record.definition, { earlier: [], handPoints: [] }));
  const { objectives } = searchCriteriaOf(record.definition);
  const top = rungEpochsOf(record.definition).length - 1;
  const keyOf = ({ configuration, rung }: Pick<DecidedUnit, 'configuration' | 'rung'>): string =>
    `${configuration} ${rung}`;
  const made = new Set(units.map(keyOf));
  const hasPromotion = ({ configuration, rung }: DecidedUnit): boolean =>
    made.has(keyOf({ configuration, rung: rung + 1 }));

  const groups = new Map<string, DecidedUnit[]>();
  const groupOf = ({ number, rung }: DecidedUnit): string =>
    `${rung} ${rule.competitionOf(number)?.first ?? ''}`;
  for (const unit of units) {
    const key = groupOf(unit);
    const group = groups.get(key);
    if (group) group.push(unit);
    else groups.set(key, [unit]);
  }

  const fieldOf = (group: readonly DecidedUnit[]): Field => {
    const measured = measuredOf(group, objectives);
    const isLarge = objectives.length > 1 && measured.length > maxRanked;
    return {
      competition: rule.competitionOf(group[0]!.number),
      ended: group.filter(({ result }) => result.status !== 'pending').length,
      places: isLarge ? null : new Map(ranked(measured).map(({ number }, at) => [number, at + 1])),
      promoted: group.filter(hasPromotion).length,
    };
  };
  const fields = new Map([...groups].map(([key, group]) => [key, fieldOf(group)]));
  return (unit) =>
    unit.rung >= top
      ? nothing
      : describePromotion(unit, hasPromotion(unit), fields.get(groupOf(unit))!, record.ended === null);
};
