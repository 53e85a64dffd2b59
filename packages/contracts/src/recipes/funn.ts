import { classify } from './classify.ts';
import { defineRecipe } from './define.ts';

export const funn = defineRecipe({
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
