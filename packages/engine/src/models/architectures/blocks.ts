/** What the architectures share: hidden layers and codes with their activations, padding, and the sizes of feature maps. */
import type { Hyperparameters } from '@funnel/contracts';
import { type Architecture, halved, type Layer } from '../architecture.ts';

/** The hyperparameters that decide what encoders and generators look like. */
export type NetworkSizes = Pick<
  Hyperparameters,
  | 'architecture'
  | 'filters'
  | 'latent'
  | 'kernelSize'
  | 'activation'
  | 'codeActivation'
  | 'normalisation'
  | 'paddedSize'
>;

/** [height, width, channels]. */
export type Shape = readonly [number, number, number];

/** An encoder and the generator that mirrors it. */
export type AutoEncoder = {
  /** Image → code: [batch, …image] → [batch, latent], or [batch, …map] where `latent` is 0. */
  readonly encoder: (image: Shape, sizes: NetworkSizes) => Architecture;
  /** Code, followed by `noise` more values (channels of a map), → image of the same size, in [0, 1]. */
  readonly generator: (image: Shape, sizes: NetworkSizes, noise: number) => Architecture;
};

/** '32-64' → [32, 64]. */
export const parseFilters = (filters: string): readonly number[] => filters.split('-').map(Number);

export const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

type WithoutActivation<L> = L extends { readonly kind: 'conv2d' | 'conv2dTranspose' | 'dense' }
  ? Omit<L, 'activation'>
  : never;
/** A layer with a kernel, before anybody chose its activation. */
type Bare = WithoutActivation<Layer>;

/** A hidden layer, its normalisation and its activation. A ReLU without normalisation is a part of the layer, which is faster. */
export const hidden = (layer: Bare, { normalisation, activation }: NetworkSizes): readonly Layer[] => {
  if (normalisation === 'none' && activation === 'relu') return [{ ...layer, activation }];
  return [
    { ...layer, activation: 'linear' },
    ...(normalisation === 'batch' ? [{ kind: 'normalise', name: `${layer.name}_normal` } as const] : []),
    { kind: 'activate', name: `${layer.name}_active`, activation },
  ];
};

/** The activation of a code that no layer with a kernel applies. */
export const activateCode = (activation: 'relu' | 'tanh'): Layer => ({
  kind: 'activate',
  name: 'code_active',
  activation,
});

/** The last layer of an encoder, whose output is the code. */
export const code = (layer: Bare, { codeActivation }: NetworkSizes): readonly Layer[] =>
  codeActivation === 'tanh'
    ? [{ ...layer, activation: 'linear' }, activateCode(codeActivation)]
    : [{ ...layer, activation: codeActivation }];

/** Feature map → code of `latent` units, or nothing where the map is the code. */
export const denseCode = (sizes: NetworkSizes): readonly Layer[] =>
  sizes.latent === 0
    ? []
    : [
        { kind: 'flatten', name: 'flatten' },
        ...code({ kind: 'dense', name: 'code', units: sizes.latent }, sizes),
      ];

/** Code of `latent` units → feature map, or nothing where the map is the code. */
export const expand = (map: Shape, sizes: NetworkSizes): readonly Layer[] =>
  sizes.latent === 0
    ? []
    : [
        ...hidden({ kind: 'dense', name: 'expand', units: product(map) }, sizes),
        { kind: 'reshape', name: 'map', shape: map },
      ];

/** The shape of a generator's input: the code and the noise, along the last axis. */
export const codeAndNoise = (map: Shape, { latent }: NetworkSizes, noise: number): readonly number[] =>
  latent === 0 ? [map[0], map[1], map[2] + noise] : [latent + noise];

/** Black edges around an image up to `paddedSize`, as equal as possible on both sides; null where the image is as large already. */
const edgesOf = (image: Shape, paddedSize: number) => {
  const edges = (size: number): readonly [number, number] => {
    const missing = Math.max(0, paddedSize - size);
    return [Math.floor(missing / 2), Math.ceil(missing / 2)];
  };
  const [rows, columns] = [edges(image[0]), edges(image[1])];
  return rows[1] + columns[1] === 0 ? null : ([rows, columns] as const);
};

/** The layer that pads an image, if any. */
export const pad = (image: Shape, { paddedSize }: NetworkSizes): readonly Layer[] => {
  const edges = edgesOf(image, paddedSize);
  return edges === null ? [] : [{ kind: 'pad', name: 'pad', edges }];
};

/** The layer that cuts off what `pad` added. */
export const crop = (image: Shape, { paddedSize }: NetworkSizes): readonly Layer[] => {
  const edges = edgesOf(image, paddedSize);
  return edges === null ? [] : [{ kind: 'crop', name: 'crop', edges }];
};

/** The padded image, and the feature map after each convolution, which halves height and width. */
export const mapsOf = (image: Shape, { filters, paddedSize }: NetworkSizes): readonly Shape[] => {
  const [height, width, channels] = image;
  const maps: Shape[] = [[Math.max(height, paddedSize), Math.max(width, paddedSize), channels]];
  for (const count of parseFilters(filters)) {
    const [rows, columns] = maps.at(-1)!;
    maps.push([halved(rows), halved(columns), count]);
  }
  return maps;
};

/**
 * The transposed convolutions that mirror the convolutions between these maps, smallest map first, each with its normalisation and activation.
 * The last one ends in (1 + tanh)/2.
 */
export const doublings = (maps: readonly Shape[], sizes: NetworkSizes): readonly (readonly Layer[])[] =>
  maps
    .slice(0, -1)
    .reverse()
    .map(([height, width, channels], i, { length }) => {
      const layer = {
        kind: 'conv2dTranspose',
        name: `deconv${i + 1}`,
        filters: channels,
        kernel: sizes.kernelSize,
        size: [height, width],
      } as const;
      return i === length - 1 ? [{ ...layer, activation: 'unitTanh' }] : hidden(layer, sizes);
    });
