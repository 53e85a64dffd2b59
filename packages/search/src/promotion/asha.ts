/** Asynchronous successive halving (Li et al. 2020, algorithm 2): promotes as soon as a unit is in the best 1/η of its rung so far. */
import type { Decisions } from '../decision.ts';
import { startUpPoints } from '../observation.ts';
import { createRandom } from '../random.ts';
import {
  needAllBut,
  type PlannedUnit,
  type PlannedUnits,
  type PromotionRule,
  type RuleOptions,
  rungsOf,
  type Step,
} from './promotion.ts';
import { endedAt, ranked } from './ranking.ts';

/** Which configurations have a unit at the rung, whatever its outcome. */
const configurationsAt = (decisions: Decisions, rung: number): ReadonlySet<number> =>
  new Set(
    decisions.flatMap((decision) =>
      decision?.kind === 'unit' && decision.rung === rung ? [decision.configuration] : [],
    ),
  );

/** The number of values that are larger; `sorted` is in descending order. */
const rankIn = (sorted: readonly number[], value: number): number => {
  let low = 0;
  for (let high = sorted.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! > value) low = middle + 1;
    else high = middle;
  }
  return low;
};

/** Decision `number` knows the outcomes of so many of the first units, if all earlier units run or have ended. */
const countKnown = (number: number, { order, parallelism }: RuleOptions): number =>
  order === 'reproducible' && number < startUpPoints ? 0 : Math.max(0, number - parallelism + 1);

/**
 * The units if the outcomes are random and a configuration has the same outcome at each rung. The same rule as `step` for outcomes that
 * arrive one by one, in a thousandth of the time.
 */
const planAsha = (configurations: number, top: number, options: RuleOptions): PlannedUnits => {
  const { eta } = options.fidelity;
  const random = createRandom('plan of asha');
  const outcomes = Array.from({ length: configurations }, random.uniform);
  const numbers = new Map(outcomes.map((outcome, configuration) => [outcome, configuration]));
  /** At each rung, best first: the outcomes of all units that have ended, and of those that were not promoted. */
  const rungs = Array.from({ length: top + 1 }, () => ({ all: [] as number[], left: [] as number[] }));
  const units: PlannedUnit[] = [];
  const end = ({ configuration, rung }: PlannedUnit): void => {
    const outcome = outcomes[configuration]!;
    for (const sorted of [rungs[rung]!.all, rungs[rung]!.left])
      sorted.splice(rankIn(sorted, outcome), 0, outcome);
  };
  const promote = (): PlannedUnit | null => {
    for (let rung = top - 1; rung >= 0; rung--) {
      const { all, left } = rungs[rung]!;
      const [best] = left;
      if (best === undefined || rankIn(all, best) >= Math.floor(all.length / eta)) continue;
      left.shift();
      return { configuration: numbers.get(best)!, rung: rung + 1 };
    }
    return null;
  };
  let ended = 0;
  let proposed = 0;
  for (;;) {
    for (const known = countKnown(units.length, options); ended < known; ended++) end(units[ended]!);
    const promoted = promote();
    if (!promoted && proposed === configurations) return { units, missing: 0 };
    units.push(promoted ?? { configuration: proposed++, rung: 0 });
  }
};

export const asha = (options: RuleOptions): PromotionRule => {
  const { fidelity } = options;
  const top = rungsOf(fidelity).length - 1;
  return {
    need: needAllBut(options),
    competitionOf: () => null,
    plan: (configurations) => planAsha(configurations, top, options),
    reach: 1,
    step: (_number, decisions): Step => {
      for (let rung = top - 1; rung >= 0; rung--) {
        const ended = endedAt(decisions, rung);
        const promoted = configurationsAt(decisions, rung + 1);
        const best = ranked(ended.map(({ unit }) => unit)).slice(0, Math.floor(ended.length / fidelity.eta));
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
