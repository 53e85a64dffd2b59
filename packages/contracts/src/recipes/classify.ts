import type { TrainingStage } from './define.ts';

/** Dense ReLU + logits on the frozen encoder of whatever came before (§3.3, §4.1): the same for every auto-encoder recipe. */
export const classify = {
  kind: 'classify',
  reads: ['batchSize', 'classifierRate', 'classifierUnits', 'labelSmoothing', 'initializer'],
  lengthOf: ['classifierEpochs'],
  epochs: (h) => h.classifierEpochs,
  records: ['classifierLoss', 'trainAccuracy', 'cleanAccuracy'],
  networks: ['classifier', 'defender-encoder', 'head'],
} as const satisfies TrainingStage;
