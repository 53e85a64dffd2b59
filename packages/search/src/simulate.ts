/** Runs a whole search on a function, one unit after the other. With any other order of the units the decisions would be the same. */
import type { Decision, Decisions, Unit } from './decision.ts';
import { type Due, nextDue } from './next-due.ts';
import type { Outcome } from './observation.ts';
import type { Search } from './search.ts';

/** The decision that a due choice makes, with a pending outcome and without epochs. */
export const decisionOf = (
  { number, choice }: Extract<Due, { kind: 'due' }>,
  decisions: Decisions,
): Decision => {
  if (choice.kind === 'empty') return { kind: 'empty' };
  const { rung } = choice;
  const pending = { rung, newEpochs: 0, outcome: { status: 'pending' } } as const;
  if (choice.kind === 'propose')
    return { kind: 'unit', configuration: number, point: choice.point, ...pending };
  const { configuration } = choice;
  const { point } = decisions[configuration] as Unit; // only units are promoted
  return { kind: 'unit', configuration, point, ...pending };
};

/** `newEpochs`: of a unit. (Default: none) */
export const simulateSearch = (
  search: Search,
  configurations: number,
  evaluate: (unit: Pick<Unit, 'point' | 'rung'>) => Outcome,
  newEpochs: (unit: Unit) => number = () => 0,
): readonly Decision[] => {
  const decisions: Decision[] = [];
  for (;;) {
    const due = nextDue(search, decisions, configurations);
    if (due.kind !== 'due') return decisions;
    const decision = decisionOf(due, decisions);
    decisions[due.number] =
      decision.kind === 'unit'
        ? { ...decision, newEpochs: newEpochs(decision), outcome: evaluate(decision) }
        : decision;
  }
};
