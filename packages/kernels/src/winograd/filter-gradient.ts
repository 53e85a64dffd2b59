import { panelRow } from '../contract-images.ts';
import type { Geometry } from '../geometry.ts';
import type { Heap } from '../heap.ts';
import { inGroups, throughRelu } from '../patches.ts';
import { perCount } from '../per-count.ts';
import type { Results, Side, SideName } from '../sides.ts';
import { hasFusedMultiplyAdd } from '../wasm/arithmetic.ts';
import { correlation } from '../wasm/correlate.ts';
import { sumRows } from '../wasm/elementwise.ts';
import { transpose } from './operator.ts';
import { filterOperator, type Pairing, prepareCombination, sumOperator, weightsCount } from './pairing.ts';

/** All products, in an order in which those that meet the same weight are neighbours. */
const productsByWeight = (pairing: Pairing) =>
  pairing
    .flatMap(({ products }, sum) => products.map((product) => ({ ...product, sum })))
    .sort((a, b) => a.weight - b.weight || a.sum - b.sum);

/** For each of the 25 weights, a correlation's run over its products and their sums, `images` of them interleaved. */
const runTables = (
  products: ReturnType<typeof productsByWeight>,
  images: number,
  channels: number,
): number[][] =>
  Array.from({ length: weightsCount }, (_, weight) => {
    const first = products.findIndex((product) => product.weight === weight);
    const count = products.filter((product) => product.weight === weight).length;
    if (count === 0) return [];
    // The sums of one weight are neighbours, in the order of its products.
    return [
      4 * first * images * channels,
      panelRow * products[first]!.sum * images,
      panelRow * count * images,
    ];
  });

/** The filter's gradient by way of the gradients of the 25 weights. */
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
      // One side at most is masked: the scratch of the ReLU holds one gradient.
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
