export { type BegunSearch, beginSearch } from './begin-search.ts';
export { checkPoint, extendedDefinition } from './change-search.ts';
export { describeDecisions } from './describe-decisions.ts';
export { describeSearch } from './describe-search.ts';
export { nextDecision } from './next-decision.ts';
export { outlineSearch } from './outline-search.ts';
export { startProposer } from './start-proposer.ts';
export { wantedValues } from './wanted-values.ts';
