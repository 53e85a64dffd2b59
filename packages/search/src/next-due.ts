/** The next decision of a search that is due, or why there is none. */
import type { SearchEnd } from '@funnel/contracts';
import { type Choice, decide, prepare } from './decide.ts';
import type { Decisions } from './decision.ts';
import type { Search } from './search.ts';

export type Due =
  | {
      readonly kind: 'due';
      readonly number: number;
      readonly choice: Exclude<Choice, { kind: 'wait' | 'end' }>;
    }
  /** For the outcomes of these units. */
  | { readonly kind: 'wait'; readonly numbers: readonly number[] }
  | { readonly kind: 'end'; readonly reason: SearchEnd };

/**
 * The first decision that is due. Decisions that need one that is not due are not due either. The search ends when no decision can be made any
 * more: one that ends the search is never made, nor are those that need it; the others are, so it does not matter which became due first.
 * Throws INVALID_REQUEST.
 */
export const nextDue = (search: Search, decisions: Decisions, configurations: number): Due => {
  const prepared = prepare(search);
  const { need, reach } = prepared.rule;
  let start = 0;
  while (decisions[start]) start++;
  const open: number[] = [];
  const waiting = new Set<number>();
  let reason: SearchEnd | null = null;
  for (let number = start; number < start + reach; number++) {
    if (decisions[number] || open.some((earlier) => need(number, earlier) !== 'nothing')) continue;
    const choice = decide(prepared, decisions, number, configurations);
    if (choice.kind === 'end') reason ??= choice.reason;
    else if (choice.kind === 'wait') for (const each of choice.numbers) waiting.add(each);
    else return { kind: 'due', number, choice };
    open.push(number);
  }
  return waiting.size > 0 || reason === null
    ? { kind: 'wait', numbers: [...waiting] }
    : { kind: 'end', reason };
};
