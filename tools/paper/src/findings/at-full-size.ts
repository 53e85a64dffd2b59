/** The command that trains the nearest settings again, at the sizes of the paper: a search that tries exactly these points. */
import type { HyperparameterValue, SearchPoint } from '@funnel/contracts';
import { paperSizes, submitCommand } from '../conditions.ts';
import type { SweepResults } from '../results.ts';
import type { Setting } from './settings.ts';

const valuesAmong = (name: string, settings: readonly Setting[]): readonly HyperparameterValue[] => [
  ...new Set(settings.map(({ configuration }) => configuration.hyperparameters[name]!)),
];

/** Null for fewer than two settings: a search has at least two points. */
export const fullSizeCommand = (
  nearest: readonly Setting[],
  { sweep: { definition } }: SweepResults,
): string | null => {
  if (nearest.length < 2) return null;
  const space = Object.fromEntries(
    Object.keys(definition.space).map((name) => {
      const values = valuesAmong(name, nearest);
      return [name, values.length === 1 ? values[0]! : values];
    }),
  );
  const varying = Object.keys(space).filter((name) => Array.isArray(space[name]));
  const points = nearest.map(
    ({ configuration: { hyperparameters } }): SearchPoint =>
      Object.fromEntries(varying.map((name) => [name, hyperparameters[name]!])),
  );
  const trials = nearest.length;
  return submitCommand('examples/reproduction.yaml', {
    name: 'Nearest settings',
    dataset: { name: definition.dataset.name, ...paperSizes },
    space,
    search: { strategy: 'tpe', trials, parallelism: trials, try: points },
    seeds: definition.seeds,
    attacks: definition.attacks,
    objective: definition.objective,
  });
};
