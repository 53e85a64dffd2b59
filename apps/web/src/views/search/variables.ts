/** The hyperparameters that a search varies, as fields for a point. */
import {
  type Dimension,
  type HyperparameterName,
  type HyperparameterValue,
  hyperparametersOf,
  isRange,
  type RecipeName,
  type SearchPoint,
  type StoredDefinition,
} from '@funnel/contracts';
import { formatHyperparameter } from '../../format.ts';
import { hyperparameterValueOf } from '../new-sweep/typed.ts';

export type Variable = {
  readonly name: string;
  /** The values to choose from; null for a range, whose values a user types. */
  readonly choices: readonly HyperparameterValue[] | null;
  /** `0.1 to 10`; empty for choices. */
  readonly range: string;
  /** The recipes that read it. */
  readonly readers: readonly RecipeName[];
};

const variableOf = (name: string, dimension: Dimension, readers: readonly RecipeName[]): Variable => {
  if (!isRange(dimension)) {
    const list: readonly HyperparameterValue[] = Array.isArray(dimension) ? dimension : [dimension];
    return { name, readers, choices: [...new Set(list)], range: '' };
  }
  const { min, max, count, step } = dimension;
  const spacing = count !== undefined ? `, ${count} values` : step !== undefined ? `, steps of ${step}` : '';
  const range = `${formatHyperparameter(min)} to ${formatHyperparameter(max)}${spacing}`;
  return { name, readers, choices: null, range };
};

/** `recipe` first, if there are several. Hyperparameters with one value are left out. */
export const variablesOf = ({
  recipes,
  space,
}: Pick<StoredDefinition, 'recipes' | 'space'>): readonly Variable[] => {
  const different = [...new Set(recipes)];
  const variables = Object.entries(space).flatMap(([name, dimension]) => {
    const readers = different.filter((recipe) =>
      hyperparametersOf(recipe).includes(name as HyperparameterName),
    );
    const isFixed = dimension !== undefined && isRange(dimension) && dimension.min === dimension.max;
    return dimension === undefined || isFixed ? [] : [variableOf(name, dimension, readers)];
  });
  return [variableOf('recipe', different, different), ...variables].filter(
    ({ choices }) => choices === null || choices.length > 1,
  );
};

/** The values of the variables in a point: without those that all points of the search have. */
export const searchedPart = (variables: readonly Variable[], point: SearchPoint): SearchPoint =>
  Object.fromEntries(variables.flatMap(({ name }) => (name in point ? [[name, point[name]!]] : [])));

/** The variables that the chosen recipe reads. `texts`: what a user typed, by name. */
export const readVariables = (
  variables: readonly Variable[],
  texts: Readonly<Record<string, string>>,
): readonly Variable[] =>
  variables.filter(
    ({ readers }) => texts.recipe === undefined || readers.some((recipe) => recipe === texts.recipe),
  );

/** The point that a user typed. A text that is no number stays a text, which the server refuses. */
export const typedPoint = (
  variables: readonly Variable[],
  texts: Readonly<Record<string, string>>,
): SearchPoint =>
  Object.fromEntries(
    readVariables(variables, texts).map(({ name }) => [name, hyperparameterValueOf(name, texts[name] ?? '')]),
  );

/** The texts of a point, and the first choice of every variable that it does not have. */
export const pointTexts = (
  variables: readonly Variable[],
  point: SearchPoint,
): Readonly<Record<string, string>> =>
  Object.fromEntries(variables.map(({ name, choices }) => [name, String(point[name] ?? choices?.[0] ?? '')]));
