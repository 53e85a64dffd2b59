import { z } from 'zod';
import type { HyperparameterName, Hyperparameters } from './hyperparameters.ts';
import type { TrainingMetricName } from './metrics.ts';

/** One training stage of a recipe: what it reads decides what it shares. */
export type TrainingStage = {
  readonly kind: 'initialise' | 'optimise' | 'classify';
  /** Hyperparameters that change this stage's result, its length excepted. Hyperparameters of earlier stages arrive through the parent's identity. */
  readonly reads: readonly HyperparameterName[];
  /** Hyperparameters that only decide how long it trains: fewer epochs are a checkpoint on the way of more. */
  readonly lengthOf: readonly HyperparameterName[];
  readonly epochs: (h: Hyperparameters) => number;
  /** Metrics that every epoch records, in the order of a table's columns (declared in `metrics.ts`). */
  readonly records: readonly TrainingMetricName[];
  /** Networks that its checkpoints hold, those of earlier stages that it keeps included. */
  readonly networks: readonly string[];
};

/** What the planner, the API and the form know of a recipe; its arithmetic is in the engine under the same name. */
export type Recipe = {
  readonly title: string;
  readonly description: string;
  readonly citation: string;
  /** Part of every identity below: raise it when the same hyperparameters give other weights. */
  readonly version: number;
  readonly stages: readonly TrainingStage[];
};

const defineRecipe = <R extends Recipe>(recipe: R): R => recipe;

/** Dense ReLU + logits on the frozen encoder of whatever came before (§3.3, §4.1): the same for every auto-encoder recipe. */
const classify = {
  kind: 'classify',
  reads: ['batchSize', 'classifierRate', 'classifierUnits', 'labelSmoothing', 'initializer'],
  lengthOf: ['classifierEpochs'],
  epochs: (h) => h.classifierEpochs,
  records: ['classifierLoss', 'trainAccuracy', 'cleanAccuracy'],
  networks: ['classifier', 'defender-encoder', 'head'],
} as const satisfies TrainingStage;

/** What every stage reads that trains the defender's encoder and a classifier on it together, on labelled images. */
const supervisedHyperparameters = [
  'filters',
  'latent',
  'initializer',
  'batchSize',
  'classifierRate',
  'classifierUnits',
] as const;

const funn = defineRecipe({
  title: 'FUNN',
  description:
    'Attacker and defender auto-encoders trained against each other; the classifier stands on the defender’s encoder.',
  citation: 'Vigouroux & Picard, “FUNN: Flexible Unsupervised Neural Network”, §3, eq. 3–5',
  version: 1,
  stages: [
    {
      kind: 'initialise',
      reads: [
        'filters',
        'latent',
        'noise',
        'initializer',
        'batchSize',
        'lossScale',
        'initialiseAttackerRate',
        'initialiseDefenderRate',
        'defenderInput',
      ],
      lengthOf: ['initialiseEpochs'],
      epochs: (h) => h.initialiseEpochs,
      records: ['attackerLoss', 'defenderLoss'],
      networks: ['defender-encoder', 'defender-generator', 'attacker-encoder', 'attacker-generator'],
    },
    {
      kind: 'optimise',
      reads: [
        'batchSize',
        'lossScale',
        'optimiseAttackerRate',
        'optimiseDefenderRate',
        'gamma',
        'beta',
        'betaUnit',
        'penalty',
        'hinge',
      ],
      lengthOf: ['optimiseEpochs'],
      epochs: (h) => h.optimiseEpochs,
      records: ['attackerLoss', 'defenderLoss', 'hingeActive'],
      networks: ['defender-encoder', 'defender-generator', 'attacker-encoder', 'attacker-generator'],
    },
    classify,
  ],
});

const classic = defineRecipe({
  title: 'Classic auto-encoder',
  description:
    'The defender’s architecture trained plainly for as many updates as FUNN gets: the baseline of Table 2.',
  citation: 'Vigouroux & Picard, “FUNN”, §4.2, Table 2',
  version: 1,
  stages: [
    {
      kind: 'initialise',
      reads: ['filters', 'latent', 'initializer', 'batchSize', 'lossScale', 'initialiseDefenderRate'],
      lengthOf: ['initialiseEpochs', 'optimiseEpochs'],
      epochs: (h) => h.initialiseEpochs + h.optimiseEpochs,
      records: ['defenderLoss'],
      networks: ['defender-encoder', 'defender-generator'],
    },
    classify,
  ],
});

const adversarialTraining = defineRecipe({
  title: 'Adversarial training',
  description:
    'Encoder and classifier trained together, on nothing but images that PGD perturbed against them: the baseline that a robust encoder must beat.',
  citation: 'Madry et al. 2018, Towards deep learning models resistant to adversarial attacks, §2, eq. 2.1',
  version: 1,
  stages: [
    {
      kind: 'classify',
      reads: [
        ...supervisedHyperparameters,
        'trainingEpsilon',
        'trainingSteps',
        'trainingReach',
        'warmupEpochs',
      ],
      lengthOf: ['classifierEpochs'],
      epochs: (h) => h.classifierEpochs,
      records: ['classifierLoss', 'attackedAccuracy', 'cleanAccuracy'],
      networks: ['classifier', 'defender-encoder', 'head'],
    },
  ],
});

const trades = defineRecipe({
  title: 'TRADES',
  description:
    'Encoder and classifier trained together, right on clean images and of one mind about those that were perturbed to change it.',
  citation:
    'Zhang et al. 2019, Theoretically principled trade-off between robustness and accuracy, eq. 5, algorithm 1',
  version: 1,
  stages: [
    {
      kind: 'classify',
      reads: [
        ...supervisedHyperparameters,
        'trainingEpsilon',
        'trainingSteps',
        'trainingReach',
        'warmupEpochs',
        'tradesBeta',
      ],
      lengthOf: ['classifierEpochs'],
      epochs: (h) => h.classifierEpochs,
      records: ['classifierLoss', 'divergenceLoss', 'trainAccuracy', 'attackedAccuracy', 'cleanAccuracy'],
      networks: ['classifier', 'defender-encoder', 'head'],
    },
  ],
});

const distillation = defineRecipe({
  title: 'Defensive distillation',
  description:
    'A student taught by a teacher’s probabilities at high temperature. Long broken: it hides gradients and no more, so the diagnostics must flag it.',
  citation:
    'Papernot et al. 2016, Distillation as a defense to adversarial perturbations, §IV; broken by Carlini & Wagner 2017',
  version: 1,
  stages: [
    {
      kind: 'initialise',
      reads: [...supervisedHyperparameters, 'temperature'],
      lengthOf: ['initialiseEpochs'],
      epochs: (h) => h.initialiseEpochs,
      records: ['classifierLoss', 'trainAccuracy'],
      networks: ['teacher'],
    },
    {
      kind: 'classify',
      reads: [...supervisedHyperparameters, 'temperature'],
      lengthOf: ['classifierEpochs'],
      epochs: (h) => h.classifierEpochs,
      records: ['classifierLoss', 'trainAccuracy', 'cleanAccuracy'],
      networks: ['classifier', 'defender-encoder', 'head', 'teacher'],
    },
  ],
});

const magnet = defineRecipe({
  title: 'MagNet',
  description:
    'A plain classifier behind two auto-encoders: what they cannot rebuild is rejected, what passes is classified as one of them rebuilds it.',
  citation:
    'Meng & Chen 2017, MagNet: a two-pronged defense against adversarial examples, §4, §5.2; broken by Carlini & Wagner 2017',
  version: 1,
  stages: [
    {
      kind: 'initialise',
      reads: ['initializer', 'batchSize', 'reformerRate', 'reformerNoise'],
      lengthOf: ['initialiseEpochs'],
      epochs: (h) => h.initialiseEpochs,
      records: ['reformerLoss', 'secondReformerLoss'],
      networks: ['reformer', 'second-reformer'],
    },
    {
      kind: 'classify',
      reads: [...supervisedHyperparameters, 'dropRate'],
      lengthOf: ['classifierEpochs'],
      epochs: (h) => h.classifierEpochs,
      records: ['classifierLoss', 'trainAccuracy', 'bareAccuracy', 'rejectedShare', 'cleanAccuracy'],
      networks: ['classifier', 'defender-encoder', 'head', 'reformer', 'second-reformer'],
    },
  ],
});

const detector = defineRecipe({
  title: 'Detector',
  description:
    'A plain classifier with a side network on its first feature map that learns to tell perturbed images from clean ones, and rejects them.',
  citation: 'Metzen et al. 2017, On detecting adversarial perturbations, §3; broken by Carlini & Wagner 2017',
  version: 1,
  stages: [
    {
      kind: 'initialise',
      reads: ['filters', 'latent', 'initializer', 'batchSize', 'classifierRate', 'classifierUnits'],
      lengthOf: ['initialiseEpochs'],
      epochs: (h) => h.initialiseEpochs,
      records: ['classifierLoss', 'trainAccuracy'],
      networks: ['classifier', 'defender-encoder', 'head'],
    },
    {
      kind: 'classify',
      reads: [
        'initializer',
        'batchSize',
        'classifierRate',
        'classifierUnits',
        'trainingEpsilon',
        'trainingSteps',
        'trainingReach',
        'detectorAdversary',
        'falsePositiveRate',
      ],
      lengthOf: ['detectorEpochs'],
      epochs: (h) => h.detectorEpochs,
      records: ['detectorLoss', 'detectionArea', 'detectionRate', 'rejectedShare', 'cleanAccuracy'],
      networks: ['classifier', 'defender-encoder', 'head', 'detector', 'detector-head'],
    },
  ],
});

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
