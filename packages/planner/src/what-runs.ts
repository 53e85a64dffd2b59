/** What a sweep runs besides the values of its search space: recipes, seeds, attacks with all of their settings, and the defaults. */
import {
  dataOf,
  defaultHyperparameters,
  type HyperparameterName,
  hyperparametersOf,
  isDecided,
  isPromoting,
  type Plan,
  type SweepDefinition,
  sweepDataset,
} from '@funnel/contracts';
import type { Outline } from './outline.ts';

/** A plan shows this many seeds. */
const maxSeeds = 100;

/** The hyperparameters to which the space, or the search itself, gives values. */
const chosenIn = ({ space, search }: SweepDefinition): ReadonlySet<string> =>
  new Set([
    ...Object.keys(space),
    ...(isDecided(search) && isPromoting(search) ? [search.fidelity.hyperparameter] : []),
  ]);

export const whatRuns = (
  definition: SweepDefinition,
  { attacks }: Pick<Outline, 'attacks'>,
): NonNullable<Plan['runs']> => {
  const recipes = [...new Set(definition.recipes)];
  const chosen = chosenIn(definition);
  const others = [...new Set(recipes.flatMap(hyperparametersOf))].filter((name) => !chosen.has(name));
  const { content, ...dataset } = sweepDataset(definition.dataset);
  return {
    recipes,
    dataset: { ...dataset, classes: content?.classes.length ?? dataOf(dataset).classCount },
    seeds: [...new Set(definition.seeds)].slice(0, maxSeeds),
    attacks: attacks.map(({ attack, settings }) => ({ attack, settings: { ...settings } })),
    defaults: Object.fromEntries(
      others.map((name: HyperparameterName) => [name, defaultHyperparameters[name]]),
    ),
  };
};
