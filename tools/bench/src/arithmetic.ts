/** The number of operations of a training step, and the speed of this machine's matrix product. Together they give the floor of a step. */
import * as tf from '@tensorflow/tfjs';

export type Sizes = {
  /** Of an image: pixels along one side, and channels. */
  readonly side: number;
  readonly channels: number;
  readonly filters: readonly number[];
  /** Units of the dense code; 0: the last convolution is the code. */
  readonly latent: number;
  readonly noise: number;
};

export type BenchStage = 'initialise' | 'optimise' | 'classic';
export const benchStages = ['initialise', 'optimise', 'classic'] as const;

const taps = 9;

/** Multiply-adds of a layer for one image, and its weights. Padding counts, although an implementation may skip it. */
type Layer = { readonly multiplies: number; readonly weights: number };

/** Side lengths of the feature maps, from the image to the last convolution. */
const mapSizes = ({ side, filters }: Sizes): readonly number[] => {
  const sizes = [side];
  for (const _ of filters) sizes.push(Math.ceil(sizes.at(-1)! / 2));
  return sizes;
};

/** The convolutions between map i and map i + 1, or their transposes, which need the same number of multiplications. */
const convolutions = (sizes: Sizes, outermost: number): Layer[] => {
  const sides = mapSizes(sizes);
  const channels = [sizes.channels, ...sizes.filters.slice(0, -1), outermost];
  return sizes.filters.map((_, i) => {
    const pairs = channels[i]! * channels[i + 1]!;
    return { multiplies: sides[i + 1]! ** 2 * taps * pairs, weights: taps * pairs };
  });
};

const dense = (from: number, to: number): Layer => ({ multiplies: from * to, weights: from * to });
const flat = (sizes: Sizes): number => mapSizes(sizes).at(-1)! ** 2 * sizes.filters.at(-1)!;

const encoder = (sizes: Sizes): Layer[] => {
  const layers = convolutions(sizes, sizes.filters.at(-1)!);
  return sizes.latent > 0 ? [...layers, dense(flat(sizes), sizes.latent)] : layers;
};

const generator = (sizes: Sizes, noise: number): Layer[] => {
  const code = sizes.latent > 0 ? 0 : noise; // noise channels join a convolutional code
  const layers = convolutions(sizes, sizes.filters.at(-1)! + code).reverse();
  return sizes.latent > 0 ? [dense(sizes.latent + noise, flat(sizes)), ...layers] : layers;
};

const biases = (sizes: Sizes): number => {
  const filters = sizes.filters.reduce((sum, count) => sum + count, 0);
  const codes = sizes.latent > 0 ? sizes.latent + flat(sizes) : 0;
  return 2 * (filters + filters - sizes.filters.at(-1)! + sizes.channels + codes);
};

/** Weights and biases of both players' encoders and generators. */
export const countParameters = (sizes: Sizes): number => {
  const layers = [encoder(sizes), generator(sizes, sizes.noise), encoder(sizes), generator(sizes, 0)];
  return layers.flat().reduce((sum, { weights }) => sum + weights, biases(sizes));
};

const total = (layers: readonly Layer[]): number =>
  layers.reduce((sum, { multiplies }) => sum + multiplies, 0);

/**
 * Floating-point operations of one step on one image: the forward pass, the gradient of every trained weight, and the gradient of every
 * input that a trained weight depends on. Nothing is computed twice: *optimise* is one pass, and the codes of the frozen encoder are known.
 */
export const operationsPerImage = (stage: BenchStage, sizes: Sizes): number => {
  /** Forward pass, gradients of weights, and gradients of inputs except of the first layer, whose input is data. */
  const trained = (layers: readonly Layer[]): number => 3 * total(layers) - layers[0]!.multiplies;
  const [Ea, Ga] = [encoder(sizes), generator(sizes, sizes.noise)];
  const [Ed, Gd] = [encoder(sizes), generator(sizes, 0)];
  const multiplies = {
    initialise: () => trained([...Ea, ...Ga]) + trained([...Ed, ...Gd]),
    optimise: () => trained(Ga) + 3 * total(Ed) + 2 * total(Gd),
    classic: () => trained([...Ed, ...Gd]),
  };
  return 2 * multiplies[stage]();
};

/** Operations per second of a plain matrix product that fits into the caches, the fastest of several. */
export const measureGemm = async (): Promise<number> => {
  const size = 512;
  const [a, b] = [tf.ones([size, size]), tf.ones([size, size])] as [tf.Tensor2D, tf.Tensor2D];
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 12; run++) {
    const start = performance.now();
    const product = tf.matMul(a, b);
    await product.data();
    best = Math.min(best, performance.now() - start);
    product.dispose();
  }
  tf.dispose([a, b]);
  return (2 * size ** 3 * 1000) / best;
};
