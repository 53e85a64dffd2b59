import { classify } from './classify.ts';
import { defineRecipe } from './define.ts';

export const classic = defineRecipe({
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
