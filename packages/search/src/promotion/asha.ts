/** Asynchronous successive halving (Li et al. 2020, algorithm 2): promotes as soon as a unit is in the best 1/η of its rung so far. */
import type { Decisions } from '../decision.ts';
import { needAllBut, type PromotionRule, type RuleOptions, rungsOf, type Step } from './promotion.ts';
import { endedAt, ranked } from './ranking.ts';

/** Which configurations have a unit at the rung, whatever its outcome. */
const configurationsAt = (decisions: Decisions, rung: number): ReadonlySet<number> =>
  new Set(
    decisions.flatMap((decision) =>
      decision?.kind === 'unit' && decision.rung === rung ? [decision.configuration] : [],
    ),
  );

export const asha = ({ fidelity, parallelism }: RuleOptions): PromotionRule => {
  const top = rungsOf(fidelity).length - 1;
  return {
    need: needAllBut(parallelism),
    reach: 1,
    step: (_number, decisions): Step => {
      for (let rung = top - 1; rung >= 0; rung--) {
        const ended = endedAt(decisions, rung);
        const promoted = configurationsAt(decisions, rung + 1);
        const best = ranked(ended).slice(0, Math.floor(ended.length / fidelity.eta));
        const place = best.findIndex(({ configuration }) => !promoted.has(configuration));
        if (place >= 0)
          return {
            kind: 'promote',
            configuration: best[place]!.configuration,
            rung: rung + 1,
            place: place + 1,
            among: ended.length,
          };
      }
      return { kind: 'propose', rung: 0 };
    },
  };
};
