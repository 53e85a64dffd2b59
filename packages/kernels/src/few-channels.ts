/**
 * Convolutions of stride 1 from few channels to few, as in MagNet's auto-encoders, and their transposes. Eight columns at once would be mostly idle, so these
 * compute four images at once, one in each lane of a vector. The sums run in the same order as elsewhere, so results have the same bits.
 */
import { type Geometry, imageSize, mapSize, tapCount, tapOrder } from './geometry.ts';
import { type Heap, perCount } from './heap.ts';
import { type Ends, inGroups, type Plan } from './passes.ts';
import { hasFusedMultiplyAdd } from './wasm/assembler.ts';
import { type LaneProduct, laneBytes, laneSums, toLanes } from './wasm/lanes.ts';

const maxChannels = 4;
/** A program has a few instructions for each product of a sum. */
const maxProducts = 200;

/** The rows and columns by which the filter reaches beyond the image, on every side. */
const reach = ({ image, map, filter, padding }: Geometry): readonly number[] => [
  padding.top - filter.height,
  padding.left - filter.width,
  map.height - 1 - padding.top - image.height,
  map.width - 1 - padding.left - image.width,
];

export const hasFewChannels = (geometry: Geometry): boolean => {
  const { image, map, stride } = geometry;
  const channels = Math.max(image.channels, map.channels);
  return (
    stride.height === 1 &&
    stride.width === 1 &&
    channels <= maxChannels &&
    tapCount(geometry) * channels <= maxProducts &&
    reach(geometry).every((pixels) => pixels < 0) // at least one tap of each position lies within the image
  );
};

type Side = Geometry['image'];

/** One direction of a convolution as a correlation with an input that has padding. */
type Correlation = {
  readonly input: Side;
  readonly output: Side;
  readonly top: number;
  readonly left: number;
  /** The taps in the order of the sums. `row`, `column`: of the value under the tap, from the position of the sum in the padded input. */
  readonly taps: readonly { readonly tap: number; readonly row: number; readonly column: number }[];
  /** The place of a weight in the filter. */
  readonly weight: (tap: number, inputChannel: number, outputChannel: number) => number;
};

const tapsOf = ({ filter }: Geometry): readonly (readonly [row: number, column: number])[] =>
  Array.from({ length: filter.height * filter.width }, (_, tap) => [
    Math.floor(tap / filter.width),
    tap % filter.width,
  ]);

const toMap = (geometry: Geometry): Correlation => {
  const { image, map, padding } = geometry;
  return {
    input: image,
    output: map,
    ...padding,
    taps: tapsOf(geometry).map(([row, column], tap) => ({ tap, row, column })),
    weight: (tap, from, to) => (tap * image.channels + from) * map.channels + to,
  };
};

const toImage = (geometry: Geometry): Correlation => {
  const { image, map, filter, padding } = geometry;
  const places = tapsOf(geometry);
  return {
    input: map,
    output: image,
    top: filter.height - 1 - padding.top,
    left: filter.width - 1 - padding.left,
    taps: tapOrder(geometry).map((tap) => {
      const [row, column] = places[tap]!;
      return { tap, row: filter.height - 1 - row, column: filter.width - 1 - column };
    }),
    weight: (tap, from, to) => (tap * image.channels + to) * map.channels + from,
  };
};

const prepare = (
  heap: Heap,
  { filter }: Geometry,
  { input, output, top, left, taps, weight }: Correlation,
  sizes: { readonly input: number; readonly output: number },
  ends: Ends,
): Plan => {
  const rowLength = (output.width + filter.width - 1) * input.channels;
  const rowStride = laneBytes * rowLength;
  const products = taps.flatMap(({ tap, row, column }) =>
    Array.from(
      { length: input.channels },
      (_, from): LaneProduct => ({
        value: row * rowLength + column * input.channels + from,
        weights: Array.from({ length: output.channels }, (_, to) => weight(tap, from, to)),
      }),
    ),
  );
  /** Stays 0 around the images. */
  const padded = heap.table(
    new Array<number>(4 * (output.height + filter.height - 1) * rowLength).fill(0),
  ).start;
  const [inputStride, outputStride] = [4 * sizes.input, 4 * sizes.output];
  const programs = perCount((images) => ({
    spread: heap.compile(
      toLanes({
        images,
        imageStride: inputStride,
        rows: input.height,
        rowLength: input.width * input.channels,
        rowStride,
      }),
    ),
    sum: heap.compile(
      laneSums({
        ...ends,
        ...{ fused: hasFusedMultiplyAdd(), images, products, inputChannels: input.channels, rowStride },
        ...{
          height: output.height,
          width: output.width,
          columns: output.channels,
          imageStride: outputStride,
        },
      }),
    ),
  }));
  return (weights, bias = 0) =>
    (from, to, batch) =>
      inGroups(batch, (first, images) => {
        const { spread, sum } = programs(images);
        spread(from + first * inputStride, padded + top * rowStride + left * input.channels * laneBytes);
        sum(padded, weights, to + first * outputStride, bias);
      });
};

/** image → map. */
export const planLanesToMap = (heap: Heap, geometry: Geometry, ends: Ends): Plan =>
  prepare(heap, geometry, toMap(geometry), { input: imageSize(geometry), output: mapSize(geometry) }, ends);

/** map → image. */
export const planLanesToImage = (heap: Heap, geometry: Geometry, ends: Ends): Plan =>
  prepare(heap, geometry, toImage(geometry), { input: mapSize(geometry), output: imageSize(geometry) }, ends);
