/** What every stage reads that trains the defender's encoder and a classifier on it together, on labelled images. */
export const supervisedHyperparameters = [
  'filters',
  'latent',
  'initializer',
  'batchSize',
  'classifierRate',
  'classifierUnits',
] as const;
