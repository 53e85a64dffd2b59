/** The memory of a stage in closed form. */
import {
  type DatasetName,
  datasets,
  type Hyperparameters,
  type RecipeName,
  type StageKind,
} from '@funnel/contracts';
import { type Networks, networksOf, type Size, sum } from './network-sizes.ts';

/** The sizes of the data set that decide the sizes of networks. */
export const dataSizeOf = (dataset: DatasetName) => {
  const { shape, classes } = datasets[dataset];
  return { shape, classCount: classes.length };
};

/** The networks that a stage trains. MagNet's auto-encoders and the side network of the detector are small, and left out. */
export const trainedBy = (recipe: RecipeName, kind: StageKind, networks: Networks): Size => {
  const { encoder, generator, noisyGenerator, head } = networks;
  const classifier = sum([encoder, head]);
  if (kind === 'classify' || kind === 'attack') return classifier;
  if (recipe === 'funn') return sum([encoder, noisyGenerator, encoder, generator]);
  if (recipe === 'classic') return sum([encoder, generator]);
  if (recipe === 'magnet') return { weights: 0, values: 0 };
  return classifier;
};

const bytesPerNumber = 4;

/**
 * Bytes that a stage needs at least: for training, the weights with their gradients and Adam's two moments, and the values of a batch; for
 * an attack, the weights and the values of one image. The real need is larger: the process itself, data, temporary results.
 */
export const minBytes = (
  { recipe, kind, dataset }: { recipe: RecipeName; kind: StageKind; dataset: DatasetName },
  hyperparameters: Hyperparameters,
): number => {
  const { weights, values } = trainedBy(recipe, kind, networksOf(dataSizeOf(dataset), hyperparameters));
  return (
    bytesPerNumber * (kind === 'attack' ? weights + values : 4 * weights + hyperparameters.batchSize * values)
  );
};
