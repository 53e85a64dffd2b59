/** A multilayer perceptron: dense layers of the units that `filters` lists, then a dense code; the generator mirrors them. */
import type { Layer } from '../architecture.ts';
import { type AutoEncoder, code, hidden, type NetworkSizes, parseFilters, product } from './blocks.ts';

const denseLayers = (units: readonly number[], sizes: NetworkSizes): readonly Layer[] =>
  units.flatMap((count, i) => hidden({ kind: 'dense', name: `dense${i + 1}`, units: count }, sizes));

/** The units of the hidden layers of an encoder, and of its code. With `latent` 0, the last layer of `filters` is the code. */
const unitsOf = ({ filters, latent }: NetworkSizes) => {
  const units = parseFilters(filters);
  return latent === 0
    ? { hiddenUnits: units.slice(0, -1), codeUnits: units.at(-1)! }
    : { hiddenUnits: units, codeUnits: latent };
};

const encoder: AutoEncoder['encoder'] = (image, sizes) => {
  const { hiddenUnits, codeUnits } = unitsOf(sizes);
  return {
    input: image,
    layers: [
      { kind: 'flatten', name: 'flatten' },
      ...denseLayers(hiddenUnits, sizes),
      ...code({ kind: 'dense', name: 'code', units: codeUnits }, sizes),
    ],
  };
};

const generator: AutoEncoder['generator'] = (image, sizes, noise) => {
  const { hiddenUnits, codeUnits } = unitsOf(sizes);
  return {
    input: [codeUnits + noise],
    layers: [
      ...denseLayers(hiddenUnits.toReversed(), sizes),
      { kind: 'dense', name: 'pixels', units: product(image), activation: 'linear' },
      { kind: 'activate', name: 'pixels_active', activation: 'unitTanh' },
      { kind: 'reshape', name: 'image', shape: image },
    ],
  };
};

export const mlp: AutoEncoder = { encoder, generator };
