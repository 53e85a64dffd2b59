/**
 * The paper's networks (Vigouroux & Picard, §4.1): convolutions of stride 2, then a dense code; the generator mirrors them. By default
 * [28, 28, 1] → [14, 14, 32] → [7, 7, 64] → [64]. The paper does not print the sizes, so they are hyperparameters.
 */
import {
  type AutoEncoder,
  code,
  codeAndNoise,
  crop,
  denseCode,
  doublings,
  expand,
  hidden,
  mapsOf,
  pad,
  parseFilters,
} from './blocks.ts';

/** With `latent` 0, the last convolution is the code. */
const encoder: AutoEncoder['encoder'] = (image, sizes) => {
  const filters = parseFilters(sizes.filters);
  const convolutions = filters.flatMap((count, i) => {
    const layer = {
      kind: 'conv2d',
      name: `conv${i + 1}`,
      filters: count,
      kernel: sizes.kernelSize,
      stride: 2,
    } as const;
    return i === filters.length - 1 && sizes.latent === 0 ? code(layer, sizes) : hidden(layer, sizes);
  });
  return { input: image, layers: [...pad(image, sizes), ...convolutions, ...denseCode(sizes)] };
};

/** A dense layer, then transposed convolutions, the last with (1 + tanh)/2. */
const generator: AutoEncoder['generator'] = (image, sizes, noise) => {
  const maps = mapsOf(image, sizes);
  const last = maps.at(-1)!;
  return {
    input: codeAndNoise(last, sizes, noise),
    layers: [...expand(last, sizes), ...doublings(maps, sizes).flat(), ...crop(image, sizes)],
  };
};

export const convolutional: AutoEncoder = { encoder, generator };
