/** The name of a run among others: its recipe, and the values in which the runs differ. */
import type { LeaderboardRow } from '@funnel/contracts';
import { formatPoint } from '../../format.ts';

type Run = Pick<LeaderboardRow, 'recipe' | 'hyperparameters'>;

/**
 * The hyperparameters that differ between runs, those with the most values within one recipe first: in long names, what tells runs of one
 * recipe apart must not be cut off.
 */
export const differing = (runs: readonly Run[]): string[] => {
  const all = new Map<string, Set<unknown>>();
  const withinRecipe = new Map<string, Map<string, Set<unknown>>>();
  for (const { recipe, hyperparameters } of runs)
    for (const [name, value] of Object.entries(hyperparameters)) {
      all.set(name, (all.get(name) ?? new Set()).add(value));
      const recipes = withinRecipe.get(name) ?? new Map<string, Set<unknown>>();
      withinRecipe.set(name, recipes.set(recipe, (recipes.get(recipe) ?? new Set()).add(value)));
    }
  const most = (name: string): number =>
    Math.max(...[...withinRecipe.get(name)!.values()].map(({ size }) => size));
  return [...all]
    .filter(([, values]) => values.size > 1)
    .sort(([a, x], [b, y]) => most(b) - most(a) || y.size - x.size)
    .map(([name]) => name);
};

/** `γ 5, β 0.02`, of the hyperparameters that the recipe reads; empty if none differs. */
const valuesOf = ({ hyperparameters }: Run, names: readonly string[]): string =>
  formatPoint(
    Object.fromEntries(
      names.filter((name) => name in hyperparameters).map((name) => [name, hyperparameters[name]]),
    ),
  );

/** `funn: γ 5, β 0.02`. */
export const nameOf = (run: Run, names: readonly string[]): string => {
  const values = valuesOf(run, names);
  return values === '' ? run.recipe : `${run.recipe}: ${values}`;
};
