/**
 * The parts that convolutions, matrix products and their gradients have in common: weights in panels, groups of four images, patches, ReLU
 * masks.
 */
import { type Geometry, imageSize, mapSize, patchTable, tapCount } from './geometry.ts';
import { type Address, type Heap, perCount, type Table } from './heap.ts';
import { hasFusedMultiplyAdd, type Module } from './wasm/assembler.ts';
import { reluGradient } from './wasm/elementwise.ts';
import { patches } from './wasm/pack.ts';
import { type Contraction, contraction, type DotProducts, dotProducts } from './wasm/products.ts';

export type LinearOrRelu = 'linear' | 'relu';

/** The addresses that a contraction reads and writes. */
export interface Operands {
  readonly input: Address;
  readonly weights: Address;
  readonly output: Address;
  readonly bias: Address | undefined;
  readonly table: Table;
}

/** Runs a contraction over `images` images. */
export type Contract = (images: number, at: Operands) => void;

/** Runs a kernel over four images at once, and another over the one to three that remain. */
function inFours(
  heap: Heap,
  strides: { inputStride: number; outputStride: number },
  write: (images: number) => Module,
): Contract {
  const kernelFor = perCount((images) => heap.compile(write(images)));
  return (images, { input, weights, output, bias = 0, table }) => {
    const remaining = images % 4;
    const whole = images - remaining;
    if (whole > 0) kernelFor(4)(input, weights, output, bias, table.start, table.end, whole / 4);
    if (remaining === 0) return;
    const [from, to] = [input + whole * strides.inputStride, output + whole * strides.outputStride];
    kernelFor(remaining)(from, weights, to, bias, table.start, table.end, 1);
  };
}

type Shape<Spec> = Omit<Spec, 'images' | 'fused'>;

/** Compiles a `contraction` (wasm/products.ts). */
export function prepareContraction(heap: Heap, shape: Shape<Contraction>): Contract {
  const fused = hasFusedMultiplyAdd();
  return inFours(heap, shape, (images) => contraction({ ...shape, fused, images }));
}

/** Compiles `dotProducts` (wasm/products.ts). */
export function prepareDotProducts(heap: Heap, shape: Shape<DotProducts>): Contract {
  const fused = hasFusedMultiplyAdd();
  return inFours(heap, shape, (images) => dotProducts({ ...shape, fused, images }));
}

/** Images that are rearranged at once: enough for long runs, few enough for the second-level cache. */
export const groupSize = 4;

/** Calls `run` for each group of up to four images, with the index of the first and the number of images. */
export function inGroups(batch: number, run: (first: number, images: number) => void): void {
  for (let first = 0; first < batch; first += groupSize) run(first, Math.min(groupSize, batch - first));
}

/**
 * Whether an image has so few channels that a convolution is computed on patches. Three channels are faster without, but with stride 1 they
 * keep the order of sums that trained MagNet's auto-encoders.
 */
export const usesPatches = ({ image, stride }: Geometry): boolean =>
  image.channels < 3 || (image.channels === 3 && stride.height === 1 && stride.width === 1);

export const patchLength = (geometry: Geometry): number => tapCount(geometry) * geometry.image.channels;

/** Copies the patches under every position of a few images to scratch space, [position, image, patch]. */
export function preparePatches(heap: Heap, geometry: Geometry): (from: Address, images: number) => Address {
  const length = patchLength(geometry);
  const imageBytes = 4 * imageSize(geometry);
  const positions = mapSize(geometry) / geometry.map.channels;
  const table = heap.table(patchTable(geometry));
  const padded = heap.table(new Array<number>(8 + imageBytes / 4).fill(0));
  const kernelFor = perCount((images) =>
    heap.compile(patches({ length, imageBytes, step: 4 * length * images })),
  );
  return (from, images) => {
    const target = heap.scratch('image', 4 * images * positions * length);
    const kernel = kernelFor(images);
    for (let i = 0; i < images; i++)
      kernel(from + i * imageBytes, padded.start, target + 4 * length * i, table.start, table.end);
    return target;
  };
}

/** Takes a gradient back through the ReLU whose output is `mask`. The result is in scratch space. */
export function throughRelu(heap: Heap, gradient: Address, mask: Address, floats: number): Address {
  const target = heap.scratch('masked', 4 * floats);
  const kernel = heap.once('reluGradient', () => heap.compile(reluGradient()));
  kernel(gradient, mask, target, floats);
  return target;
}

/** How the sums of a convolution start and end. Kernels are compiled for these values and for the geometry. */
export interface Ends {
  readonly start: 'zero' | 'bias';
  readonly activation: LinearOrRelu;
}

/** Packs the filter, and returns a function that computes the output of some images. */
export type Plan = (filter: Address, bias: Address | undefined) => Run;
export type Run = (input: Address, output: Address, images: number) => void;

/** One side of a convolution: values, or a gradient with the output `mask` of the ReLU through which it goes back. */
export interface Side {
  readonly values: Address;
  readonly mask?: Address | undefined;
}

export type SideName = 'image' | 'map';

/** The addresses for the gradients of filter and bias. `bias` is used only when the caller names the side that is the gradient. */
export interface Results {
  readonly filter: Address;
  readonly bias: Address;
}
