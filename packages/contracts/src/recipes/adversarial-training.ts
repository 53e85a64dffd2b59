import { defineRecipe } from './define.ts';
import { supervisedHyperparameters } from './supervised.ts';

export const adversarialTraining = defineRecipe({
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
