/** What the rows of a search's units have in common. It follows from the sweep file, since trials come later. */
import {
  hyperparametersOf,
  isFixed,
  isPromoting,
  type Recipe,
  recipes,
  type SweepDefinition,
} from '@funnel/contracts';
import { spaceOf } from '@funnel/search';
import { countSeeds, decidedSearchOf } from './decided-search.ts';
import { attacksOf } from './wanted-values.ts';

/** More than the stages of any decision: the distance between the ordinals of the first stages of two decisions. */
export const strideOf = (definition: SweepDefinition): number => {
  const training = Math.max(...definition.recipes.map((name) => (recipes[name] as Recipe).stages.length));
  return countSeeds(definition) * (training + attacksOf(definition).length);
};

/**
 * The hyperparameters whose values may differ between trials, and `recipe` if there are several: those of the space with several values, the
 * fidelity, and those that not all recipes read.
 */
export const varyingOf = (definition: SweepDefinition): ReadonlySet<string> => {
  const search = decidedSearchOf(definition);
  const different = [...new Set(definition.recipes)];
  const read = new Set(different.flatMap(hyperparametersOf));
  const partly = [...read].filter(
    (name) => !different.every((each) => hyperparametersOf(each).includes(name)),
  );
  return new Set([
    ...spaceOf(definition).flatMap(({ name, dimension }) => (isFixed(dimension) ? [] : [name])),
    ...(isPromoting(search) ? [search.fidelity.hyperparameter] : []),
    ...partly,
  ]);
};
