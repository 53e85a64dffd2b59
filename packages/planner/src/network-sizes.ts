/**
 * The sizes of the networks of a trial in closed form: their weights, and the values that one image passes through. The engine's architectures
 * (`packages/engine/src/models/architectures`) are the same networks layer by layer; a test compares the two.
 */
import type { HyperparameterName, Hyperparameters } from '@funnel/contracts';

/** Weights of a network, and values that it computes for one image (the outputs of its layers). */
export type Size = { readonly weights: number; readonly values: number };

export const sum = (sizes: readonly Size[]): Size => ({
  weights: sizes.reduce((total, size) => total + size.weights, 0),
  values: sizes.reduce((total, size) => total + size.values, 0),
});

/** The sizes of a data set that decide the sizes of networks. */
export type DataSize = { readonly shape: readonly [number, number, number]; readonly classCount: number };

/** The hyperparameters that decide the sizes of networks. */
export const networkHyperparameters = [
  'filters',
  'latent',
  'classifierUnits',
  'noise',
  'architecture',
  'kernelSize',
  'activation',
  'codeActivation',
  'normalisation',
  'paddedSize',
] as const satisfies readonly HyperparameterName[];

type NetworkHyperparameters = Pick<Hyperparameters, (typeof networkHyperparameters)[number]>;

const dense = (from: number, to: number): Size => ({ weights: from * to + to, values: to });
const values = (count: number): Size => ({ weights: 0, values: count });

/** A hidden layer with its normalisation and activation, which have as many values as the layer. A plain ReLU is a part of the layer. */
const hidden = (
  layer: Size,
  channels: number,
  { normalisation, activation }: NetworkHyperparameters,
): Size => {
  if (normalisation === 'none' && activation === 'relu') return layer;
  const normalised = normalisation === 'batch' ? [{ weights: 4 * channels, values: layer.values }] : [];
  return sum([layer, ...normalised, values(layer.values)]);
};

/** The last layer of an encoder. Only a tanh is a layer of its own. */
const code = (layer: Size, { codeActivation }: NetworkHyperparameters): Size =>
  codeActivation === 'tanh' ? sum([layer, values(layer.values)]) : layer;

type Map = { readonly channels: number; readonly pixels: number };

/** The padded image, and the feature map after each convolution, which halves height and width. */
const mapsOf = ([height, width, channels]: DataSize['shape'], h: NetworkHyperparameters): readonly Map[] => {
  let [rows, columns] = [Math.max(height, h.paddedSize), Math.max(width, h.paddedSize)];
  const maps = [{ channels, pixels: rows * columns }];
  for (const count of h.filters.split('-').map(Number)) {
    [rows, columns] = [Math.ceil(rows / 2), Math.ceil(columns / 2)];
    maps.push({ channels: count, pixels: rows * columns });
  }
  return maps;
};

type AutoEncoder = { readonly encoder: Size; readonly generator: (noise: number) => Size };

/** Strided convolutions, with a residual block after each (before each, in the generator) where the architecture is residual. */
const convolutional = ({ shape }: DataSize, h: NetworkHyperparameters): AutoEncoder => {
  const isResidual = h.architecture === 'residual';
  const maps = mapsOf(shape, h);
  const [image, last] = [maps[0]!, maps.at(-1)!];
  const flat = last.pixels * last.channels;
  const convolution = (from: number, to: number, pixels: number): Size => ({
    weights: h.kernelSize ** 2 * from * to + to,
    values: pixels * to,
  });
  /** A block on a map, with `more` channels beside its own. */
  const block = ({ channels, pixels }: Map, more = 0): readonly Size[] => {
    if (!isResidual) return [];
    const inner = convolution(channels + more, channels + more, pixels);
    return [hidden(inner, channels + more, h), inner, values(inner.values)];
  };
  const isPadded = image.pixels > shape[0] * shape[1];

  const convolutions = maps.slice(1).map((map, i) => {
    const layer = convolution(maps[i]!.channels, map.channels, map.pixels);
    const isCode = h.latent === 0 && map === last && !isResidual;
    return isCode ? code(layer, h) : hidden(layer, map.channels, h);
  });
  const activatedMap = isResidual && h.latent === 0 && h.codeActivation !== 'linear' ? [values(flat)] : [];
  const encoder = sum([
    ...(isPadded ? [values(image.pixels * image.channels)] : []),
    ...convolutions,
    ...maps.slice(1).flatMap((map) => block(map)),
    ...(h.latent === 0 ? activatedMap : [code(dense(flat, h.latent), h)]),
  ]);

  const generator = (noise: number): Size => {
    const joining = (map: Map): number => (h.latent === 0 && map === last ? noise : 0);
    const transposed = maps.slice(1).map((map, i) => {
      const { channels, pixels } = maps[i]!;
      const layer = convolution(map.channels + joining(map), channels, pixels);
      // A transposed convolution has a bias for each channel of the larger map.
      return i === 0 ? layer : hidden(layer, channels, h);
    });
    return sum([
      ...(h.latent === 0 ? [] : [hidden(dense(h.latent + noise, flat), flat, h)]),
      ...maps.slice(1).flatMap((map) => block(map, joining(map))),
      ...transposed,
      ...(isPadded ? [values(shape[0] * shape[1] * shape[2])] : []),
    ]);
  };
  return { encoder, generator };
};

const mlp = ({ shape }: DataSize, h: NetworkHyperparameters): AutoEncoder => {
  const filters = h.filters.split('-').map(Number);
  const units = h.latent === 0 ? filters.slice(0, -1) : filters;
  const codeUnits = h.latent === 0 ? filters.at(-1)! : h.latent;
  const pixels = shape[0] * shape[1] * shape[2];
  /** Hidden layers one after the other, from an input of `from` units. */
  const layers = (from: number, counts: readonly number[]): readonly Size[] =>
    counts.map((count, i) => hidden(dense(i === 0 ? from : counts[i - 1]!, count), count, h));
  return {
    encoder: sum([...layers(pixels, units), code(dense(units.at(-1) ?? pixels, codeUnits), h)]),
    generator: (noise) =>
      sum([
        ...layers(codeUnits + noise, units.toReversed()),
        dense(units[0] ?? codeUnits + noise, pixels),
        values(pixels),
      ]),
  };
};

const autoEncoders: Readonly<
  Record<Hyperparameters['architecture'], (data: DataSize, h: NetworkHyperparameters) => AutoEncoder>
> = { convolutional, residual: convolutional, mlp };

/** The units of the code of an encoder, or the values of its feature map. */
const codeSize = ({ shape }: DataSize, h: NetworkHyperparameters): number => {
  if (h.latent > 0) return h.latent;
  const { channels, pixels } = mapsOf(shape, h).at(-1)!;
  return h.architecture === 'mlp' ? channels : channels * pixels;
};

export type Networks = {
  readonly encoder: Size;
  readonly generator: Size;
  /** The generator that also takes the noise of FUNN's attacker. */
  readonly noisyGenerator: Size;
  /** The classifier's layers above the encoder. */
  readonly head: Size;
};

/** The networks of a trial with these hyperparameters (§3.3, §4.1 of Vigouroux & Picard). */
export const networksOf = (data: DataSize, h: NetworkHyperparameters): Networks => {
  const { encoder, generator } = autoEncoders[h.architecture](data, h);
  const head = sum([dense(codeSize(data, h), h.classifierUnits), dense(h.classifierUnits, data.classCount)]);
  return { encoder, generator: generator(0), noisyGenerator: generator(h.noise), head };
};
