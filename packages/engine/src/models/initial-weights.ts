import type { Hyperparameters } from '@funnel/contracts';
import type { Random } from '../random.ts';
import type { Architecture, WeightSpec } from './architecture.ts';
import { weightSpecs } from './architecture.ts';

type Initializer = (random: Random, fanIn: number, fanOut: number) => () => number;

const uniform = (random: Random, variance: number) => {
  const limit = Math.sqrt(3 * variance);
  return () => (random.uniform() * 2 - 1) * limit;
};

/** Normal, drawn again beyond two deviations, and widened so that the variance is what was asked for (as Keras does). */
const truncatedNormal = (random: Random, variance: number) => {
  const deviation = Math.sqrt(variance) / 0.87962566103423978;
  return () => {
    let value = random.normal();
    while (Math.abs(value) > 2) value = random.normal();
    return value * deviation;
  };
};

/** Glorot & Bengio (2010), He et al. (2015). tfjs draws its initial weights from its own global state, so we draw ours. */
const initializers: Record<Hyperparameters['initializer'], Initializer> = {
  glorotUniform: (random, fanIn, fanOut) => uniform(random, 2 / (fanIn + fanOut)),
  glorotNormal: (random, fanIn, fanOut) => truncatedNormal(random, 2 / (fanIn + fanOut)),
  heUniform: (random, fanIn) => uniform(random, 2 / fanIn),
  heNormal: (random, fanIn) => truncatedNormal(random, 2 / fanIn),
};

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const isBias = (spec: WeightSpec): boolean => spec.fanIn === 0;

/**
 * First weights, in the order of `weightSpecs`: kernels from `initializer`, biases 0, the last layer's bias `outputBias`. A generator's
 * is set to give the mean pixel: from 0, every output is grey, and the push of the whole batch towards black drives codes and ReLUs so
 * far that half of the networks never come back from painting the mean image.
 */
export const initialWeights = (
  architecture: Architecture,
  initializer: Hyperparameters['initializer'],
  random: Random,
  outputBias = 0,
): Float32Array[] =>
  weightSpecs(architecture).map((spec, i, all) => {
    const values = new Float32Array(size(spec.shape));
    if (isBias(spec)) return i === all.length - 1 ? values.fill(outputBias) : values;
    const draw = initializers[initializer](random, spec.fanIn, spec.fanOut);
    for (let k = 0; k < values.length; k++) values[k] = draw();
    return values;
  });
