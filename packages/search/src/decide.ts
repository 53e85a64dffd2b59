/**
 * The next decision of a search: a pure function of the search, of the decisions before, and of the outcomes of a set of units that depends on
 * the decision's number alone. Outcomes outside of the set count as pending, also those that are known. So workers and their speed change
 * nothing.
 */
import { AppError, plural } from '@funnel/contracts';
import { type Decision, type Decisions, isProposal } from './decision.ts';
import { hasEnded, type Observation } from './observation.ts';
import type { Fidelity, PromotionRule, Step } from './promotion/promotion.ts';
import { observationsOf } from './promotion/ranking.ts';
import { type PromotionName, promotionRules, withoutPromotion } from './promotion/registry.ts';
import { createRandom } from './random.ts';
import { type Axis, allPoints, axesOf, keyOf, type Point, type Space, sharesOf } from './space.ts';
import { randomPoint } from './strategies/random.ts';
import { type StrategyName, strategies } from './strategies/registry.ts';
import type { Proposal } from './strategies/strategy.ts';

export type Search = {
  readonly space: Space;
  readonly strategy: StrategyName;
  readonly objectives: number;
  readonly seed: number;
  /** Decision n knows the outcomes up to n − `parallelism`; 1 is sequential. Plain strategies and ASHA only. */
  readonly parallelism: number;
  readonly promotion: { readonly rule: PromotionName; readonly fidelity: Fidelity } | null;
  /** Outcomes of other sweeps on the same space. */
  readonly earlier: readonly Observation[];
  /** The points of the first proposals. */
  readonly tryFirst: readonly Point[];
};

/** The next decision, or why there is none. `wait`: the numbers of decisions that are not made, or whose units have not ended. */
export type Choice =
  | { readonly kind: 'propose'; readonly point: Point; readonly rung: number }
  | Exclude<Step, { readonly kind: 'propose' }>
  | { readonly kind: 'wait'; readonly numbers: readonly number[] }
  | { readonly kind: 'exhausted' };

/** Draws of a strategy, then uniform draws, until the point is new. */
const strategyDraws = 10;
const maxDraws = 20;
/** If the draws find no new point, a space with at most this many points is searched for one. */
const maxListed = 10_000;

const refuse = (path: string, expected: string, received: string): never => {
  throw new AppError('INVALID_REQUEST', `Expected ${expected}, but got ${received}`, {
    issues: [{ path, expected, received }],
  });
};

/** Throws INVALID_REQUEST if the strategy cannot search the space. */
const checkStrategy = ({ space, strategy, objectives }: Search, axes: readonly Axis[]): void => {
  const { maxObjectives, handlesCategories } = strategies[strategy];
  if (objectives > maxObjectives)
    refuse('objective', `at most ${plural(maxObjectives, 'objective')} for ${strategy}`, String(objectives));
  const category = axes.find(({ kind }) => kind === 'categories') ?? space.find(({ readWhere }) => readWhere);
  if (category && !handlesCategories)
    refuse(`space.${category.name}`, `only numbers that every recipe reads, for ${strategy}`, category.name);
};

const ruleOf = ({ promotion, parallelism }: Search): PromotionRule =>
  promotion
    ? promotionRules[promotion.rule]({ fidelity: promotion.fidelity, parallelism })
    : withoutPromotion(parallelism);

const hidden = (decision: Decision): Decision =>
  decision.kind === 'unit' ? { ...decision, outcome: { status: 'pending' } } : decision;

/** The earlier decisions as decision `number` sees them, and the numbers of those that it must wait for. */
const viewOf = (rule: PromotionRule, decisions: Decisions, number: number) => {
  const missing: number[] = [];
  const seen = Array.from({ length: number }, (_, earlier): Decision | undefined => {
    const need = rule.need(number, earlier);
    if (need === 'nothing') return undefined;
    const decision = decisions[earlier];
    if (!decision || (need === 'outcome' && decision.kind === 'unit' && !hasEnded(decision.outcome)))
      missing.push(earlier);
    if (!decision) return undefined;
    return need === 'outcome' ? decision : hidden(decision);
  });
  return { seen, missing };
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

/** A point that the search does not have yet; null if its space has no more. */
const newPoint = ({ strategy }: Search, proposal: Proposal, known: ReadonlySet<string>): Point | null => {
  const { axes, seed, index } = proposal;
  for (let attempt = 0; attempt < maxDraws; attempt++) {
    const propose = attempt < strategyDraws ? strategies[strategy].propose : randomPoint;
    const point = propose({ ...proposal, attempt });
    if (!known.has(keyOf(axes, point))) return point;
  }
  const left = allPoints(axes, maxListed)?.filter((point) => !known.has(keyOf(axes, point))) ?? [];
  return left[createRandom('points left', seed, index).below(left.length)] ?? null;
};

const propose = (search: Search, axes: readonly Axis[], seen: Decisions): Point | null => {
  const proposals = seen.filter((decision, number) => isProposal(decision, number));
  const index = proposals.length;
  const given = search.tryFirst[index];
  if (given) {
    sharesOf(axes, given); // throws for a value that is not in the space
    return given;
  }
  const points = [...search.earlier, ...proposals].map(({ point }) => keyOf(axes, point));
  const observations = [...search.earlier, ...observationsOf(seen)];
  return newPoint(search, { axes, observations, index, attempt: 0, seed: search.seed }, new Set(points));
};

/** Decision `number`, given the decisions before. Throws INVALID_REQUEST. */
export const decide = (search: Search, decisions: Decisions, number: number): Choice => {
  const axes = axesOf(search.space);
  checkStrategy(search, axes);
  const rule = ruleOf(search);
  const { seen, missing } = viewOf(rule, decisions, number);
  if (missing.length > 0) return { kind: 'wait', numbers: missing };
  checkOutcomes(search, seen);
  const step = rule.step(number, seen);
  if (step.kind !== 'propose') return step;
  const point = propose(search, axes, seen);
  return point ? { kind: 'propose', point, rung: step.rung } : { kind: 'exhausted' };
};

export type Due =
  | {
      readonly kind: 'due';
      readonly number: number;
      readonly choice: Exclude<Choice, { kind: 'wait' | 'exhausted' }>;
    }
  /** For the outcomes of these units, or for the decisions that need them. */
  | { readonly kind: 'wait'; readonly numbers: readonly number[] }
  | { readonly kind: 'end'; readonly reason: 'configurations' | 'exhausted' };

/** Whether the choice goes beyond the search: one configuration too many, or a space without a new point. */
const endOf = (choice: Choice, decisions: Decisions, number: number, configurations: number) => {
  if (choice.kind === 'exhausted') return 'exhausted';
  const proposals = decisions.filter(
    (decision, earlier) => earlier < number && isProposal(decision, earlier),
  );
  return choice.kind === 'propose' && proposals.length >= configurations ? 'configurations' : null;
};

/**
 * The first decision that is due. A search ends before the decision that would propose one more than `configurations`, or that finds no new
 * point: a longer search starts with the same decisions. Throws INVALID_REQUEST.
 */
export const nextDue = (search: Search, decisions: Decisions, configurations: number): Due => {
  let start = 0;
  while (decisions[start]) start++;
  const waiting = new Set<number>();
  for (let number = start; number < start + ruleOf(search).reach; number++) {
    if (decisions[number]) continue;
    const choice = decide(search, decisions, number);
    if (choice.kind === 'wait') {
      for (const each of choice.numbers) if (decisions[each]) waiting.add(each);
      continue;
    }
    const reason = endOf(choice, decisions, number, configurations);
    if (choice.kind === 'exhausted' || reason) {
      if (number > start) break; // others before it still wait
      return { kind: 'end', reason: reason! };
    }
    return { kind: 'due', number, choice };
  }
  return { kind: 'wait', numbers: [...waiting] };
};
