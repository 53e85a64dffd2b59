/** What every search strategy has: words for people, the spaces that it can search, and a pure function that proposes a point. */
import type { Observation } from '../observation.ts';
import type { Axis, Point } from '../space.ts';

export type Proposal = {
  readonly axes: readonly Axis[];
  /** The earlier proposals in the order of their decisions. */
  readonly observations: readonly Observation[];
  /** The number of proposals before this one. */
  readonly index: number;
  /** 0; then 1, 2 … while the sweep already has the proposed point. */
  readonly attempt: number;
  readonly seed: number;
};

export type Strategy = {
  readonly title: string;
  /** When to use it, in one line. */
  readonly description: string;
  readonly maxObjectives: number;
  /** Whether it can search categories and variables with conditions. */
  readonly handlesCategories: boolean;
  /** The same proposal gives the same point on every machine. */
  readonly propose: (proposal: Proposal) => Point;
};
