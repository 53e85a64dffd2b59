/** The decisions of a search that are due. */
import type { SearchEnd } from '@funnel/contracts';
import type { NewDecision, SearchRecord } from '@funnel/db';
import { nextDecision } from './next-decision.ts';

/** Decisions of one question. The others follow in the next one, so that a search of thousands of points shows its first ones at once. */
const maxDecisions = 50;

/**
 * `decisions`: those that are due, in the order in which they must be written. `next`: what follows. `more`: others may be due. `wait`: for
 * the ends of units. Else the search has ended.
 */
export type Decided = {
  readonly decisions: readonly NewDecision[];
  readonly next: 'more' | 'wait' | SearchEnd;
};

/** The record with one more decision, whose unit is pending. */
const withDecision = (record: SearchRecord, decision: NewDecision): SearchRecord => {
  const decisions = [...record.decisions, { ...decision, decidedAt: '', trials: [] }];
  const handPoints = decision.source === 'hand' ? record.handPoints.slice(1) : record.handPoints;
  return { ...record, decisions: decisions.sort((a, b) => a.number - b.number), handPoints };
};

/** `now`: milliseconds since 1970, for the rule `stop.hours`. Pure. Throws INVALID_REQUEST. */
export const nextDecisions = (record: SearchRecord, now: number): Decided => {
  const decisions: NewDecision[] = [];
  let seen = record;
  while (decisions.length < maxDecisions) {
    const following = nextDecision(seen, now);
    if (following.kind === 'wait') return { decisions, next: 'wait' };
    if (following.kind === 'end') return { decisions, next: following.reason };
    decisions.push(following.decision);
    seen = withDecision(seen, following.decision);
  }
  return { decisions, next: 'more' };
};
