/** The space of a sweep file. */
import {
  type HyperparameterName,
  hyperparameterDeclaration,
  hyperparametersOf,
  type SweepDefinition,
} from '@funnel/contracts';
import type { Space, Variable } from './space.ts';

/**
 * The recipe, if the sweep has several, and every hyperparameter of the space that a recipe reads. A hyperparameter that only some of the
 * recipes read is a variable with a condition.
 */
export const spaceOf = ({ recipes, space }: Pick<SweepDefinition, 'recipes' | 'space'>): Space => {
  const different = [...new Set(recipes)];
  const recipe: Variable[] = different.length > 1 ? [{ name: 'recipe', dimension: different }] : [];
  const variables = (Object.keys(space) as HyperparameterName[]).flatMap((name): Variable[] => {
    const dimension = space[name];
    const readers = different.filter((each) => hyperparametersOf(each).includes(name));
    if (dimension === undefined || readers.length === 0) return [];
    return [
      {
        name,
        dimension,
        isWhole: hyperparameterDeclaration(name).kind === 'whole',
        ...(readers.length < different.length && { readWhere: { variable: 'recipe', values: readers } }),
      },
    ];
  });
  return [...recipe, ...variables];
};
