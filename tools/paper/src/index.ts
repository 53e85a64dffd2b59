/** The two reports on the paper: a sweep beside its Table 2, and what a search over its open choices finds. */
export { type FindingsSweeps, renderFindings } from './findings/report.ts';
export type { Report } from './report.ts';
export { readResults, type SweepResults, type TrialResult, writeResults } from './results.ts';
export { renderTable2 } from './table2/report.ts';
