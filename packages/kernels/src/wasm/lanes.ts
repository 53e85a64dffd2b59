/**
 * Programs for convolutions of few channels: the same value of four images lies in the four lanes of one vector.
 */
import {
  advance,
  assemble,
  f32x4,
  get,
  type Local,
  type Module,
  multiplyAdd,
  seq,
  set,
  times,
} from './assembler.ts';

/** The bytes of one value of four images. */
export const laneBytes = 16;

/**
 * Copies images so that each value of theirs becomes one vector, and leaves room for padding. `images`: 1 to 4; the lanes past the last image get the
 * values of the first. Strides are in bytes: `imageStride` from image to image, `rowStride` from row to row of the target.
 * Parameters: source [images, rows, rowLength], target.
 */
export const toLanes = (spec: {
  readonly images: number;
  readonly imageStride: number;
  readonly rows: number;
  /** Floats in a row of the source. */
  readonly rowLength: number;
  readonly rowStride: number;
}): Module => {
  const { images, imageStride, rows, rowLength, rowStride } = spec;
  return assemble(2, ([source, target], locals) => {
    const [row, value] = locals.i32(2);
    const lanes = Array.from({ length: images }, (_, lane) => lane).reduce(
      (code, lane) =>
        lane === 0
          ? f32x4.loadSplat(get(source))
          : f32x4.loadLane(get(source), code, lane, lane * imageStride),
      f32x4.zero,
    );
    const copy = seq(f32x4.store(get(target), lanes), advance(source, 4), advance(target, laneBytes));
    return times(
      row,
      rows,
      seq(times(value, rowLength, copy), advance(target, rowStride - rowLength * laneBytes)),
    );
  });
};

/** A product of a sum: the place of its value from that of the sum, in vectors, and for each column the place of its weight, in floats. */
export type LaneProduct = { readonly value: number; readonly weights: readonly number[] };

/** Vectors of sums in registers. Two more registers have a value and a weight. */
const tileSums = 12;

/**
 * output[image, row, column, n] = activation(start + Σ over the products: value · weight[n]), for `images` images in lanes. The sums run in the order of
 * the products. Strides are in bytes: `rowStride` from row to row of the input, `imageStride` from image to image of the output.
 * Parameters: input (in lanes), weights, output [images, height, width, columns], bias.
 */
export const laneSums = (spec: {
  readonly fused: boolean;
  readonly images: number;
  readonly products: readonly LaneProduct[];
  readonly inputChannels: number;
  readonly rowStride: number;
  readonly height: number;
  readonly width: number;
  /** Channels of the output. */
  readonly columns: number;
  readonly imageStride: number;
  readonly start: 'zero' | 'bias';
  readonly activation: 'linear' | 'relu';
}): Module => {
  const { fused, images, products, inputChannels, rowStride, height, width, columns, imageStride } = spec;
  const longest = Math.min(width, Math.floor(tileSums / columns));
  return assemble(4, ([input, weights, output, bias], locals) => {
    const [row, tiles] = locals.i32(2);
    const sums = Array.from({ length: longest }, () => Array.from({ length: columns }, () => locals.v128()));
    const weight = Array.from({ length: columns }, () => locals.v128());
    const value = locals.v128();

    const each = (
      positions: number,
      body: (sum: Local, position: number, column: number) => readonly number[],
    ) =>
      sums
        .slice(0, positions)
        .flatMap((all, position) => all.flatMap((sum, column) => body(sum, position, column)));

    const tile = (positions: number) =>
      seq(
        each(positions, (sum, _, column) =>
          set(sum, spec.start === 'zero' ? f32x4.zero : f32x4.loadSplat(get(bias), 4 * column)),
        ),
        ...products.map((product) =>
          seq(
            ...weight.map((local, column) =>
              set(local, f32x4.loadSplat(get(weights), 4 * product.weights[column]!)),
            ),
            ...sums
              .slice(0, positions)
              .map((all, position) =>
                seq(
                  set(value, f32x4.load(get(input), laneBytes * (product.value + position * inputChannels))),
                  ...all.map((sum, column) =>
                    set(sum, multiplyAdd(fused, get(value), get(weight[column]!), get(sum))),
                  ),
                ),
              ),
          ),
        ),
        each(positions, (sum, position, column) =>
          seq(
            spec.activation === 'relu' ? set(sum, f32x4.max(get(sum), f32x4.zero)) : [],
            ...Array.from({ length: images }, (_, image) =>
              f32x4.storeLane(
                get(output),
                get(sum),
                image,
                image * imageStride + 4 * (position * columns + column),
              ),
            ),
          ),
        ),
        advance(input, laneBytes * positions * inputChannels),
        advance(output, 4 * positions * columns),
      );

    return times(
      row,
      height,
      seq(
        times(tiles, Math.floor(width / longest), tile(longest)),
        width % longest === 0 ? [] : tile(width % longest),
        advance(input, rowStride - laneBytes * width * inputChannels),
      ),
    );
  });
};
