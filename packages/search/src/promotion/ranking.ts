/** The order of the units of a rung. */
import { type Decisions, isProposal, type Unit } from '../decision.ts';
import { bestFirst } from '../models/pareto.ts';
import {
  finiteUtilities,
  hasEnded,
  type Measured,
  type Observation,
  type Outcome,
  startUpPoints,
} from '../observation.ts';

type Ended = { readonly number: number; readonly unit: Unit };

/** The units of a rung that have ended, by number. */
export const endedAt = (decisions: Decisions, rung: number): readonly Ended[] =>
  decisions.flatMap((decision, number) =>
    decision?.kind === 'unit' && decision.rung === rung && hasEnded(decision.outcome)
      ? [{ number, unit: decision }]
      : [],
  );

/** The good units, best first (ties: the earlier one). Bad units rank below all of them and are not promoted. */
export const ranked = <U extends { readonly outcome: Outcome }>(units: readonly U[]): readonly U[] => {
  const good = units.filter((unit): unit is U & { outcome: Measured } => unit.outcome.status === 'measured');
  return bestFirst(finiteUtilities(good)).map((index) => good[index]!);
};

/**
 * What a strategy learns from: the outcomes of the highest rung that has as many as a search needs to learn (Falkner et al. 2018, "BOHB"), and
 * the points without any outcome. Proposals come in the order of their numbers.
 */
export const observationsOf = (decisions: Decisions): readonly Observation[] => {
  const top = decisions.reduce(
    (max, decision) => (decision?.kind === 'unit' ? Math.max(max, decision.rung) : max),
    0,
  );
  let rung = top;
  while (rung > 0 && endedAt(decisions, rung).length < startUpPoints) rung--;
  const outcomes = new Map(endedAt(decisions, rung).map(({ unit }) => [unit.configuration, unit.outcome]));
  const measured = new Set(
    decisions.flatMap((decision) =>
      decision?.kind === 'unit' && hasEnded(decision.outcome) ? [decision.configuration] : [],
    ),
  );
  return decisions.flatMap((decision, number): Observation[] => {
    if (!isProposal(decision, number)) return [];
    const outcome = outcomes.get(number);
    if (outcome) return [{ point: decision.point, outcome }];
    return measured.has(number) ? [] : [{ point: decision.point, outcome: { status: 'pending' } }];
  });
};
