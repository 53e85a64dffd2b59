import { z } from 'zod';
import type { HyperparameterName } from './hyperparameters.ts';
import { adversarialTraining } from './recipes/adversarial-training.ts';
import { classic } from './recipes/classic.ts';
import type { Recipe } from './recipes/define.ts';
import { detector } from './recipes/detector.ts';
import { distillation } from './recipes/distillation.ts';
import { funn } from './recipes/funn.ts';
import { magnet } from './recipes/magnet.ts';
import { trades } from './recipes/trades.ts';

export type { Recipe, TrainingStage } from './recipes/define.ts';

/** The registry: a new recipe is a file in `recipes`, its line here, and its arithmetic in the engine. */
export const recipes = {
  funn,
  classic,
  'adversarial-training': adversarialTraining,
  trades,
  distillation,
  magnet,
  detector,
} as const satisfies Record<string, Recipe>;

export type RecipeName = keyof typeof recipes;
export const recipeNames = Object.keys(recipes) as RecipeName[];
export const RecipeName = z.enum(recipeNames as [RecipeName, ...RecipeName[]]);

/** The hyperparameters that change anything about a trial of this recipe, in declaration order. */
export const hyperparametersOf = (name: RecipeName): readonly HyperparameterName[] => {
  const stages: Recipe['stages'] = recipes[name].stages;
  return [...new Set(stages.flatMap((stage) => [...stage.reads, ...stage.lengthOf]))];
};
