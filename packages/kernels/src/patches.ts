import { type Geometry, imageSize, mapSize, patchTable, tapCount } from './geometry.ts';
import type { Address, Heap } from './heap.ts';
import { perCount } from './per-count.ts';
import { reluGradient } from './wasm/elementwise.ts';
import { patches } from './wasm/pack.ts';

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
