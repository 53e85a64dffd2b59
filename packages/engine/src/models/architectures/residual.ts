/**
 * A small residual network (He et al. 2016): after each convolution of stride 2, a block x + conv(activation(conv(x))) of stride 1. The
 * generator mirrors it: a block before each transposed convolution.
 */
import type { Layer } from '../architecture.ts';
import {
  type AutoEncoder,
  activateCode,
  codeAndNoise,
  crop,
  denseCode,
  doublings,
  expand,
  hidden,
  mapsOf,
  type NetworkSizes,
  pad,
  parseFilters,
} from './blocks.ts';

const block = (number: number, channels: number, sizes: NetworkSizes): Layer => {
  const name = `block${number}`;
  const shape = { kind: 'conv2d', filters: channels, kernel: sizes.kernelSize, stride: 1 } as const;
  return {
    kind: 'residual',
    name,
    layers: [
      ...hidden({ ...shape, name: `${name}_conv1` }, sizes),
      { ...shape, name: `${name}_conv2`, activation: 'linear' },
    ],
  };
};

/** With `latent` 0, the output of the last block is the code. */
const encoder: AutoEncoder['encoder'] = (image, sizes) => {
  const { latent, codeActivation, kernelSize: kernel } = sizes;
  const halves = parseFilters(sizes.filters).flatMap((filters, i) => [
    ...hidden({ kind: 'conv2d', name: `conv${i + 1}`, filters, kernel, stride: 2 }, sizes),
    block(i + 1, filters, sizes),
  ]);
  const activated = latent === 0 && codeActivation !== 'linear' ? [activateCode(codeActivation)] : [];
  return { input: image, layers: [...pad(image, sizes), ...halves, ...activated, ...denseCode(sizes)] };
};

const generator: AutoEncoder['generator'] = (image, sizes, noise) => {
  const maps = mapsOf(image, sizes);
  const last = maps.at(-1)!;
  const doubles = doublings(maps, sizes).flatMap((layers, i): readonly Layer[] => {
    const before = maps.at(-1 - i)![2] + (sizes.latent === 0 && i === 0 ? noise : 0);
    return [block(i + 1, before, sizes), ...layers];
  });
  return {
    input: codeAndNoise(last, sizes, noise),
    layers: [...expand(last, sizes), ...doubles, ...crop(image, sizes)],
  };
};

export const residual: AutoEncoder = { encoder, generator };
