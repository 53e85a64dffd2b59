import { defineRecipe } from './define.ts';
import { supervisedHyperparameters } from './supervised.ts';

export const distillation = defineRecipe({
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
