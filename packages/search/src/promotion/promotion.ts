/** What every promotion rule has. A rule says what a decision needs, and whether it proposes or promotes. */
import { AppError } from '@funnel/contracts';
import type { Decisions } from '../decision.ts';
import { startUpPoints } from '../observation.ts';

/** The fidelity is a number of epochs: units at the highest rung train for `max` epochs. */
export type Fidelity = { readonly min: number; readonly max: number; readonly eta: number };

export type Step =
  | { readonly kind: 'propose'; readonly rung: number }
  | {
      readonly kind: 'promote';
      readonly configuration: number;
      readonly rung: number;
      /** The configuration's place among the units of the rung below, from 1, and their number. */
      readonly place: number;
      readonly among: number;
    }
  | { readonly kind: 'empty' };

/** What decision `number` needs of an earlier one: nothing, that it was made, or the outcome of its unit. */
export type Need = 'nothing' | 'decision' | 'outcome';

/**
 * `reproducible`: a decision needs the outcomes of a set of units that its number alone decides. `asynchronous`: it needs only those that a
 * promotion compares, and uses all others that are known.
 */
export type Order = 'reproducible' | 'asynchronous';

/** A unit of a plan. `configuration`: 0 for the first proposal, and so on. */
export type PlannedUnit = { readonly configuration: number; readonly rung: number };

/** `missing`: the number of configurations that the last bracket lacks, so that it promotes none; 0 for other rules. */
export type PlannedUnits = { readonly units: readonly PlannedUnit[]; readonly missing: number };

/** The units that compete for promotion with each other: `count` decisions from number `first` on, of which `promoted` go on. */
export type Competition = { readonly first: number; readonly count: number; readonly promoted: number };

export type PromotionRule = {
  readonly need: (number: number, earlier: number) => Need;
  /** Decisions before the first one that is not made + `reach` may be due, so long as they do not need it. */
  readonly reach: number;
  /** `decisions`: the earlier ones that the decision needs; a unit whose outcome it does not need is pending. */
  readonly step: (number: number, decisions: Decisions) => Step;
  /** In which competition a decision's unit is; null if all units of its rung compete. */
  readonly competitionOf: (number: number) => Competition | null;
  /** The units of a search with so many configurations if all outcomes are good. */
  readonly plan: (configurations: number) => PlannedUnits;
};

export type RuleOptions = {
  readonly fidelity: Fidelity;
  readonly parallelism: number;
  readonly order: Order;
};

/**
 * Every decision knows those before. In the reproducible order it needs their outcomes, except for the last `parallelism` − 1, so that as many
 * units run side by side. The first decisions need no outcome.
 */
export const needAllBut =
  ({ parallelism, order }: Omit<RuleOptions, 'fidelity'>): PromotionRule['need'] =>
  (number, earlier) =>
    order === 'reproducible' && number >= startUpPoints && earlier <= number - parallelism
      ? 'outcome'
      : 'decision';

/**
 * The epochs of each rung, in ascending order: max / ηᵏ for every k for which this is at least min, rounded to whole epochs (Li et al. 2018,
 * algorithm 1). Throws INVALID_REQUEST.
 */
export const rungsOf = ({ min, max, eta }: Fidelity): readonly number[] => {
  const refuse = (path: string, expected: string, received: number): never => {
    throw new AppError('INVALID_REQUEST', `Expected ${expected}, but got ${received}`, {
      issues: [{ path: `search.${path}`, expected, received: String(received) }],
    });
  };
  if (!(eta >= 2 && eta <= 100)) refuse('eta', 'eta from 2 to 100', eta);
  if (!(Number.isInteger(min) && min >= 1))
    refuse('fidelity.min', 'a whole number of epochs, at least 1', min);
  if (!(Number.isInteger(max) && max > min))
    refuse('fidelity.max', `a whole number of epochs above ${min}`, max);
  const rungs: number[] = [];
  // The tolerance keeps 27 / 3³ ≥ 1 in spite of rounding.
  for (let epochs = max; epochs >= min * (1 - 1e-9); epochs /= eta) rungs.unshift(Math.round(epochs));
  if (rungs.length < 2) refuse('fidelity.max', `at least ${min * eta} epochs, for a second rung`, max);
  return rungs;
};
