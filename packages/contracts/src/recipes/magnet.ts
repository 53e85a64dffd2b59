import { defineRecipe } from './define.ts';
import { supervisedHyperparameters } from './supervised.ts';

export const magnet = defineRecipe({
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
