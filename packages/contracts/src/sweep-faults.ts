/** What the parts of a definition have wrong together, by the path that the user should change. A rule reads only parts that have their types. */
import { z } from 'zod';
import { entryFault } from './attacks/presets.ts';
import { didYouMean, joinWithOr } from './did-you-mean.ts';
import {
  type HyperparameterName,
  hyperparameterDeclaration,
  hyperparameterNames,
  isNumeric,
} from './hyperparameters.ts';
import { objectiveFaults } from './ranking.ts';
import { hyperparametersOf, RecipeName } from './recipes.ts';
import { isDecided } from './search.ts';
import { searchFaults } from './search-faults.ts';
import { type Dimension, isRange, rangeFaults } from './search-space.ts';
import type { SweepDefinition } from './sweep.ts';
import { linesFault, nameFault } from './text.ts';

type Fault = { readonly path: readonly PropertyKey[]; readonly message: string; readonly input: unknown };

export const defaultRecipes: RecipeName[] = ['funn'];

/** The hyperparameters that these recipes read, as a user wrote the recipes; all hyperparameters if one of them is no recipe. */
export const hyperparametersReadBy = (written: unknown = defaultRecipes): readonly HyperparameterName[] => {
  const { data: recipes = [] } = z.array(RecipeName).safeParse([written].flat());
  return recipes.length === 0 ? hyperparameterNames : [...new Set(recipes.flatMap(hyperparametersOf))];
};

/** `recipes`: null if they are not known. */
const hyperparameterFaults = (
  name: HyperparameterName,
  dimension: Dimension,
  recipes: readonly RecipeName[] | null,
): readonly Fault[] => {
  const path = ['space', name];
  const read = recipes === null ? hyperparameterNames : hyperparametersReadBy(recipes);
  if (recipes !== null && !read.includes(name)) {
    const question = didYouMean(name, read);
    const message = `Expected a hyperparameter that ${joinWithOr(recipes)} reads, but got the key "${name}"${question ? `. ${question}` : ''}`;
    return [{ path, message, input: name }];
  }
  const hyperparameter = hyperparameterDeclaration(name);
  if (!isNumeric(hyperparameter) || !isRange(dimension)) return [];
  return rangeFaults(hyperparameter, dimension).map(({ path: key, expected }) => ({
    path: [...path, key],
    message: `Expected ${expected}, but got ${dimension[key]}`,
    input: dimension[key],
  }));
};

const textFaults = ({ name, description }: SweepDefinition, isTyped: IsTyped): readonly Fault[] => {
  const rules = [
    ['name', name, nameFault],
    ['description', description, linesFault],
  ] as const;
  return rules.flatMap(([key, input, faultOf]) => {
    const message = isTyped(key) ? faultOf(input) : null;
    return message === null ? [] : [{ path: [key], input, message }];
  });
};

/** Attacks that cannot be meant so. */
const attackFaults = ({ attacks }: SweepDefinition, isTyped: IsTyped): readonly Fault[] =>
  !Array.isArray(attacks)
    ? []
    : attacks.flatMap((entry, at) => {
        const message = isTyped('attacks', at) ? entryFault(entry) : null;
        return message === null ? [] : [{ path: ['attacks', at], input: entry, message }];
      });

/** True for the path of a part that has its type. */
type IsTyped = (...path: readonly PropertyKey[]) => boolean;

/** `isSure`: the part has its type, the attacks have no fault at all, and no misspelt key can stand for the part. */
export const sweepFaults = (
  sweep: SweepDefinition,
  isTyped: IsTyped,
  isSure: (part: 'recipes' | 'space' | 'search' | 'attacks') => boolean,
): readonly Fault[] => {
  const { space, search, attacks, dataset, objective } = sweep;
  const ofAttacks = attackFaults(sweep, isTyped);
  const knowsAttacks = ofAttacks.length === 0 && isSure('attacks') && isTyped('dataset', 'name');
  const recipes = isSure('recipes') ? [...new Set(sweep.recipes)] : null;
  const dimensions = typeof space === 'object' && space !== null ? Object.entries(space) : [];
  return [
    ...textFaults(sweep, isTyped),
    ...ofAttacks,
    ...(objective && knowsAttacks && isTyped('objective')
      ? objectiveFaults({ attacks, dataset, objective })
      : []),
    ...dimensions.flatMap(([name, dimension]) =>
      isTyped('space', name)
        ? hyperparameterFaults(name as HyperparameterName, dimension as Dimension, recipes)
        : [],
    ),
    ...(recipes && knowsAttacks && isSure('space') && isSure('search') && isDecided(search)
      ? searchFaults({ recipes, space, search, attacks, dataset })
      : []),
  ];
};
