import { z } from 'zod';
import type { HyperparameterName } from '../hyperparameters.ts';
import { adversarialTraining } from './adversarial-training.ts';
import { classic } from './classic.ts';
import type { Recipe } from './define.ts';
import { detector } from './detector.ts';
import { distillation } from './distillation.ts';
import { funn } from './funn.ts';
import { magnet } from './magnet.ts';
import { trades } from './trades.ts';

export type { Recipe, TrainingStage } from './define.ts';

/** The registry: a new recipe is a file beside these, its line here, and its arithmetic in the engine. */
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

/** The knobs that change anything about a trial of this recipe, in declaration order. */
export const knobsOf = (name: RecipeName): readonly HyperparameterName[] => {
  const stages: Recipe['stages'] = recipes[name].stages;
  return [...new Set(stages.flatMap((stage) => [...stage.reads, ...stage.lengthOf]))];
};
