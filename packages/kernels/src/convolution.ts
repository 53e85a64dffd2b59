/**
 * Convolutions and transposed convolutions, with bias and activation.
 */
import { hasFewChannels, planLanesToImage, planLanesToMap } from './few-channels.ts';
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
import { type Address, type Heap, perCount } from './heap.ts';
import {
  type Ends,
  inGroups,
  type LinearOrRelu,
  type Plan,
  patchLength,
  prepareContraction,
  prepareDotProducts,
  preparePatches,
  throughRelu,
  usesPatches,
} from './passes.ts';
import { packColumns, packRows, panelCount, panelRow } from './wasm/pack.ts';
import { preparePairedImage, preparePairedMap } from './winograd-convolution.ts';
import { pairConvolution } from './winograd-pairing.ts';

/** The bias and the activation that a sum gets before it is stored. */
export interface Finish {
  readonly bias?: Address | undefined;
  readonly activation: LinearOrRelu;
}

/** Addresses of a pass from one side of a convolution to the other. With `mask`, the input is a gradient that first goes back through a ReLU. */
export interface Passage {
  readonly input: Address;
  readonly mask?: Address | undefined;
  readonly filter: Address;
  readonly output: Address;
}

/**
 * image → map: a convolution, or the gradient of a transposed convolution with respect to its input. [batch, …image] → [batch, …map]; the
 * filter is [height, width, image channels, map channels].
 */
export function imageToMap(heap: Heap, geometry: Geometry, batch: number, at: Passage, finish: Finish): void {
  const sizes = { input: imageSize(geometry), output: mapSize(geometry) };
  pass(heap, 'imageToMap', geometry, planMap, batch, at, finish, sizes);
}

/** map → image: a transposed convolution, or the gradient of a convolution with respect to its image. [batch, …map] → [batch, …image]. */
export function mapToImage(heap: Heap, geometry: Geometry, batch: number, at: Passage, finish: Finish): void {
  const sizes = { input: mapSize(geometry), output: imageSize(geometry) };
  pass(heap, 'mapToImage', geometry, planImage, batch, at, finish, sizes);
}

/**
 * Chooses the algorithm by the geometry: outputs in pairs (Winograd) where that saves work, images in lanes where both sides have few channels, patches for
 * images of few channels, else direct.
 */
function planMap(heap: Heap, geometry: Geometry, ends: Ends): Plan {
  const pairing = pairConvolution(geometry);
  if (pairing) return preparePairedMap(heap, geometry, pairing, ends);
  if (hasFewChannels(geometry)) return planLanesToMap(heap, geometry, ends);
  return (usesPatches(geometry) ? planPatched : planDirect)(heap, geometry, ends);
}

function planImage(heap: Heap, geometry: Geometry, ends: Ends): Plan {
  const pairing = pairConvolution(geometry);
  if (pairing) return preparePairedImage(heap, geometry, pairing, ends);
  const dots = geometry.image.channels < 4 && geometry.map.channels % 4 === 0;
  if (dots) return planDots(heap, geometry, ends);
  return (hasFewChannels(geometry) ? planLanesToImage : planTransposed)(heap, geometry, ends);
}

function pass(
  heap: Heap,
  name: string,
  geometry: Geometry,
  prepare: (heap: Heap, geometry: Geometry, ends: Ends) => Plan,
  batch: number,
  { input, mask, filter, output }: Passage,
  { bias, activation }: Finish,
  sizes: { readonly input: number; readonly output: number },
): void {
  const start = bias === undefined ? 'zero' : 'bias';
  const plan = heap.once(`${name} ${geometryName(geometry)} ${start} ${activation}`, () =>
    prepare(heap, geometry, { start, activation }),
  );
  const run = plan(filter, bias);
  if (mask === undefined) {
    run(input, output, batch);
    return;
  }
  // A few images at a time, so that the masked gradient is still in the cache when the pass reads it.
  inGroups(batch, (first, images) => {
    const offset = 4 * first * sizes.input;
    const gradient = throughRelu(heap, input + offset, mask + offset, images * sizes.input);
    run(gradient, output + 4 * first * sizes.output, images);
  });
}

/** Packs a filter and keeps its order: [taps · image channels, map channels] → panels. */
function preparePackedRows(heap: Heap, geometry: Geometry): (filter: Address) => Address {
  const columns = geometry.map.channels;
  const depth = patchLength(geometry);
  const panelStride = depth * panelRow;
  const pack = heap.compile(packRows({ columns, panelStride }));
  return (filter) => {
    const weights = heap.scratch('weights', panelCount(columns) * panelStride);
    pack(filter, weights, depth);
    return weights;
  };
}

/** image → map, directly. */
const planDirect = (heap: Heap, geometry: Geometry, ends: Ends): Plan => {
  const pack = preparePackedRows(heap, geometry);
  const table = heap.table(mapTable(geometry));
  const contract = prepareContraction(heap, {
    ...ends,
    inputStride: 4 * imageSize(geometry),
    outputStride: 4 * mapSize(geometry),
    columns: geometry.map.channels,
    panelStride: patchLength(geometry) * panelRow,
  });
  return (filter, bias) => {
    const weights = pack(filter);
    return (input, output, images) => contract(images, { input, weights, output, bias, table });
  };
};

/** image → map, through patches. */
const planPatched = (heap: Heap, geometry: Geometry, ends: Ends): Plan => {
  const depth = patchLength(geometry);
  const [imageBytes, mapBytes] = [4 * imageSize(geometry), 4 * mapSize(geometry)];
  const pack = preparePackedRows(heap, geometry);
  const gather = preparePatches(heap, geometry);
  const contract = prepareContraction(heap, {
    ...ends,
    inputStride: 4 * depth,
    outputStride: mapBytes,
    columns: geometry.map.channels,
    panelStride: depth * panelRow,
  });
  const tableFor = perCount((images) =>
    heap.table(positionTable(geometry).flatMap((to, p) => [to, 1, 4 * p * images * depth, 0, 4 * depth])),
  );
  return (filter, bias) => {
    const weights = pack(filter);
    return (from, to, batch) =>
      inGroups(batch, (first, images) => {
        const table = tableFor(images);
        const input = gather(from + first * imageBytes, images);
        contract(images, { input, weights, output: to + first * mapBytes, bias, table });
      });
  };
};

/** map → image, as a contraction. */
const planTransposed = (heap: Heap, geometry: Geometry, ends: Ends): Plan => {
  const [columns, depth] = [geometry.image.channels, geometry.map.channels];
  const taps = tapOrder(geometry);
  const panelStride = taps.length * depth * panelRow;
  const pack = heap.compile(packColumns({ columns, depth, panelStride }));
  const table = heap.table(imageTable(geometry));
  const contract = prepareContraction(heap, {
    ...ends,
    inputStride: 4 * mapSize(geometry),
    outputStride: 4 * imageSize(geometry),
    columns,
    panelStride,
  });
  return (filter, bias) => {
    const weights = heap.scratch('weights', panelCount(columns) * panelStride);
    for (const [rank, tap] of taps.entries())
      pack(filter + 4 * tap * columns * depth, weights + rank * depth * panelRow);
    return (input, output, images) => contract(images, { input, weights, output, bias, table });
  };
};

/** map → image, as dot products, for images of few channels. */
const planDots = (heap: Heap, geometry: Geometry, ends: Ends): Plan => {
  const [columns, depth] = [geometry.image.channels, geometry.map.channels];
  const taps = tapOrder(geometry);
  const columnStride = 4 * taps.length * depth;
  const table = heap.table(imageTable(geometry, 4));
  const contract = prepareDotProducts(heap, {
    ...ends,
    inputStride: 4 * mapSize(geometry),
    outputStride: 4 * imageSize(geometry),
    columns,
    columnStride,
  });
  return (filter, bias) => {
    const weights = heap.scratch('weights', columns * columnStride);
    for (const [rank, tap] of taps.entries())
      for (let column = 0; column < columns; column++) {
        const to = weights + column * columnStride + 4 * rank * depth;
        heap.copy(filter + 4 * (tap * columns + column) * depth, to, depth);
      }
    return (input, output, images) => contract(images, { input, weights, output, bias, table });
  };
};
