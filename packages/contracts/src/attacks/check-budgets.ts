/** The radii at which the checks of evaluations attack. They are part of the identity of an attack stage: see `checksAtEpsilon`. */
import type { Budgets } from '../datasets.ts';
import { type Run, threatModelOf } from '../ranking.ts';

/** Below this share of the usual ε hardly any image of any model is fooled, so there the checks would compare attacks that find nothing. */
const smallestShare = 0.1;

/**
 * The usual radii of the data set, with the largest fixed L∞ ε of these attacks in place of the usual one. The checks attack in L∞ only, so an
 * ε in another norm changes nothing.
 */
export const checkBudgets = (runs: readonly Run[], usual: Budgets): Budgets => {
  const { linf } = threatModelOf(runs);
  return linf === undefined || linf < smallestShare * usual.linf ? usual : { ...usual, linf };
};
