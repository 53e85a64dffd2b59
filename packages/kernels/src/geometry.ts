import { panelRow } from './wasm/pack.ts';

/**
 * The geometry of a convolution. The *image* [height, width, channels] is its larger side, the *map* its smaller one: a convolution goes from
 * image to map, a transposed convolution from map to image. A *position* is a place in the map, a *tap* a place in the filter. `padding` is
 * the number of rows above and columns left of the image.
 *
 * The functions below turn a geometry into the tables of offsets that the kernels in wasm/ read.
 */
export interface Geometry {
  readonly image: { readonly height: number; readonly width: number; readonly channels: number };
  readonly map: { readonly height: number; readonly width: number; readonly channels: number };
  readonly filter: { readonly height: number; readonly width: number };
  readonly stride: { readonly height: number; readonly width: number };
  readonly padding: { readonly top: number; readonly left: number };
}

/**
 * A convolution of this stride with 'same' padding as in Keras: the map has ⌈pixels / stride⌉ positions along each axis. Where the padding is
 * odd, the additional row is at the bottom and the additional column at the right.
 */
export function samePadding(
  [height, width]: readonly [number, number],
  filter: Geometry['filter'],
  stride: number,
  channels: { readonly image: number; readonly map: number },
): Geometry {
  const positions = (pixels: number): number => Math.ceil(pixels / stride);
  const before = (pixels: number, taps: number): number =>
    Math.floor(Math.max(0, (positions(pixels) - 1) * stride + taps - pixels) / 2);
  return {
    image: { height, width, channels: channels.image },
    map: { height: positions(height), width: positions(width), channels: channels.map },
    filter,
    stride: { height: stride, width: stride },
    padding: { top: before(height, filter.height), left: before(width, filter.width) },
  };
}

const names = new WeakMap<Geometry, string>();

/** Equal geometries have equal names. */
export function geometryName(geometry: Geometry): string {
  const known = names.get(geometry);
  if (known) return known;
  const { image, map, filter, stride, padding } = geometry;
  const numbers = [
    ...[image.height, image.width, image.channels, map.height, map.width, map.channels],
    ...[filter.height, filter.width, stride.height, stride.width, padding.top, padding.left],
  ];
  const name = numbers.join(' ');
  names.set(geometry, name);
  return name;
}

export const imageSize = ({ image }: Geometry): number => image.height * image.width * image.channels;
export const mapSize = ({ map }: Geometry): number => map.height * map.width * map.channels;
export const tapCount = ({ filter }: Geometry): number => filter.height * filter.width;

/** The bytes of some floats. */
const bytes = (floats: number): number => 4 * floats;

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** The remainder of a / b in [0, b). */
const modulo = (a: number, b: number): number => ((a % b) + b) % b;

/** The positions [from, to) along one axis whose pixel under `tap`, position · stride + tap − padding, lies inside the image. */
function positionsUnder(
  tap: number,
  stride: number,
  padding: number,
  pixels: number,
  outputs: number,
): [number, number] {
  const from = Math.max(0, Math.ceil((padding - tap) / stride));
  const to = Math.min(outputs, Math.floor((pixels - 1 + padding - tap) / stride) + 1);
  return [from, Math.max(from, to)];
}

/**
 * The table of a contraction from image to map: for each position, the stretches of the image under the rows of the filter. Taps outside
 * the image are left out. The weights are packed in the order of the filter.
 */
export function mapTable({ image, map, filter, stride, padding }: Geometry): number[] {
  const table: number[] = [];
  for (const y of range(map.height))
    for (const x of range(map.width)) {
      const left = x * stride.width - padding.left;
      const [first, last] = [Math.max(0, -left), Math.min(filter.width, image.width - left)];
      const segments: number[] = [];
      for (const ky of range(filter.height)) {
        const row = y * stride.height - padding.top + ky;
        if (row < 0 || row >= image.height || last <= first) continue;
        segments.push(
          bytes((row * image.width + left + first) * image.channels),
          panelRow * (ky * filter.width + first) * image.channels,
          bytes((last - first) * image.channels),
        );
      }
      table.push(bytes((y * map.width + x) * map.channels), segments.length / 3, ...segments);
    }
  return table;
}

/**
 * The order in which `imageTable` packs the taps of one row of the filter. The taps that a pixel meets follow each other, from the last to
 * the first. So their values in the map follow each other, too.
 */
const columnOrder = ({ filter, stride }: Geometry): number[] =>
  range(stride.width).flatMap((phase) =>
    range(filter.width)
      .filter((kx) => kx % stride.width === phase)
      .reverse(),
  );

/** The taps (ky · width + kx) in the order in which `imageTable` expects their weights. */
export function tapOrder(geometry: Geometry): number[] {
  const columns = columnOrder(geometry);
  return range(geometry.filter.height).flatMap((ky) => columns.map((kx) => ky * geometry.filter.width + kx));
}

/**
 * The table of a contraction from map to image: for each pixel, the stretches of the map whose filters cover the pixel. `weightRow` is the
 * size in bytes of the weights of one value of the map: the row of a panel, or one float for dot products.
 */
export function imageTable(geometry: Geometry, weightRow = panelRow): number[] {
  const { image, map, filter, stride, padding } = geometry;
  const columns = columnOrder(geometry);
  const table: number[] = [];
  for (const y of range(image.height))
    for (const x of range(image.width)) {
      const covering = columns
        .map((kx, rank) => ({ rank, at: (x + padding.left - kx) / stride.width }))
        .filter(({ at }) => Number.isInteger(at) && at >= 0 && at < map.width);
      const first = covering[0];
      const segments: number[] = [];
      for (const ky of range(filter.height)) {
        const row = (y + padding.top - ky) / stride.height;
        if (!Number.isInteger(row) || row < 0 || row >= map.height || !first) continue;
        segments.push(
          bytes((row * map.width + first.at) * map.channels),
          weightRow * (ky * filter.width + first.rank) * map.channels,
          bytes(covering.length * map.channels),
        );
      }
      table.push(bytes((y * image.width + x) * image.channels), segments.length / 3, ...segments);
    }
  return table;
}

/** The planes of an image: all pixels with the same row and column modulo the stride form one plane. `start` is a plane's first pixel. */
function planes({ image, stride }: Geometry) {
  const list = range(stride.height).flatMap((py) =>
    range(stride.width).map((px) => ({
      py,
      px,
      height: Math.max(0, Math.ceil((image.height - py) / stride.height)),
      width: Math.max(0, Math.ceil((image.width - px) / stride.width)),
    })),
  );
  let start = 0;
  return list.map((plane) => {
    const placed = { ...plane, start };
    start += plane.height * plane.width;
    return placed;
  });
}

/**
 * The offsets in bytes of the pixels of an image, plane by plane. After a `gather` with this table, the pixels under one tap are
 * neighbours.
 */
export function planeTable(geometry: Geometry): number[] {
  const { image, stride } = geometry;
  return planes(geometry).flatMap(({ py, px, height, width }) =>
    range(height).flatMap((i) =>
      range(width).map((j) =>
        bytes(((i * stride.height + py) * image.width + j * stride.width + px) * image.channels),
      ),
    ),
  );
}

/** The offsets in bytes of the positions of a map, in order. */
export const positionTable = ({ map }: Geometry): number[] =>
  range(map.height * map.width).map((position) => bytes(position * map.channels));

/**
 * For each tap, the runs of a correlation over an image in planes and a map in panels, with `images` images interleaved position by
 * position. Adjacent runs are joined.
 */
export function tapTables(geometry: Geometry, images: number): number[][] {
  const { image, map, filter, stride, padding } = geometry;
  const placed = planes(geometry);
  return range(filter.height).flatMap((ky) =>
    range(filter.width).map((kx) => {
      const [down, right] = [ky - padding.top, kx - padding.left];
      const plane = placed.find(
        ({ py, px }) => py === modulo(down, stride.height) && px === modulo(right, stride.width),
      );
      const [top, bottom] = positionsUnder(ky, stride.height, padding.top, image.height, map.height);
      const [left, end] = positionsUnder(kx, stride.width, padding.left, image.width, map.width);
      const runs: [number, number, number][] = [];
      if (plane && end > left)
        for (let y = top; y < bottom; y++) {
          const row = y + Math.floor(down / stride.height);
          const column = left + Math.floor(right / stride.width);
          const run: [number, number, number] = [
            bytes((plane.start + row * plane.width + column) * images * image.channels),
            panelRow * (y * map.width + left) * images,
            panelRow * (end - left) * images,
          ];
          const before = runs.at(-1);
          const pixels = before && (before[2] / panelRow) * bytes(image.channels);
          if (before && before[0] + pixels! === run[0] && before[1] + before[2] === run[1])
            before[2] += run[2];
          else runs.push(run);
        }
      return runs.flat();
    }),
  );
}

/**
 * For each position, the offsets in bytes of the values of the patch under it, tap by tap and channel by channel. The offsets point into
 * scratch space. Its first float is 0, for taps outside the image; the image starts after 16 bytes.
 */
export function patchTable({ image, map, filter, stride, padding }: Geometry): number[] {
  const table: number[] = [];
  for (const y of range(map.height))
    for (const x of range(map.width))
      for (const ky of range(filter.height))
        for (const kx of range(filter.width)) {
          const [row, column] = [y * stride.height - padding.top + ky, x * stride.width - padding.left + kx];
          const inside = row >= 0 && row < image.height && column >= 0 && column < image.width;
          for (const channel of range(image.channels))
            table.push(inside ? 16 + bytes((row * image.width + column) * image.channels + channel) : 0);
        }
  return table;
}
