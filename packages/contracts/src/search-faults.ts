/** What is wrong with a search that decides one configuration after the other, by the path that the user should change. */
import { needsSurrogates } from './attacks/define-attack.ts';
import { expandAttacks } from './attacks/presets.ts';
import { attacks as declaredAttacks } from './attacks.ts';
import { readConstraint } from './constraints.ts';
import { budgetsOfChoice } from './dataset-spec.ts';
import {
  type HyperparameterName,
  hyperparameterDeclaration,
  hyperparameterNames,
  isNumeric,
} from './hyperparameters.ts';
import { metricFault } from './ranking.ts';
import { recipes as declaredRecipes, hyperparametersOf, type Recipe, type RecipeName } from './recipes.ts';
import { type DecidedSearch, isPromoting, type PromotingSearch } from './search.ts';
import { type Dimension, isRange, type SearchSpace } from './search-space.ts';
import type { SweepDefinition } from './sweep.ts';

type Fault = {
  readonly path: readonly (string | number)[];
  readonly message: string;
  readonly input: unknown;
};

type Parts = Pick<SweepDefinition, 'attacks' | 'dataset' | 'space'> & {
  readonly recipes: readonly RecipeName[];
  readonly search: DecidedSearch;
};

const fault = (path: Fault['path'], expected: string, received: string, input: unknown): Fault => ({
  path,
  message: `Expected ${expected}, but got ${received}`,
  input,
});

/** The hyperparameters that only decide how long a stage of the recipe trains. */
const lengthsOf = (recipe: RecipeName): readonly HyperparameterName[] =>
  (declaredRecipes[recipe] as Recipe).stages.flatMap(({ lengthOf }) => lengthOf);

/** The hyperparameters that can be the fidelity: each recipe trains so many epochs of one of its stages. */
export const fidelitiesOf = (recipes: readonly RecipeName[]): readonly HyperparameterName[] =>
  hyperparameterNames.filter((name) => recipes.every((recipe) => lengthsOf(recipe).includes(name)));

const fidelityFaults = ({ fidelity }: PromotingSearch, { recipes, space }: Parts): readonly Fault[] => {
  const { hyperparameter, min, max } = fidelity;
  const path = ['search', 'fidelity'];
  const possible = fidelitiesOf(recipes);
  const name = possible.find((each) => each === hyperparameter);
  if (name === undefined) {
    const which = possible.length > 0 ? possible.join(' or ') : 'other recipes: these have none in common';
    const expected = `a hyperparameter that counts the epochs of a stage of every recipe (${which})`;
    return [fault([...path, 'hyperparameter'], expected, hyperparameter, hyperparameter)];
  }
  if (space[name] !== undefined)
    return [
      fault(
        ['space', name],
        `a space without ${name}, since the search itself sets it, from ${min} to ${max}`,
        `values of ${name}`,
        name,
      ),
    ];
  const declared = hyperparameterDeclaration(name);
  const limit = isNumeric(declared) ? declared.bounds.max : max;
  if (max > limit) return [fault([...path, 'max'], `at most ${limit} epochs`, `${max}`, max)];
  return min < max ? [] : [fault([...path, 'max'], `more than min=${min} epochs`, `${max}`, max)];
};

/** Whether the dimension has only one value. */
export const isFixed = (dimension: Dimension): boolean =>
  isRange(dimension)
    ? dimension.min === dimension.max
    : !Array.isArray(dimension) || new Set(dimension).size === 1;

/** True if the space has more than one point. */
const varies = ({ space, recipes }: Pick<Parts, 'space' | 'recipes'>): boolean =>
  recipes.length > 1 ||
  Object.values(space as SearchSpace).some((dimension) => dimension !== undefined && !isFixed(dimension));

/** Constraints on a metric that no attack of the sweep gives. */
const constraintFaults = ({ search, attacks, dataset }: Parts): readonly Fault[] => {
  const runs = expandAttacks(attacks, { budgets: budgetsOfChoice(dataset) });
  return search.constraints.flatMap((text, place) => {
    const condition = readConstraint(text);
    const found = condition?.kind === 'metric' ? metricFault(condition, runs) : null;
    return found ? [{ path: ['search', 'constraints', place], message: found.message, input: text }] : [];
  });
};

const needsSurrogate = ({ attacks, dataset }: Parts): string | undefined =>
  expandAttacks(attacks, { budgets: budgetsOfChoice(dataset) }).find(({ attack }) =>
    needsSurrogates(declaredAttacks[attack]),
  )?.attack;

/**
 * Faults that the parts of the definition have together. Each part is right by itself. A plan also refuses what a strategy cannot search, and
 * points to try that are not in the space (`packages/search`).
 */
export const searchFaults = (parts: Parts): readonly Fault[] => {
  const { search, attacks, recipes, space } = parts;
  const hasUnread = (Object.keys(space) as HyperparameterName[]).some((name) =>
    recipes.every((recipe) => !hyperparametersOf(recipe).includes(name)),
  );
  if (hasUnread) return []; // the sweep is refused for this
  const transfer = needsSurrogate(parts);
  return [
    ...(varies(parts) ? [] : [fault(['space'], 'a space with at least two points', 'one point', space)]),
    ...(isPromoting(search) ? fidelityFaults(search, parts) : []),
    ...constraintFaults(parts),
    ...(transfer === undefined
      ? []
      : [
          fault(
            'preset' in attacks ? ['attacks', 'preset'] : ['attacks'],
            `no transfer attack with ${search.strategy}, since its images come from trials that the search has not decided`,
            transfer,
            transfer,
          ),
        ]),
  ];
};
