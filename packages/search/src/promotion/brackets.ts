/**
 * Successive halving (Jamieson & Talwalkar 2016) and Hyperband (Li et al. 2018, algorithm 1). A bracket proposes a fixed number of
 * configurations at one rung; when all units of a rung have ended, its best 1/η go on. Hyperband's brackets start at different rungs.
 */
import type { Decisions } from '../decision.ts';
import {
  type Need,
  type Order,
  type PlannedUnit,
  type PromotionRule,
  type RuleOptions,
  rungsOf,
  type Step,
} from './promotion.ts';
import { endedAt, ranked } from './ranking.ts';

/** The rung at which a bracket starts, and its number of units at each rung from there. */
type Bracket = { readonly start: number; readonly sizes: readonly number[] };

const bracketOf = (start: number, configurations: number, rungs: number, eta: number): Bracket => ({
  start,
  sizes: Array.from({ length: rungs - start }, (_, level) =>
    Math.max(1, Math.floor(configurations / eta ** level + 1e-9)),
  ),
});

const decisionsOf = ({ sizes }: Bracket): number => sizes.reduce((sum, size) => sum + size, 0);

/** The place of a decision. Levels of a bracket follow each other. */
export type Place = {
  readonly bracket: number;
  readonly level: number;
  readonly rung: number;
  /** The place in the level, from 0. */
  readonly at: number;
  /** The number of units at each level of the bracket. */
  readonly sizes: readonly number[];
};

/** Returns the function from the number of a decision to its place. The brackets repeat without end. */
const createPlaces = (brackets: readonly Bracket[]): ((number: number) => Place) => {
  const round = brackets.flatMap(({ start, sizes }, bracket) =>
    sizes.flatMap((size, level) =>
      Array.from({ length: size }, (_, at): Place => ({ bracket, level, rung: start + level, at, sizes })),
    ),
  );
  return (number) => {
    const place = round[number % round.length]!;
    return { ...place, bracket: place.bracket + brackets.length * Math.floor(number / round.length) };
  };
};

/** Every decision before the one that would propose one configuration too many, or that needs one of its bracket. */
const planBrackets = (placeOf: (number: number) => Place, configurations: number) => {
  const units: PlannedUnit[] = [];
  let proposed = 0;
  let first = 0; // the number of the bracket's first configuration
  for (let number = 0; ; number++) {
    const { level, rung, at, sizes } = placeOf(number);
    if (level > 0) {
      units.push({ configuration: first + at, rung });
      continue;
    }
    if (proposed === configurations) return { units, missing: at === 0 ? 0 : sizes[0]! - at };
    if (at === 0) first = proposed;
    units.push({ configuration: proposed++, rung });
  }
};

const ruleOf = (brackets: readonly Bracket[], order: Order): PromotionRule => {
  const placeOf = createPlaces(brackets);
  return {
    reach: 2 * Math.max(...brackets.map(decisionsOf)),
    need: (number, earlier): Need => {
      const place = placeOf(number);
      const other = placeOf(earlier);
      if (other.bracket === place.bracket) return other.level < place.level ? 'outcome' : 'decision';
      // Two brackets run side by side, so that no worker waits at the end of a rung.
      if (order === 'reproducible' && other.bracket <= place.bracket - 2) return 'outcome';
      return other.level === 0 ? 'decision' : 'nothing';
    },
    step: (number, decisions: Decisions): Step => {
      const { level, rung, at, sizes } = placeOf(number);
      if (level === 0) return { kind: 'propose', rung };
      const below = number - at - sizes[level - 1]!;
      const ended = endedAt(decisions, rung - 1).flatMap((each) => (each.number >= below ? [each.unit] : []));
      const unit = ranked(ended)[at];
      if (!unit) return { kind: 'empty' };
      return { kind: 'promote', configuration: unit.configuration, rung, place: at + 1, among: ended.length };
    },
    competitionOf: (number) => {
      const { at, level, sizes } = placeOf(number);
      return { first: number - at, count: sizes[level]!, promoted: sizes[level + 1] ?? 0 };
    },
    plan: (configurations) => planBrackets(placeOf, configurations),
  };
};

/**
 * Brackets that all start at the lowest rung, with ηᵏ + 1 configurations at the k-th rung below the highest: each rung promotes its best 1/η,
 * rounded up, so two configurations reach the highest rung. With ηᵏ, one ranking of the rung below would choose the only one (ADR 0031).
 */
export const successiveHalving = ({ fidelity: { min, max, eta }, order }: RuleOptions): PromotionRule => {
  const highest = rungsOf({ min, max, eta }).length - 1;
  const sizes = Array.from({ length: highest + 1 }, (_, rung) => Math.round(eta ** (highest - rung)) + 1);
  return ruleOf([{ start: 0, sizes }], order);
};

/** A bracket for each rung, the one with the shortest training first; all use about the same number of epochs. */
export const hyperband = ({ fidelity, order }: RuleOptions): PromotionRule => {
  const { eta } = fidelity;
  const rungs = rungsOf(fidelity).length;
  return ruleOf(
    Array.from({ length: rungs }, (_, start) => {
      const halvings = rungs - 1 - start;
      return bracketOf(start, Math.ceil((rungs / (halvings + 1)) * eta ** halvings - 1e-9), rungs, eta);
    }),
    order,
  );
};
