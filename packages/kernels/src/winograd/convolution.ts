import { panelCount, panelRow, prepareContraction } from '../contract-images.ts';
import type { Ends, Plan } from '../convolution-plan.ts';
import type { Geometry } from '../geometry.ts';
import type { Heap } from '../heap.ts';
import { inGroups } from '../patches.ts';
import { packColumns, packRows } from '../wasm/pack.ts';
import { transpose } from './operator.ts';
import {
  type Pairing,
  pixelOperator,
  prepareCombination,
  prepareWeights,
  sumOperator,
  weightsCount,
} from './pairing.ts';

/** Combined pixels → sums, as a contraction's table: a sum's products follow each other, as do its weights. */
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

/** Sums → products, as a contraction's table, weight by weight. */
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

/** image → map. */
export const preparePairedMap = (heap: Heap, geometry: Geometry, pairing: Pairing, ends: Ends): Plan => {
  const { image, map } = geometry;
  const [pixels, positions] = [positionsOf(image), positionsOf(map)];
  const [pixelsCombined, positionsSummed] = [pixelOperator(pairing), sumOperator(pairing)];
  const [combined, sums] = [pixelsCombined.length, positionsSummed.length];
  const depth = weightsCount * image.channels;
  const panelStride = depth * panelRow;

  const combineWeights = prepareWeights(heap, geometry);
  const pack = heap.compile(packRows({ columns: map.channels, panelStride }));
  const combine = prepareCombination(heap, {
    operator: pixelsCombined,
    positions: pixels,
    channels: image.channels,
  });
  const contract = prepareContraction(heap, {
    inputStride: 4 * combined * image.channels,
    outputStride: 4 * sums * map.channels,
    columns: map.channels,
    panelStride,
    start: 'zero',
    activation: 'linear',
  });
  const table = heap.table(sumsTable(pairing, geometry));
  const finish = prepareCombination(heap, {
    ...ends,
    operator: transpose(positionsSummed, positions),
    positions: sums,
    channels: map.channels,
  });

  return (filter, bias) => {
    const weights = heap.scratch('weights', panelCount(map.channels) * panelStride);
    pack(combineWeights(filter), weights, depth);
    return (from, to, batch) =>
      inGroups(batch, (first, images) => {
        const input = heap.scratch('image', 4 * images * combined * image.channels);
        const output = heap.scratch('map', 4 * images * sums * map.channels);
        combine(from + 4 * first * pixels * image.channels, input, images);
        contract(images, { input, weights, output, bias: undefined, table });
        finish(output, to + 4 * first * positions * map.channels, images, bias);
      });
  };
};

/** map → image. */
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
