/** Runs a whole search on a function, one unit after the other. With any other order of the units the decisions would be the same. */
import { type Due, nextDue, type Search } from './decide.ts';
import type { Decision, Decisions, Unit } from './decision.ts';
import type { Outcome } from './observation.ts';

/** The decision that a due choice makes, with a pending outcome. */
export const decisionOf = (
  { number, choice }: Extract<Due, { kind: 'due' }>,
  decisions: Decisions,
): Decision => {
  if (choice.kind === 'empty') return { kind: 'empty' };
  const { rung } = choice;
  const outcome: Outcome = { status: 'pending' };
  if (choice.kind === 'propose')
    return { kind: 'unit', configuration: number, point: choice.point, rung, outcome };
  const { configuration } = choice;
  const { point } = decisions[configuration] as Unit; // only units are promoted
  return { kind: 'unit', configuration, point, rung, outcome };
};

export const simulateSearch = (
  search: Search,
  configurations: number,
  evaluate: (unit: Pick<Unit, 'point' | 'rung'>) => Outcome,
): readonly Decision[] => {
  const decisions: Decision[] = [];
  for (;;) {
    const due = nextDue(search, decisions, configurations);
    if (due.kind !== 'due') return decisions;
    const decision = decisionOf(due, decisions);
    decisions[due.number] =
      decision.kind === 'unit' ? { ...decision, outcome: evaluate(decision) } : decision;
  }
};
