export { type BegunSearch, beginSearch } from './begin-search.ts';
export { decidedSearchOf, rungEpochsOf, wantedValues } from './decided-search.ts';
export { firstDecision, type NextDecision, nextDecision } from './next-decision.ts';
export { outlineSearch } from './outline-search.ts';
export { searchOf } from './search-of.ts';
export type * from './search-record.ts';
export { type StartProposerOptions, startProposer } from './start-proposer.ts';
export { createOutcomeOf, outcomesOf, type UnitOutcome } from './unit-outcome.ts';
export { outlineUnit, strideOf, varyingOf } from './unit-plan.ts';
