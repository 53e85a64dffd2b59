/** The rules by which a search stops before it has all of its configurations. */
import type { Decisions, Unit } from './decision.ts';
import { hasEnded } from './observation.ts';

/** An absent rule never holds. */
export type StopRules = {
  /** The search stops when its units have this many epochs. */
  readonly epochs?: number | undefined;
  /** The search stops when so many outcomes in a row have brought no better value. */
  readonly decisionsWithoutImprovement?: number | undefined;
};

/**
 * The number of units since the last one that improved on those before it: by a higher rung, or at the same rung by utilities that no earlier
 * unit reaches in all objectives.
 */
const countSinceImprovement = (ended: readonly Unit[]): number => {
  let rung = -1;
  let best: (readonly number[])[] = [];
  let since = 0;
  for (const { outcome, rung: reached } of ended) {
    since += 1;
    if (outcome.status !== 'measured' || reached < rung) continue;
    if (reached > rung) best = [];
    rung = reached;
    const { utilities } = outcome;
    if (best.some((other) => other.every((utility, objective) => utility >= utilities[objective]!))) continue;
    best.push(utilities);
    since = 0;
  }
  return since;
};

/** Whether a rule holds. `seen`: the decisions as the next one sees them, so that the rules hold whatever the workers do. */
export const isStopped = ({ epochs, decisionsWithoutImprovement }: StopRules, seen: Decisions): boolean => {
  const units = seen.filter((decision): decision is Unit => decision?.kind === 'unit');
  if (epochs !== undefined && units.reduce((sum, { newEpochs }) => sum + newEpochs, 0) >= epochs) return true;
  if (decisionsWithoutImprovement === undefined) return false;
  const ended = units.filter(({ outcome }) => hasEnded(outcome));
  return countSinceImprovement(ended) >= decisionsWithoutImprovement;
};
