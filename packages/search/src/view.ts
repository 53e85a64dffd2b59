/**
 * What a decision sees of those before it. In the reproducible order an outcome that the decision does not need counts as pending, also if it
 * is known. In the asynchronous order every known outcome counts.
 */
import type { Decision, Decisions } from './decision.ts';
import { hasEnded } from './observation.ts';
import type { PromotionRule } from './promotion/promotion.ts';
import type { Search } from './search.ts';

const hidden = (decision: Decision): Decision =>
  decision.kind === 'unit' ? { ...decision, outcome: { status: 'pending' } } : decision;

export const isPending = (decision: Decision | undefined): boolean =>
  decision?.kind === 'unit' && !hasEnded(decision.outcome);

/** `seen`: the decisions before `number`. `missing`: the numbers of those that it must wait for. */
export const viewOf = (
  { order }: Pick<Search, 'order'>,
  rule: PromotionRule,
  decisions: Decisions,
  number: number,
): { readonly seen: Decisions; readonly missing: readonly number[] } => {
  const missing: number[] = [];
  const seen = Array.from({ length: number }, (_, earlier): Decision | undefined => {
    const need = rule.need(number, earlier);
    const decision = decisions[earlier];
    if (need !== 'nothing' && (!decision || (need === 'outcome' && isPending(decision))))
      missing.push(earlier);
    if (!decision || order === 'asynchronous') return decision;
    if (need === 'nothing') return undefined;
    return need === 'outcome' ? decision : hidden(decision);
  });
  return { seen, missing };
};
