/**
 * Every recipe, declared once: its stages in order, and for each stage the hyperparameters that it reads, its length, the metrics that it
 * records and the networks in its checkpoints. `reads` decides which trials share a stage.
 */
import { z } from 'zod';
import type { HyperparameterName, Hyperparameters } from './hyperparameters.ts';
import type { TrainingMetricName } from './metrics.ts';

/** One training stage of a recipe. Trials share the stage if they agree on the hyperparameters that it reads. */
export type TrainingStage = {
  readonly kind: 'initialise' | 'optimise' | 'classify';
  /**
   * Hyperparameters that change the result of this stage, except its length. Hyperparameters of earlier stages count through the parent's
   * identity.
   */
  readonly reads: readonly HyperparameterName[];
  /** Hyperparameters that only decide the number of epochs: a run of 31 epochs passes through the checkpoint of a run of 11. */
  readonly lengthOf: readonly HyperparameterName[];
  readonly epochs: (h: Hyperparameters) => number;
  /** Metrics that every epoch records (declared in `metrics.ts`). Tables show them in this order. */
  readonly records: readonly TrainingMetricName[];
  /** Networks in the checkpoints of the stage, including networks that it keeps from earlier stages. */
  readonly networks: readonly string[];
};

/**
 * The part of a recipe that planner, API and form need. `packages/engine/src/recipes` has the arithmetic of the recipe under the same name.
 */
export type Recipe = {
  readonly title: string;
  readonly description: string;
  readonly citation: string;
  /** Part of the identity of every stage: raise it when the same hyperparameters give other weights. */
  readonly version: number;
  readonly stages: readonly TrainingStage[];
};

/** Hyperparameters of every stage that makes encoders. */
const encoderHyperparameters = [
  'filters',
  'latent',
  'architecture',
  'kernelSize',
  'activation',
  'codeActivation',
  'normalisation',
  'paddedSize',
] as const;

/** Hyperparameters of every stage that trains on images. */
const augmentation = ['augmentFlip', 'augmentShift', 'augmentCrop'] as const;

const defineRecipe = <R extends Recipe>(recipe: R): R => recipe;

/**
 * A dense ReLU layer and logits on the frozen encoder of the previous stage (§3.3, §4.1). The stage is the same for every auto-encoder
 * recipe.
 */
const classify = {
  kind: 'classify',
  reads: ['batchSize', 'classifierRate', 'classifierUnits', 'labelSmoothing', 'initializer', ...augmentation],
  lengthOf: ['classifierEpochs'],
  epochs: (h) => h.classifierEpochs,
  records: ['classifierLoss', 'trainAccuracy', 'cleanAccuracy'],
  networks: ['classifier', 'defender-encoder', 'head'],
} as const satisfies TrainingStage;

/** Hyperparameters of every stage that trains an encoder together with a classifier on top of it, on labelled images. */
const supervisedHyperparameters = [
  ...encoderHyperparameters,
  'initializer',
  'batchSize',
  ...augmentation,
  'classifierRate',
  'classifierUnits',
] as const;

const funn = defineRecipe({
  title: 'FUNN',
  description:
    'Attacker and defender auto-encoders trained against each other; the classifier is trained on the defender’s encoder.',
  citation: 'Vigouroux & Picard, “FUNN: Flexible Unsupervised Neural Network”, §3, eq. 3–5',
  version: 1,
  stages: [
    {
      kind: 'initialise',
      reads: [
        ...encoderHyperparameters,
        'noise',
        'initializer',
        'batchSize',
        ...augmentation,
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
        ...augmentation,
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
    'The defender’s architecture as a plain auto-encoder, trained for `initialiseEpochs` + `optimiseEpochs` epochs, as many as FUNN; then a classifier on its encoder. The baseline of Table 2.',
  citation: 'Vigouroux & Picard, “FUNN”, §4.2, Table 2',
  version: 1,
  stages: [
    {
      kind: 'initialise',
      reads: [
        ...encoderHyperparameters,
        'initializer',
        'batchSize',
        ...augmentation,
        'lossScale',
        'initialiseDefenderRate',
      ],
      lengthOf: ['initialiseEpochs', 'optimiseEpochs'],
      epochs: (h) => h.initialiseEpochs + h.optimiseEpochs,
      records: ['defenderLoss'],
      networks: ['defender-encoder', 'defender-generator'],
    },
    classify,
  ],
});

const plain = defineRecipe({
  title: 'Plain',
  description: 'Encoder and classifier trained together on clean images: the baseline without a defence.',
  citation: 'Vigouroux & Picard, “FUNN”, §4.1: the architecture of the classifier',
  version: 1,
  stages: [
    {
      kind: 'classify',
      reads: supervisedHyperparameters,
      lengthOf: ['classifierEpochs'],
      epochs: (h) => h.classifierEpochs,
      records: ['classifierLoss', 'trainAccuracy', 'cleanAccuracy'],
      networks: ['classifier', 'defender-encoder', 'head'],
    },
  ],
});

const adversarialTraining = defineRecipe({
  title: 'Adversarial training',
  description:
    'Encoder and classifier trained together, only on images that PGD perturbs against them. A robust encoder must beat this baseline. With `trainingEpsilon: 0` it trains on clean images, as `plain` does.',
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
    'Encoder and classifier trained together, to be right on clean images and to predict the same for images that are perturbed to change the prediction.',
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
    'A student trained on a teacher’s probabilities at high temperature. Broken long ago: it only hides gradients, so the diagnostics must flag it.',
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
    'A plain classifier behind two auto-encoders. An image that they cannot reconstruct is rejected; for any other image the classifier sees the reconstruction by one of them.',
  citation:
    'Meng & Chen 2017, MagNet: a two-pronged defense against adversarial examples, §4, §5.2; broken by Carlini & Wagner 2017',
  version: 1,
  stages: [
    {
      kind: 'initialise',
      reads: ['initializer', 'batchSize', ...augmentation, 'reformerRate', 'reformerNoise'],
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
    'A plain classifier, and a side network on its first feature map that learns to distinguish perturbed images from clean ones and rejects them.',
  citation: 'Metzen et al. 2017, On detecting adversarial perturbations, §3; broken by Carlini & Wagner 2017',
  version: 1,
  stages: [
    {
      kind: 'initialise',
      reads: supervisedHyperparameters,
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
        ...augmentation,
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

/** The registry. A new recipe is a declaration above, a line here, and its arithmetic in the engine. */
export const recipes = {
  funn,
  classic,
  plain,
  'adversarial-training': adversarialTraining,
  trades,
  distillation,
  magnet,
  detector,
} as const satisfies Record<string, Recipe>;

export type RecipeName = keyof typeof recipes;
export const recipeNames = Object.keys(recipes) as RecipeName[];
export const RecipeName = z.enum(recipeNames as [RecipeName, ...RecipeName[]]);

/** The hyperparameters that a trial of this recipe depends on, in the order of the stages. */
export const hyperparametersOf = (name: RecipeName): readonly HyperparameterName[] => {
  const stages: Recipe['stages'] = recipes[name].stages;
  return [...new Set(stages.flatMap((stage) => [...stage.reads, ...stage.lengthOf]))];
};
