/** The report `docs/findings.md`. The same sweeps always give the same text. A section appears only with its sweeps. */

import { bullets } from '../format.ts';
import { printedFaults } from '../printed.ts';
import type { Report } from '../report.ts';
import type { SweepResults } from '../results.ts';
import { beyondOf, beyondSections } from './beyond.ts';
import { findingsData } from './data.ts';
import { reproductionOf, reproductionSections } from './reproduction.ts';

/** Sweeps of one part are read as one: their configurations stand in the same tables. */
export type FindingsSweeps = {
  readonly reproduction: readonly SweepResults[];
  readonly fullSize: readonly SweepResults[];
  readonly beyond: readonly SweepResults[];
  readonly baselines: readonly SweepResults[];
};

const nothing = { sections: [], figures: [] };

/** `data`: the numbers behind the text, for `--json`. */
export const renderFindings = (sweeps: FindingsSweeps) => {
  const reproduction =
    sweeps.reproduction.length > 0 ? reproductionOf(sweeps.reproduction, sweeps.fullSize) : null;
  const beyond = sweeps.beyond.length > 0 ? beyondOf(sweeps.beyond, sweeps.baselines) : null;
  const parts = [
    reproduction ? reproductionSections(reproduction, sweeps.reproduction, sweeps.fullSize) : nothing,
    beyond ? beyondSections(beyond, sweeps.beyond, sweeps.baselines) : nothing,
  ];
  const report: Report = {
    text: `${[
      '# Findings on the paper',
      '`npx funnel report findings` writes this page from the results of its sweeps. Every number of ours comes from the sweeps, and so does every sentence about such a number.',
      ...parts.flatMap(({ sections }) => sections),
      ...(reproduction ? ['## What the printed table says about itself', bullets(printedFaults())] : []),
    ].join('\n\n')}\n`,
    figures: parts.flatMap(({ figures }) => figures),
  };
  return { report, data: findingsData(reproduction, beyond) };
};
