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

type Run = (input: Address, output: Address, images: number) => void;

/**
 * Runs over a batch: at once, or, where the input is a gradient that goes back through the ReLU whose output is `mask`, a few images
 * at a time, while they are in the cache.
 */
function throughMask(
  heap: Heap,
  run: Run,
  batch: number,
  at: { readonly input: Address; readonly mask: Address | undefined; readonly output: Address },
  sizes: { readonly input: number; readonly output: number },
): void {
  if (at.mask === undefined) {
    run(at.input, at.output, batch);
    return;
  }
  for (const { first, images } of groups(batch)) {
    const offset = 4 * first * sizes.input;
    const input = throughRelu(heap, at.input + offset, at.mask + offset, images * sizes.input);
    run(input, at.output + 4 * first * sizes.output, images);
  }
}

/**
 * image → map: a convolution, which is also the gradient of a transposed one with respect to its input. The filter is
 * [height, width, image channels, map channels].
 */
export function imageToMap(
  heap: Heap,
  geometry: Geometry,
  batch: number,
  at: {
    readonly image: Address;
    readonly mask?: Address | undefined;
    readonly filter: Address;
    readonly map: Address;
  },
  finish: Finish,
): void {
  const columns = geometry.map.channels;
  const depth = patchLength(geometry);
  const panelStride = depth * panelRow;
  const weights = heap.scratch('weights', panelCount(columns) * panelStride);
  const pack = heap.kernel(`packRows ${columns} ${depth}`, () => packRows({ columns, panelStride }));
  pack(at.filter, weights, depth);
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
  const whole: Run = (input, output, images) => {
    const table = heap.once(`map ${name}`, () => heap.table(mapTable(geometry)));
    contract(heap, spec, images, { ...operands, input, output, table });
  };
  const patched: Run = (input, output, batch) => {
    for (const { first, images } of groups(batch)) {
      const gathered = gatherPatches(heap, geometry, input + first * spec.inputStride, images);
      const table = heap.once(`patched ${images} ${name}`, () =>
        heap.table(positionTable(geometry).flatMap((to, p) => [to, 1, 4 * p * images * depth, 0, 4 * depth])),
      );
      const at = { ...operands, input: gathered, output: output + first * spec.outputStride, table };
      contract(heap, { ...spec, inputStride: 4 * depth }, images, at);
    }
  };
  const sizes = { input: imageSize(geometry), output: mapSize(geometry) };
  const { image: input, mask, map: output } = at;
  throughMask(heap, isNarrow(geometry) ? patched : whole, batch, { input, mask, output }, sizes);
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
  const sizes = { input: mapSize(geometry), output: imageSize(geometry) };
  throughMask(heap, run, batch, { input: at.map, mask: at.mask, output: at.image }, sizes);
}

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
