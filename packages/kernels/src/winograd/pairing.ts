import type { LinearOrRelu } from '../contract-images.ts';
import type { Geometry } from '../geometry.ts';
import type { Address, Heap } from '../heap.ts';
import { combination } from '../wasm/combine.ts';
import { pairOutputs, weightsOfSums } from './axis.ts';
import { combinationTable, type Operator, product, type Term, transpose } from './operator.ts';

/** Combined pixels that meet one weight and are added to one sum. */
interface Product {
  /** Index into `filterOperator`. */
  readonly weight: number;
  readonly pixels: readonly Term[];
}

/** A sum of products, which is part of some positions of the map. */
interface Sum {
  readonly products: readonly Product[];
  readonly positions: readonly Term[];
}

/** A convolution whose outputs are computed in pairs along both axes. Sorted by weights. */
export type Pairing = readonly Sum[];

/** The weights of a sum follow each other: all pairs of its row's and its column's. */
const kinds = weightsOfSums.flatMap((rows, row) =>
  weightsOfSums.map((columns, column) => ({ row, column, weights: product(rows, columns, 3) })),
);

/** The nine taps → the 25 weights that the products are with. */
export const filterOperator: Operator = kinds.flatMap(({ weights }) => weights);
export const weightsCount = filterOperator.length;

/** Combining a channel costs as much as three multiplications, measured; less than this gain is lost to the caches. */
const combineCost = 3;
const minGain = 1.2;

/** How much less work a pairing is, all told, than the multiplications that it replaces. */
function gainOf(pairing: Pairing, { image, map, filter, stride, padding }: Geometry): number {
  const within = (tap: number, pixels: number, outputs: number, step: number, before: number): number =>
    Array.from({ length: outputs }, (_, j) => j * step - before + tap).filter((at) => at >= 0 && at < pixels)
      .length;
  const along = (taps: number, ...axis: [number, number, number, number]): number =>
    Array.from({ length: taps }, (_, tap) => within(tap, ...axis)).reduce((a, b) => a + b, 0);
  const down = along(filter.height, image.height, map.height, stride.height, padding.top);
  const across = along(filter.width, image.width, map.width, stride.width, padding.left);
  const pairs = image.channels * map.channels;
  const combined = pixelOperator(pairing).flat().length * image.channels;
  const summed = sumOperator(pairing).flat().length * map.channels;
  return (
    (down * across * pairs) / (pixelOperator(pairing).length * pairs + combineCost * (combined + summed))
  );
}

/** Undefined where the plain convolution does as well. */
export function pairConvolution(geometry: Geometry): Pairing | undefined {
  const { image, map, filter, stride, padding } = geometry;
  const three = filter.height === 3 && filter.width === 3;
  const two = stride.height === 2 && stride.width === 2;
  if (!three || !two || image.channels % 8 !== 0 || map.channels % 8 !== 0) return undefined;
  const rows = pairOutputs(image.height, map.height, padding.top);
  const columns = pairOutputs(image.width, map.width, padding.left);
  if (!rows || !columns) return undefined;
  const firstWeight = (row: number, column: number): number =>
    kinds
      .slice(
        0,
        kinds.findIndex((kind) => kind.row === row && kind.column === column),
      )
      .reduce((sum, kind) => sum + kind.weights.length, 0);
  const sums = rows.flatMap((row) =>
    columns.map((column): Sum => {
      const first = firstWeight(row.kind, column.kind);
      const factors = product(row.factors, column.factors, image.width);
      return {
        products: factors.map((pixels, i) => ({ weight: first + i, pixels })),
        positions: product([row.outputs], [column.outputs], map.width)[0]!,
      };
    }),
  );
  // Sums of the same weights follow each other: those weights stay in the cache meanwhile.
  const pairing = sums.sort((a, b) => a.products[0]!.weight - b.products[0]!.weight);
  const unused = transpose(pixelOperator(pairing), image.height * image.width).some(
    ({ length }) => length === 0,
  );
  return unused || gainOf(pairing, geometry) < minGain ? undefined : pairing;
}

/** Pixels → the combined pixels of every product, sum by sum. */
export const pixelOperator = (pairing: Pairing): Operator =>
  pairing.flatMap(({ products }) => products.map(({ pixels }) => pixels));

/** Positions of the map → the sums that they are part of. */
export const sumOperator = (pairing: Pairing): Operator => pairing.map(({ positions }) => positions);

/** How combined positions lie: one after the other for each image, unless strides say otherwise. In bytes. */
export interface Layout {
  readonly image: number;
  readonly position: number;
  readonly block: number;
}

export interface CombinationShape {
  readonly operator: Operator;
  /** Positions that it reads. */
  readonly positions: number;
  readonly channels: number;
  readonly layout?: Layout;
  readonly start?: 'zero' | 'bias';
  readonly activation?: LinearOrRelu;
}

/** Combines positions of a few images that follow each other. */
export function prepareCombination(
  heap: Heap,
  { operator, positions, channels, layout, start = 'zero', activation = 'linear' }: CombinationShape,
): (source: Address, target: Address, images: number, bias?: Address) => void {
  const inRows = { image: 4 * operator.length * channels, position: 4 * channels, block: 32 };
  const { image, position, block } = layout ?? inRows;
  const table = heap.table(combinationTable(operator, 4 * channels));
  const run = heap.compile(
    combination({ channels, positionStride: position, blockStride: block, start, activation }),
  );
  return (source, target, images, bias = 0) => {
    for (let i = 0; i < images; i++)
      run(source + 4 * i * positions * channels, target + i * image, bias, table.start, table.end);
  };
}

/** The 25 weights of each pair of channels, [weight, image channels, map channels], at a scratch address. */
export function prepareWeights(heap: Heap, { image, map }: Geometry): (filter: Address) => Address {
  const channels = image.channels * map.channels;
  const combine = prepareCombination(heap, { operator: filterOperator, positions: 9, channels });
  return (filter) => {
    const target = heap.scratch('paired weights', 4 * weightsCount * channels);
    combine(filter, target, 1);
    return target;
  };
}
