/**
 * The mathematics of stride-2 convolutions whose outputs are computed in pairs. winograd-convolution.ts runs them.
 */
import type { Geometry } from './geometry.ts';
import type { Address, Heap } from './heap.ts';
import type { LinearOrRelu } from './passes.ts';
import { combination } from './wasm/elementwise.ts';

/**
 * One axis of a 3-tap convolution of stride 2 with fewer multiplications: Winograd's F(2, 2) (Winograd 1980) on the taps that neighbouring
 * outputs share.
 *
 * Output j is aⱼ·w₀ + bⱼ·w₁ + aⱼ₊₁·w₂, where a are the pixels under the outer taps and b the pixels under the middle tap. For two outputs:
 *   n₀ = (aⱼ − aⱼ₊₁)·w₀ + bⱼ·w₁    n₁ = aⱼ₊₁·(w₀ + w₂)    n₂ = (aⱼ₊₂ − aⱼ₊₁)·w₂ + bⱼ₊₁·w₁
 *   yⱼ = n₀ + n₁                   yⱼ₊₁ = n₁ + n₂
 * This takes five multiplications instead of six. At the border, where one outer tap is on padding, a single output takes two.
 */

/** The weights of n₀, n₁ and n₂, each as a sum of taps. */
export const weightsOfSums: readonly Operator[] = [[[0], [1]], [[0, 2]], [[2], [1]]].map((weights) =>
  weights.map((taps) => taps.map((from) => ({ from, factor: 1 }))),
);

/** One of the sums n₀, n₁ and n₂, for one or two outputs. */
export interface AxisSum {
  /** 0, 1 or 2 for n₀, n₁ or n₂. The weights of the sum are `weightsOfSums[kind]`. */
  readonly kind: number;
  /** For each weight, the pixels that are multiplied with it. */
  readonly factors: Operator;
  /** The outputs to which the sum is added. */
  readonly outputs: readonly Term[];
}

/** The sums of one axis, or undefined where its outputs cannot be paired. */
export function pairOutputs(
  pixels: number,
  outputs: number,
  padding: number,
): readonly AxisSum[] | undefined {
  const outer = (j: number): number => 2 * j - padding;
  const inside = (pixel: number): boolean => pixel >= 0 && pixel < pixels;
  const [borderAtStart, borderAtEnd] = [!inside(outer(0)), !inside(outer(outputs))];
  // Border outputs are computed alone where this leaves an even number of outputs to pair.
  const odd = outputs % 2 === 1;
  const [first, last] =
    borderAtStart && borderAtEnd && !odd
      ? [1, outputs - 1]
      : odd && borderAtEnd
        ? [0, outputs - 1]
        : odd && borderAtStart
          ? [1, outputs]
          : [0, outputs];
  if ((last - first) % 2 === 1 || outputs < 2) return undefined;

  const [a, b] = [outer, (j: number): number => outer(j) + 1];
  const sums: AxisSum[] = [];
  /** Pixels with their signs, except for pixels on padding. */
  const pixelsOf = (...signed: readonly (readonly [number, number])[]): Term[] =>
    signed.filter(([pixel]) => inside(pixel)).map(([from, factor]) => ({ from, factor }));
  const add = (kind: number, outputs: readonly number[], ...factors: Term[][]): void => {
    sums.push({ kind, factors, outputs: outputs.map((from) => ({ from, factor: 1 })) });
  };
  if (first === 1) add(2, [0], pixelsOf([a(1), 1]), pixelsOf([b(0), 1]));
  for (let j = first; j < last; j += 2) {
    add(0, [j], pixelsOf([a(j), 1], [a(j + 1), -1]), pixelsOf([b(j), 1]));
    add(1, [j, j + 1], pixelsOf([a(j + 1), 1]));
    add(2, [j + 1], pixelsOf([a(j + 2), 1], [a(j + 1), -1]), pixelsOf([b(j + 1), 1]));
  }
  if (last === outputs - 1) add(0, [last], pixelsOf([a(last), 1]), pixelsOf([b(last), 1]));
  return sums.every(({ factors }) => factors.every((pixels) => pixels.length > 0)) ? sums : undefined;
}

export interface Term {
  readonly from: number;
  readonly factor: number;
}

/** A sparse linear map between positions, with factors of ±1: for each position of the result, the terms of its sum. */
export type Operator = readonly (readonly Term[])[];

/** The tensor product of two operators: `outer` on rows, `inner` on columns. A row has `innerFrom` positions. */
export const product = (outer: Operator, inner: Operator, innerFrom: number): Operator =>
  outer.flatMap((rows) =>
    inner.map((columns) =>
      rows.flatMap((row) =>
        columns.map((column) => ({
          from: row.from * innerFrom + column.from,
          factor: row.factor * column.factor,
        })),
      ),
    ),
  );

/** The transpose of an operator that reads `count` positions. */
export function transpose(operator: Operator, count: number): Operator {
  const transposed: Term[][] = Array.from({ length: count }, () => []);
  for (const [to, terms] of operator.entries())
    for (const { from, factor } of terms) transposed[from]!.push({ from: to, factor });
  return transposed;
}

const bits = (value: number): number => new Int32Array(new Float32Array([value]).buffer)[0]!;

/** The operator as the table of a combination (wasm/elementwise.ts) over positions of `stride` bytes. */
export const combinationTable = (operator: Operator, stride: number): number[] =>
  operator.flatMap((terms) => [
    terms.length,
    ...terms.flatMap(({ from, factor }) => [from * stride, bits(factor)]),
  ]);

/** Combined pixels times one weight, a part of one sum. */
interface Product {
  /** Index into `filterOperator`. */
  readonly weight: number;
  readonly pixels: readonly Term[];
}

/** A sum of products, which is added to some positions of the map. */
interface Sum {
  readonly products: readonly Product[];
  readonly positions: readonly Term[];
}

/** A convolution whose outputs are computed in pairs along both axes: its sums, sorted by weights. */
export type Pairing = readonly Sum[];

/** The kinds of sums: n₀, n₁ or n₂ along rows with n₀, n₁ or n₂ along columns. The weights of a kind follow each other. */
const kinds = weightsOfSums.flatMap((rows, row) =>
  weightsOfSums.map((columns, column) => ({ row, column, weights: product(rows, columns, 3) })),
);

/** The nine taps → the 25 weights of the products. */
export const filterOperator: Operator = kinds.flatMap(({ weights }) => weights);
export const weightsCount = filterOperator.length;

/** Measured: combining a channel costs as much as three multiplications, and a gain below `minGain` is lost to the caches. */
const combineCost = 3;
const minGain = 1.2;

/** The work of the plain convolution divided by the work of the pairing. */
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

/** The pairing of a convolution, or undefined where it would not save work. */
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
  // Sums with the same weights follow each other, so that these weights stay in the cache.
  const pairing = sums.sort((a, b) => a.products[0]!.weight - b.products[0]!.weight);
  const unused = transpose(pixelOperator(pairing), image.height * image.width).some(
    ({ length }) => length === 0,
  );
  return unused || gainOf(pairing, geometry) < minGain ? undefined : pairing;
}

/** Pixels → the combined pixels of all products, sum by sum. */
export const pixelOperator = (pairing: Pairing): Operator =>
  pairing.flatMap(({ products }) => products.map(({ pixels }) => pixels));

/** Positions of the map → sums. The transpose maps sums → positions. */
export const sumOperator = (pairing: Pairing): Operator => pairing.map(({ positions }) => positions);

/** The strides of combined positions in bytes: from image to image, position to position, and 8 channels to the next 8. */
export interface Layout {
  readonly image: number;
  readonly position: number;
  readonly block: number;
}

export interface CombinationShape {
  readonly operator: Operator;
  /** The number of positions that the operator reads. */
  readonly positions: number;
  readonly channels: number;
  readonly layout?: Layout;
  readonly start?: 'zero' | 'bias';
  readonly activation?: LinearOrRelu;
}

/** Compiles a combination over a few images that follow each other. */
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

/** Computes the 25 weights of each pair of channels, [weight, image channels, map channels], in scratch space. */
export function prepareWeights(heap: Heap, { image, map }: Geometry): (filter: Address) => Address {
  const channels = image.channels * map.channels;
  const combine = prepareCombination(heap, { operator: filterOperator, positions: 9, channels });
  return (filter) => {
    const target = heap.scratch('paired weights', 4 * weightsCount * channels);
    combine(filter, target, 1);
    return target;
  };
}
