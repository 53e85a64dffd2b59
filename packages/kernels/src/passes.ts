import { type Geometry, imageSize, mapSize, patchTable, tapCount } from './geometry.ts';
import { type Address, type Heap, perCount, type Table } from './heap.ts';
import { hasFusedMultiplyAdd, type Module } from './wasm/assembler.ts';
import { reluGradient } from './wasm/elementwise.ts';
import { patches } from './wasm/pack.ts';
import { type Contraction, contraction, type DotProducts, dotProducts } from './wasm/products.ts';

export type LinearOrRelu = 'linear' | 'relu';

/** Weights are packed in panels of 8 columns: bytes of one k in a panel, and how many panels there are. */
export const panelRow = 32;
export const panelCount = (columns: number): number => Math.ceil(columns / 8);

/** Where a contraction reads and writes. */
export interface Operands {
  readonly input: Address;
  readonly weights: Address;
  readonly output: Address;
  readonly bias: Address | undefined;
  readonly table: Table;
}

/** Runs a contraction over so many images. */
export type Contract = (images: number, at: Operands) => void;

/** Four images at once, then those that are left. */
function inFours(
  heap: Heap,
  strides: { inputStride: number; outputStride: number },
  write: (images: number) => Module,
): Contract {
  const kernelFor = perCount((images) => heap.compile(write(images)));
  return (images, { input, weights, output, bias = 0, table }) => {
    const left = images % 4;
    const whole = images - left;
    if (whole > 0) kernelFor(4)(input, weights, output, bias, table.start, table.end, whole / 4);
    if (left === 0) return;
    const [from, to] = [input + whole * strides.inputStride, output + whole * strides.outputStride];
    kernelFor(left)(from, weights, to, bias, table.start, table.end, 1);
  };
}

type Shape<Spec> = Omit<Spec, 'images' | 'fused'>;

export function prepareContraction(heap: Heap, shape: Shape<Contraction>): Contract {
  const fused = hasFusedMultiplyAdd();
  return inFours(heap, shape, (images) => contraction({ ...shape, fused, images }));
}

export function prepareDotProducts(heap: Heap, shape: Shape<DotProducts>): Contract {
  const fused = hasFusedMultiplyAdd();
  return inFours(heap, shape, (images) => dotProducts({ ...shape, fused, images }));
}

/** Images gathered at once: enough for long runs, few enough for the second-level cache. */
export const groupSize = 4;

/** Calls `run` for each group of images: the first, and how many. */
export function inGroups(batch: number, run: (first: number, images: number) => void): void {
  for (let first = 0; first < batch; first += groupSize) run(first, Math.min(groupSize, batch - first));
}

/** An image of so few channels is rearranged into patches: a row of them is shorter than a tile. */
export const isNarrow = ({ image }: Geometry): boolean => image.channels < 4;

export const patchLength = (geometry: Geometry): number => tapCount(geometry) * geometry.image.channels;

/** Gathers the patches under every position of a few images, [position, image, patch], at a scratch address. */
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

/** A gradient back through the ReLU whose output is `mask`; at a scratch address. */
export function throughRelu(heap: Heap, gradient: Address, mask: Address, floats: number): Address {
  const target = heap.scratch('masked', 4 * floats);
  const kernel = heap.once('reluGradient', () => heap.compile(reluGradient()));
  kernel(gradient, mask, target, floats);
  return target;
}

/** How the sums of a convolution start and end: what its kernels are specialised to besides the geometry. */
export interface Ends {
  readonly start: 'zero' | 'bias';
  readonly activation: LinearOrRelu;
}

/** Packs the filter, and answers what takes images from input to output. */
export type Plan = (filter: Address, bias: Address | undefined) => Run;
export type Run = (input: Address, output: Address, images: number) => void;

/** What the gradient of a convolution's filter is made from, and where it goes. */

/** One side of a convolution: values, or a gradient that goes back through the ReLU whose output is `mask`. */
export interface Side {
  readonly values: Address;
  readonly mask?: Address | undefined;
}

export type SideName = 'image' | 'map';

/** Where the sums go; `bias` only where one side is named as the gradient that it is the sum of. */
export interface Results {
  readonly filter: Address;
  readonly bias: Address;
}
