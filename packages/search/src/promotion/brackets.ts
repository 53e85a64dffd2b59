/**
 * Successive halving (Jamieson & Talwalkar 2016) and Hyperband (Li et al. 2018, algorithm 1). A bracket proposes a fixed number of
 * configurations at one rung; when all units of a rung have ended, its best 1/η go on. Hyperband's brackets start at different rungs.
 */
import type { Decisions } from '../decision.ts';
import { type Need, type PromotionRule, type RuleOptions, rungsOf, type Step } from './promotion.ts';
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

/** A place of a decision: `from` is the number of the first decision of the level below; −1 for proposals. */
type Place = {
  readonly bracket: number;
  readonly level: number;
  readonly rung: number;
  readonly at: number;
  readonly from: number;
};

/** Where decision `number` stands when the brackets repeat without end. Levels of a bracket follow each other. */
const placeOf = (brackets: readonly Bracket[], number: number): Place => {
  const lengths = brackets.map(decisionsOf);
  const round = lengths.reduce((sum, length) => sum + length, 0);
  let rest = number % round;
  let index = 0;
  while (rest >= lengths[index]!) rest -= lengths[index++]!;
  const { start, sizes } = brackets[index]!;
  let level = 0;
  while (rest >= sizes[level]!) rest -= sizes[level++]!;
  return {
    bracket: Math.floor(number / round) * brackets.length + index,
    level,
    rung: start + level,
    at: rest,
    from: level === 0 ? -1 : number - rest - sizes[level - 1]!,
  };
};

const ruleOf = (brackets: readonly Bracket[]): PromotionRule => ({
  reach: 2 * Math.max(...brackets.map(decisionsOf)),
  need: (number, earlier): Need => {
    const place = placeOf(brackets, number);
    if (place.level > 0) return earlier >= place.from && earlier < number - place.at ? 'outcome' : 'nothing';
    const other = placeOf(brackets, earlier);
    // Two brackets run side by side, so that no worker waits at the end of a rung.
    if (other.bracket <= place.bracket - 2) return 'outcome';
    return other.level === 0 ? 'decision' : 'nothing';
  },
  step: (number, decisions: Decisions): Step => {
    const { level, rung, at } = placeOf(brackets, number);
    if (level === 0) return { kind: 'propose', rung };
    const ended = endedAt(decisions, rung - 1);
    const unit = ranked(ended)[at];
    if (!unit) return { kind: 'empty' };
    return { kind: 'promote', configuration: unit.configuration, rung, place: at + 1, among: ended.length };
  },
});

/** Brackets that all start at the lowest rung, each with η configurations for each one that reaches the highest rung, and so on. */
export const successiveHalving = ({ fidelity }: RuleOptions): PromotionRule => {
  const rungs = rungsOf(fidelity).length;
  return ruleOf([bracketOf(0, Math.round(fidelity.eta ** (rungs - 1)), rungs, fidelity.eta)]);
};

/** A bracket for each rung, the one with the shortest training first; all use about the same number of epochs. */
export const hyperband = ({ fidelity }: RuleOptions): PromotionRule => {
  const { eta } = fidelity;
  const rungs = rungsOf(fidelity).length;
  return ruleOf(
    Array.from({ length: rungs }, (_, start) => {
      const halvings = rungs - 1 - start;
      return bracketOf(start, Math.ceil((rungs / (halvings + 1)) * eta ** halvings - 1e-9), rungs, eta);
    }),
  );
};
