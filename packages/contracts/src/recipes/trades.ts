import { defineRecipe } from './define.ts';
import { supervisedHyperparameters } from './supervised.ts';

export const trades = defineRecipe({
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
