import { type Geometry, geometryName, imageSize, mapSize, patchTable, tapCount } from './geometry.ts';
import type { Address, Heap } from './heap.ts';
import { reluGradient } from './wasm/elementwise.ts';
import { patches } from './wasm/pack.ts';

/** Images gathered at once: enough for long runs, few enough for the second-level cache. */
export const groupSize = 4;

/** The first image of each group and how many it has. */
export function groups(batch: number): { readonly first: number; readonly images: number }[] {
  return Array.from({ length: Math.ceil(batch / groupSize) }, (_, i) => ({
    first: i * groupSize,
    images: Math.min(groupSize, batch - i * groupSize),
  }));
}

/** An image of so few channels is rearranged into patches: a row of them is shorter than a tile. */
export const isNarrow = ({ image }: Geometry): boolean => image.channels < 4;

export const patchLength = (geometry: Geometry): number => tapCount(geometry) * geometry.image.channels;

/** The patches under every position of a few images, [position, image, patch]; at a scratch address. */
export function gatherPatches(heap: Heap, geometry: Geometry, from: Address, images: number): Address {
  const length = patchLength(geometry);
  const imageBytes = 4 * imageSize(geometry);
  const positions = mapSize(geometry) / geometry.map.channels;
  const target = heap.scratch('image', 4 * images * positions * length);
  const table = heap.once(`patches ${geometryName(geometry)}`, () => heap.table(patchTable(geometry)));
  const padded = heap.once(`padded ${imageBytes}`, () =>
    heap.table(new Array<number>(8 + imageBytes / 4).fill(0)),
  );
  const step = 4 * length * images;
  const spec = { length, imageBytes, step };
  const kernel = heap.kernel(`patches ${Object.values(spec).join(' ')}`, () => patches(spec));
  for (let i = 0; i < images; i++)
    kernel(from + i * imageBytes, padded.start, target + 4 * length * i, table.start, table.end);
  return target;
}

/** A gradient back through the ReLU whose output is `mask`; at a scratch address. */
export function throughRelu(heap: Heap, gradient: Address, mask: Address, floats: number): Address {
  const target = heap.scratch('masked', 4 * floats);
  heap.kernel('reluGradient', reluGradient)(gradient, mask, target, floats);
  return target;
}
