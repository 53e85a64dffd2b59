import { contract, contractByDots, type LinearOrRelu, panelCount, panelRow } from './contract-images.ts';
import {
  type Geometry,
  geometryName,
  imageSize,
  imageTable,
  mapSize,
  mapTable,
  positionTable,
  tapOrder,
} from './geometry.ts';
import type { Address, Heap } from './heap.ts';
import { gatherPatches, groups, isNarrow, patchLength, throughRelu } from './patches.ts';
import { hasFusedMultiplyAdd } from './wasm/arithmetic.ts';
import { packColumns, packRows } from './wasm/pack.ts';

/** What is done to a sum before it is stored. */
export interface Finish {
  readonly bias?: Address | undefined;
  readonly activation: LinearOrRelu;
}

const startOf = ({ bias }: Finish) => (bias === undefined ? 'zero' : 'bias');

/** image → map: a convolution. The filter is [height, width, image channels, map channels]. */
export function imageToMap(
  heap: Heap,
  geometry: Geometry,
  batch: number,
  at: { readonly image: Address; readonly filter: Address; readonly map: Address },
  finish: Finish,
): void {
  const columns = geometry.map.channels;
  const depth = patchLength(geometry);
  const panelStride = depth * panelRow;
  const weights = heap.scratch('weights', panelCount(columns) * panelStride);
  heap.kernel(`packRows ${columns} ${depth}`, () => packRows({ columns, panelStride }))(
    at.filter,
    weights,
    depth,
  );
  const spec = {
    fused: hasFusedMultiplyAdd(),
    inputStride: 4 * imageSize(geometry),
    outputStride: 4 * mapSize(geometry),
    columns,
    panelStride,
    start: startOf(finish),
    activation: finish.activation,
  } as const;
  const operands = { weights, bias: finish.bias };
  const name = geometryName(geometry);
  if (!isNarrow(geometry)) {
    const table = heap.once(`map ${name}`, () => heap.table(mapTable(geometry)));
    contract(heap, spec, batch, { ...operands, input: at.image, output: at.map, table });
    return;
  }
  for (const { first, images } of groups(batch)) {
    const input = gatherPatches(heap, geometry, at.image + first * spec.inputStride, images);
    const output = at.map + first * spec.outputStride;
    const table = heap.once(`patched ${images} ${name}`, () =>
      heap.table(positionTable(geometry).flatMap((to, p) => [to, 1, 4 * p * images * depth, 0, 4 * depth])),
    );
    contract(heap, { ...spec, inputStride: 4 * depth }, images, { ...operands, input, output, table });
  }
}

/**
 * map → image: the transpose of a convolution, which is also its gradient with respect to the image. With `mask`, the map is a
 * gradient that goes back through that ReLU first.
 */
export function mapToImage(
  heap: Heap,
  geometry: Geometry,
  batch: number,
  at: {
    readonly map: Address;
    readonly mask?: Address | undefined;
    readonly filter: Address;
    readonly image: Address;
  },
  finish: Finish,
): void {
  const dots = isNarrow(geometry) && geometry.map.channels % 4 === 0;
  const run = (dots ? dotImage : contractImage)(heap, geometry, at.filter, finish);
  if (at.mask === undefined) {
    run(at.map, at.image, batch);
    return;
  }
  const floats = mapSize(geometry);
  for (const { first, images } of groups(batch)) {
    const offset = 4 * first * floats;
    const map = throughRelu(heap, at.map + offset, at.mask + offset, images * floats);
    run(map, at.image + 4 * first * imageSize(geometry), images);
  }
}

type Run = (map: Address, image: Address, images: number) => void;

function contractImage(heap: Heap, geometry: Geometry, filter: Address, finish: Finish): Run {
  const [columns, depth] = [geometry.image.channels, geometry.map.channels];
  const taps = tapOrder(geometry);
  const panelStride = taps.length * depth * panelRow;
  const weights = heap.scratch('weights', panelCount(columns) * panelStride);
  const pack = heap.kernel(`packColumns ${columns} ${depth} ${panelStride}`, () =>
    packColumns({ columns, depth, panelStride }),
  );
  for (const [rank, tap] of taps.entries())
    pack(filter + 4 * tap * columns * depth, weights + rank * depth * panelRow);
  const spec = {
    fused: hasFusedMultiplyAdd(),
    inputStride: 4 * mapSize(geometry),
    outputStride: 4 * imageSize(geometry),
    columns,
    panelStride,
    start: startOf(finish),
    activation: finish.activation,
  } as const;
  const table = heap.once(`image ${geometryName(geometry)}`, () => heap.table(imageTable(geometry)));
  return (input, output, images) =>
    contract(heap, spec, images, { input, weights, output, bias: finish.bias, table });
}

function dotImage(heap: Heap, geometry: Geometry, filter: Address, finish: Finish): Run {
  const [columns, depth] = [geometry.image.channels, geometry.map.channels];
  const taps = tapOrder(geometry);
  const columnStride = 4 * taps.length * depth;
  const weights = heap.scratch('weights', columns * columnStride);
  for (const [rank, tap] of taps.entries())
    for (let column = 0; column < columns; column++)
      heap.copy(
        filter + 4 * (tap * columns + column) * depth,
        weights + column * columnStride + 4 * rank * depth,
        depth,
      );
  const spec = {
    fused: hasFusedMultiplyAdd(),
    inputStride: 4 * mapSize(geometry),
    outputStride: 4 * imageSize(geometry),
    columns,
    columnStride,
    start: startOf(finish),
    activation: finish.activation,
  } as const;
  const table = heap.once(`dots ${geometryName(geometry)}`, () => heap.table(imageTable(geometry, 4)));
  return (input, output, images) =>
    contractByDots(heap, spec, images, { input, weights, output, bias: finish.bias, table });
}
