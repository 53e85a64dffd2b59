/** Runs a search with workers that take units side by side and end them in a random order. */
import type { Decision, Unit } from '../../src/decision.ts';
import { nextDue } from '../../src/next-due.ts';
import type { Outcome } from '../../src/observation.ts';
import { createRandom } from '../../src/random.ts';
import type { Search } from '../../src/search.ts';
import { decisionOf } from '../../src/simulate.ts';

export const runWorkers = (
  search: Search,
  configurations: number,
  evaluate: (unit: Pick<Unit, 'point' | 'rung'>) => Outcome,
  {
    workers,
    order,
    slow = [],
    newEpochs = () => 0,
  }: {
    readonly workers: number;
    readonly order: number;
    readonly slow?: readonly number[];
    readonly newEpochs?: (unit: Unit) => number;
  },
): readonly Decision[] => {
  const random = createRandom('workers', order);
  const decisions: Decision[] = [];
  const open: number[] = [];
  for (;;) {
    // Decides all that is due, though no worker is free: what is known early must not matter.
    for (let due = nextDue(search, decisions, configurations); due.kind === 'due'; ) {
      const decision = decisionOf(due, decisions);
      decisions[due.number] =
        decision.kind === 'unit' ? { ...decision, newEpochs: newEpochs(decision) } : decision;
      if (decision.kind === 'unit') open.push(due.number);
      due = nextDue(search, decisions, configurations);
    }
    if (open.length === 0) return decisions;
    open.sort((a, b) => a - b);
    const running = open.slice(0, workers);
    const fast = running.filter((number) => !slow.includes(number));
    const number = fast.length > 0 ? fast[random.below(fast.length)]! : running[0]!;
    open.splice(open.indexOf(number), 1);
    const unit = decisions[number] as Unit; // only units are open
    decisions[number] = { ...unit, outcome: evaluate(unit) };
  }
};
