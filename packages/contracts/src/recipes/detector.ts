import { defineRecipe } from './define.ts';

export const detector = defineRecipe({
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
