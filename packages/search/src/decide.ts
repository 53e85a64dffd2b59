/**
 * One decision of a search: a pure function of the search, of the decisions before, and of the outcomes that the decision knows (`view.ts`).
 * Workers and their speed change nothing in the reproducible order.
 */
import { plural, type SearchEnd } from '@funnel/contracts';
import { type Decisions, isProposal } from './decision.ts';
import type { PromotionRule, Step } from './promotion/promotion.ts';
import { promotionRules, withoutPromotion } from './promotion/registry.ts';
import { type Proposed, propose } from './propose.ts';
import type { Search } from './search.ts';
import { type Axis, axesOf, checkPoint, refuse } from './space.ts';
import { isStopped } from './stop.ts';
import { strategies } from './strategies/registry.ts';
import { isPending, viewOf } from './view.ts';

/** The decision, or why there is none. `wait`: the numbers of decisions that are not made, or whose units have not ended. */
export type Choice =
  | ({ readonly kind: 'propose'; readonly rung: number } & Proposed)
  | Exclude<Step, { readonly kind: 'propose' }>
  | { readonly kind: 'wait'; readonly numbers: readonly number[] }
  | { readonly kind: 'end'; readonly reason: SearchEnd };

/** Throws INVALID_REQUEST if the strategy cannot search the space. */
const checkStrategy = ({ space, strategy, objectives }: Search, axes: readonly Axis[]): void => {
  const { maxObjectives, handlesCategories } = strategies[strategy];
  if (objectives > maxObjectives)
    refuse('objective', `at most ${plural(maxObjectives, 'objective')} for ${strategy}`, String(objectives));
  const category = axes.find(({ kind }) => kind === 'categories') ?? space.find(({ readWhere }) => readWhere);
  if (category && !handlesCategories)
    refuse(
      category.name === 'recipe' ? 'recipes' : `space.${category.name}`,
      `only numbers that every recipe reads, for ${strategy} (tpe takes everything)`,
      category.name,
    );
};

/** What the search means: the axes of its space, and its promotion rule. */
export type Prepared = {
  readonly search: Search;
  readonly axes: readonly Axis[];
  readonly rule: PromotionRule;
};

/** Throws INVALID_REQUEST for a space that the strategy cannot search, for a fidelity with one rung, and for a point to try outside of the space. */
export const prepare = (search: Search): Prepared => {
  const axes = axesOf(search.space);
  checkStrategy(search, axes);
  for (const [place, point] of search.tryFirst.entries()) checkPoint(axes, point, `search.try[${place}]`);
  const { promotion, ...options } = search;
  const rule = promotion
    ? promotionRules[promotion.rule]({ ...options, fidelity: promotion.fidelity })
    : withoutPromotion(options);
  return { search, axes, rule };
};

/** A utility that is no number would have no place in any order. */
const checkOutcomes = ({ objectives }: Search, seen: Decisions): void => {
  for (const [number, decision] of seen.entries()) {
    if (decision?.kind !== 'unit' || decision.outcome.status !== 'measured') continue;
    const { utilities } = decision.outcome;
    if (utilities.length !== objectives || utilities.some(Number.isNaN))
      throw new Error(
        `Expected ${objectives} utilities of decision ${number}, each a number, but got ${utilities.join(', ')}`,
      );
  }
};

/** In the asynchronous order, the pending units that a proposal waits for: none while there are fewer than `parallelism`. */
const crowdOf = ({ order, parallelism }: Search, decisions: Decisions): readonly number[] => {
  if (order === 'reproducible') return [];
  const pending = decisions.flatMap((decision, number) => (isPending(decision) ? [number] : []));
  return pending.length < parallelism ? [] : pending;
};

/**
 * Decision `number`, given the decisions before. It ends the search if it would propose one more than `configurations`, so a longer search
 * starts with the same decisions. Throws INVALID_REQUEST for a point by hand outside of the space.
 */
export const decide = (
  { search, axes, rule }: Prepared,
  decisions: Decisions,
  number: number,
  configurations: number,
): Choice => {
  const { seen, missing } = viewOf(search, rule, decisions, number);
  if (missing.length > 0) return { kind: 'wait', numbers: missing };
  checkOutcomes(search, seen);
  if (isStopped(search.stop, seen)) return { kind: 'end', reason: 'stopped' };
  const step = rule.step(number, seen);
  if (step.kind !== 'propose') return step;
  const proposals = seen.filter((decision, earlier) => isProposal(decision, earlier)).length;
  if (proposals >= configurations) return { kind: 'end', reason: 'trials' };
  const crowd = crowdOf(search, decisions);
  if (crowd.length > 0) return { kind: 'wait', numbers: crowd };
  const proposed = propose(search, axes, seen);
  return proposed ? { kind: 'propose', rung: step.rung, ...proposed } : { kind: 'end', reason: 'exhausted' };
};
