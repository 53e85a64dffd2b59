/**
 * Stride-2 convolutions and their filter gradients, computed in pairs (winograd-pairing.ts).
 */
import type { Geometry } from './geometry.ts';
import { type Heap, perCount } from './heap.ts';
import {
  type Ends,
  groupSize,
  inGroups,
  type Plan,
  prepareContraction,
  type Results,
  type Side,
  type SideName,
  throughRelu,
} from './passes.ts';
import { prepareChanges } from './similar-images.ts';
import { hasFusedMultiplyAdd } from './wasm/assembler.ts';
import { sumRows } from './wasm/elementwise.ts';
import { packColumns, packRows, panelCount, panelRow } from './wasm/pack.ts';
import { correlation } from './wasm/products.ts';
import {
  filterOperator,
  type Pairing,
  pixelOperator,
  prepareCombination,
  prepareWeights,
  sumOperator,
  transpose,
  weightsCount,
} from './winograd-pairing.ts';

/** The table of the contraction from combined pixels to sums. The products of a sum follow each other, and so do its weights. */
function sumsTable(pairing: Pairing, { image, map }: Geometry): number[] {
  let product = 0;
  return pairing.flatMap(({ products }, sum) => {
    const segment = [
      4 * product * image.channels,
      panelRow * products[0]!.weight * image.channels,
      4 * products.length * image.channels,
    ];
    product += products.length;
    return [4 * sum * map.channels, 1, ...segment];
  });
}

/** The table of the contraction from sums to products, weight by weight. */
const productsTable = (pairing: Pairing, { image, map }: Geometry): number[] =>
  pairing
    .flatMap(({ products }, sum) => products.map(({ weight }) => ({ sum, weight })))
    .map((place, product) => ({ ...place, product }))
    .sort((a, b) => a.weight - b.weight)
    .flatMap(({ sum, weight, product }) => [
      4 * product * image.channels,
      1,
      4 * sum * map.channels,
      panelRow * weight * map.channels,
      4 * map.channels,
    ]);

const positionsOf = ({ height, width }: { height: number; width: number }): number => height * width;

/** image → map, in pairs. */
export const preparePairedMap = (heap: Heap, geometry: Geometry, pairing: Pairing, ends: Ends): Plan => {
  const { image, map } = geometry;
  const [pixels, positions] = [positionsOf(image), positionsOf(map)];
  const [pixelsCombined, positionsSummed] = [pixelOperator(pairing), sumOperator(pairing)];
  const [combined, sums] = [pixelsCombined.length, positionsSummed.length];
  const depth = weightsCount * image.channels;
  const panelStride = depth * panelRow;
  const [inputStride, outputStride] = [4 * combined * image.channels, 4 * sums * map.channels];

  const combineWeights = prepareWeights(heap, geometry);
  const pack = heap.compile(packRows({ columns: map.channels, panelStride }));
  const combine = prepareCombination(heap, {
    operator: pixelsCombined,
    positions: pixels,
    channels: image.channels,
  });
  const contract = prepareContraction(heap, {
    inputStride,
    outputStride,
    columns: map.channels,
    panelStride,
    start: 'zero',
    activation: 'linear',
  });
  const changesOf = prepareChanges(heap, heap.table(sumsTable(pairing, geometry)), inputStride);
  const finish = prepareCombination(heap, {
    ...ends,
    operator: transpose(positionsSummed, positions),
    positions: sums,
    channels: map.channels,
  });

  return (filter, bias) => {
    const weights = heap.scratch('weights', panelCount(map.channels) * panelStride);
    pack(combineWeights(filter), weights, depth);
    return (from, to, batch) => {
      const most = Math.min(batch, groupSize);
      const inputBytes = most * inputStride;
      const output = heap.scratch('map', most * outputStride);
      const changes = changesOf([
        heap.scratch('image', inputBytes),
        heap.scratch('image before', inputBytes),
      ]);
      inGroups(batch, (first, images) => {
        const input = changes.input();
        combine(from + 4 * first * pixels * image.channels, input, images);
        const table = changes.table(images);
        if (table.end > table.start) contract(images, { input, weights, output, bias: undefined, table });
        finish(output, to + 4 * first * positions * map.channels, images, bias);
      });
    };
  };
};

/** map → image, in pairs. */
export const preparePairedImage = (heap: Heap, geometry: Geometry, pairing: Pairing, ends: Ends): Plan => {
  const { image, map } = geometry;
  const [pixels, positions] = [positionsOf(image), positionsOf(map)];
  const [pixelsCombined, positionsSummed] = [pixelOperator(pairing), sumOperator(pairing)];
  const [combined, sums] = [pixelsCombined.length, positionsSummed.length];
  const [columns, depth] = [image.channels, map.channels];
  const panelStride = weightsCount * depth * panelRow;

  const combineWeights = prepareWeights(heap, geometry);
  const pack = heap.compile(packColumns({ columns, depth, panelStride }));
  const combine = prepareCombination(heap, { operator: positionsSummed, positions, channels: depth });
  const contract = prepareContraction(heap, {
    inputStride: 4 * sums * depth,
    outputStride: 4 * combined * columns,
    columns,
    panelStride,
    start: 'zero',
    activation: 'linear',
  });
  const table = heap.table(productsTable(pairing, geometry));
  const finish = prepareCombination(heap, {
    ...ends,
    operator: transpose(pixelsCombined, pixels),
    positions: combined,
    channels: columns,
  });

  return (filter, bias) => {
    const weights = heap.scratch('weights', panelCount(columns) * panelStride);
    const paired = combineWeights(filter);
    for (let weight = 0; weight < weightsCount; weight++)
      pack(paired + 4 * weight * columns * depth, weights + weight * depth * panelRow);
    return (from, to, batch) =>
      inGroups(batch, (first, images) => {
        const input = heap.scratch('map', 4 * images * sums * depth);
        const output = heap.scratch('image', 4 * images * combined * columns);
        combine(from + 4 * first * positions * depth, input, images);
        contract(images, { input, weights, output, bias: undefined, table });
        finish(output, to + 4 * first * pixels * columns, images, bias);
      });
  };
};

/** All products, sorted so that products with the same weight are neighbours. */
const productsByWeight = (pairing: Pairing) =>
  pairing
    .flatMap(({ products }, sum) => products.map((product) => ({ ...product, sum })))
    .sort((a, b) => a.weight - b.weight || a.sum - b.sum);

/** For each of the 25 weights, the run of a correlation over its products and their sums, with `images` images interleaved. */
const runTables = (
  products: ReturnType<typeof productsByWeight>,
  images: number,
  channels: number,
): number[][] =>
  Array.from({ length: weightsCount }, (_, weight) => {
    const first = products.findIndex((product) => product.weight === weight);
    const count = products.filter((product) => product.weight === weight).length;
    if (count === 0) return [];
    // The sums that have products with this weight are neighbours, in the order of these products.
    return [
      4 * first * images * channels,
      panelRow * products[first]!.sum * images,
      panelRow * count * images,
    ];
  });

/** The gradient of the filter, computed from the gradients of the 25 weights. */
export function preparePairedGradient(
  heap: Heap,
  geometry: Geometry,
  pairing: Pairing,
  gradient: SideName | undefined,
) {
  const { image, map } = geometry;
  const [pixels, positions] = [image.height * image.width, map.height * map.width];
  const channels = image.channels * map.channels;
  const products = productsByWeight(pairing);
  const combined = products.map((product) => product.pixels);
  const summed = sumOperator(pairing);

  const prepared = perCount((images) => {
    const panelStride = summed.length * images * panelRow;
    const step = 4 * image.channels;
    const correlate = heap.compile(
      correlation({
        fused: hasFusedMultiplyAdd(),
        rows: image.channels,
        columns: map.channels,
        resultStride: 4 * map.channels,
        inputStep: step,
        panelStride,
      }),
    );
    return {
      combinePixels: prepareCombination(heap, {
        operator: combined,
        positions: pixels,
        channels: image.channels,
        layout: { image: step, position: step * images, block: panelRow },
      }),
      combineSums: prepareCombination(heap, {
        operator: summed,
        positions,
        channels: map.channels,
        layout: { image: panelRow, position: panelRow * images, block: panelStride },
      }),
      correlate,
      tables: runTables(products, images, image.channels).map((runs) => heap.table(runs)),
      panelBytes: (map.channels / 8) * panelStride,
    };
  });
  const finish = prepareCombination(heap, {
    operator: transpose(filterOperator, 9),
    positions: weightsCount,
    channels,
  });
  const side = gradient && geometry[gradient];
  const addBias =
    side && heap.compile(sumRows({ columns: side.channels, step: 4 * side.channels, blockStride: panelRow }));

  return (batch: number, sides: { readonly image: Side; readonly map: Side }, to: Results): void => {
    const weights = heap.scratch('weight gradients', 4 * weightsCount * channels);
    heap.zero(weights, weightsCount * channels);
    inGroups(batch, (first, images) => {
      const { combinePixels, combineSums, correlate, tables, panelBytes } = prepared(images);
      const unmasked = (name: SideName, floats: number): number => {
        const { values, mask } = sides[name];
        const skip = 4 * first * floats;
        return mask === undefined
          ? values + skip
          : throughRelu(heap, values + skip, mask + skip, images * floats);
      };
      // At most one side may have a mask: the scratch space of the ReLU holds only one gradient.
      const from = {
        image: unmasked('image', pixels * image.channels),
        map: unmasked('map', positions * map.channels),
      };
      if (gradient && addBias) addBias(from[gradient], to.bias, images * side!.height * side!.width);
      const input = heap.scratch('image', 4 * combined.length * images * image.channels);
      const panels = heap.scratch('map', panelBytes);
      combinePixels(from.image, input, images);
      combineSums(from.map, panels, images);
      for (const [weight, { start, end }] of tables.entries())
        if (end > start) correlate(input, panels, weights + 4 * weight * channels, start, end);
    });
    finish(weights, to.filter, 1);
  };
}
