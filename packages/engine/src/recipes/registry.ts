/** The arithmetic of every recipe. The code does not compile if `contracts/recipes` declares a recipe or stage that is missing here. */

import type { RecipeName } from '@funnel/contracts';
import type { KindsOf, StageHyperparameters, StageRecipe } from '../training/stage.ts';
import * as adversarialTraining from './adversarial-training.ts';
import * as classic from './classic.ts';
import { classify } from './classify.ts';
import * as detector from './detector.ts';
import * as distillation from './distillation.ts';
import * as funn from './funn.ts';
import * as magnet from './magnet.ts';
import * as plain from './plain.ts';
import * as trades from './trades.ts';

type Recipes = {
  readonly [R in RecipeName]: { readonly [K in KindsOf<R>]: StageRecipe<StageHyperparameters<R, K>> };
};

export const recipes = {
  funn: { initialise: funn.initialise, optimise: funn.optimise, classify },
  classic: { initialise: classic.initialise, classify },
  plain: { classify: plain.classify },
  'adversarial-training': { classify: adversarialTraining.classify },
  trades: { classify: trades.classify },
  distillation: { initialise: distillation.initialise, classify: distillation.classify },
  magnet: { initialise: magnet.initialise, classify: magnet.classify },
  detector: { initialise: detector.initialise, classify: detector.classify },
} as const satisfies Recipes;
