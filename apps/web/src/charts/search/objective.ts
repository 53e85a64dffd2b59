/** An objective of a search, as its charts show it. */
import type { SearchState } from '@funnel/contracts';
import { formatMetric } from '../../statistics/objective.ts';

export type ShownObjective = {
  /** The place of its value in the outcomes. */
  readonly place: number;
  readonly title: string;
  readonly direction: 'max' | 'min';
  readonly format: (value: number) => string;
};

export const shownObjectives = ({ objectives }: SearchState): readonly ShownObjective[] =>
  objectives.map(({ title, metric, direction }, place) => ({
    ...{ place, title, direction },
    format: formatMetric(metric),
  }));

/** `higher is better`. */
export const directionText = ({ direction }: ShownObjective): string =>
  direction === 'max' ? 'higher is better' : 'lower is better';
