/** What defines a search. */
import type { Observation } from './observation.ts';
import type { Fidelity, Order } from './promotion/promotion.ts';
import type { PromotionName } from './promotion/registry.ts';
import type { Point, Space } from './space.ts';
import type { StopRules } from './stop.ts';
import type { StrategyName } from './strategies/registry.ts';

export type Search = {
  readonly space: Space;
  readonly strategy: StrategyName;
  readonly objectives: number;
  readonly seed: number;
  /**
   * Reproducible: decision n knows the outcomes up to n − `parallelism`, and 1 is sequential; brackets do not read it. Asynchronous: a proposal
   * waits while so many units are pending.
   */
  readonly parallelism: number;
  readonly order: Order;
  readonly promotion: { readonly rule: PromotionName; readonly fidelity: Fidelity } | null;
  /** Outcomes of other sweeps on the same space. */
  readonly earlier: readonly Observation[];
  /** The points of the first proposals. */
  readonly tryFirst: readonly Point[];
  /** Points that users asked for and that no decision has proposed yet. The next proposal takes the first one. */
  readonly handPoints: readonly Point[];
  readonly stop: StopRules;
};
