/** The memory of a stage in closed form. */
import type { Hyperparameters, RecipeName, StageKind } from '@funnel/contracts';
import {
  type DataSize,
  type Networks,
  networkHyperparameters,
  networksOf,
  type Size,
  sum,
} from './network-sizes.ts';

/** The hyperparameters that decide the memory of a stage. */
export const sizes = [...networkHyperparameters, 'batchSize'] as const;

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
  { recipe, kind, data }: { recipe: RecipeName; kind: StageKind; data: DataSize },
  hyperparameters: Hyperparameters,
): number => {
  const { weights, values } = trainedBy(recipe, kind, networksOf(data, hyperparameters));
  return (
    bytesPerNumber * (kind === 'attack' ? weights + values : 4 * weights + hyperparameters.batchSize * values)
  );
};
