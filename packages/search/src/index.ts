export { type Choice, type Due, decide, nextDue, type Search } from './decide.ts';
export type { Decision, Decisions, Unit } from './decision.ts';
export { hypervolume } from './models/pareto.ts';
export type { Observation, Outcome } from './observation.ts';
export { rungsOf } from './promotion/promotion.ts';
export { promotionNames } from './promotion/registry.ts';
export { decisionOf, simulateSearch } from './simulate.ts';
export type { Point, Space, Variable } from './space.ts';
export { type StrategyName, strategies, strategyNames } from './strategies/registry.ts';
