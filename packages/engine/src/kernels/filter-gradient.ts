import { panelCount, panelRow } from './contract-images.ts';
import {
  type Geometry,
  geometryName,
  imageSize,
  mapSize,
  planeTable,
  positionTable,
  tapCount,
  tapTables,
} from './geometry.ts';
import type { Address, Heap } from './heap.ts';
import { addRows } from './matrix.ts';
import { gatherPatches, groups, isNarrow, patchLength, throughRelu } from './patches.ts';
import { hasFusedMultiplyAdd } from './wasm/arithmetic.ts';
import { correlation } from './wasm/correlate.ts';
import { gather } from './wasm/pack.ts';

/** One side of a convolution: values, or a gradient that goes back through the ReLU whose output is `mask`. */
export interface Side {
  readonly values: Address;
  readonly mask?: Address | undefined;
}

/**
 * Σ over batch and positions of image × map under each tap: the gradient of a convolution's filter, where the map is the gradient,
 * and of a transposed convolution's, where the image is. `bias` names the side that is the gradient; its sums go there.
 * Sums run over groups of four images, in each over the map's rows, then columns, then images.
 */
export function filterGradient(
  heap: Heap,
  geometry: Geometry,
  batch: number,
  sides: { readonly image: Side; readonly map: Side },
  filter: Address,
  bias?: { readonly side: 'image' | 'map'; readonly to: Address },
): void {
  const { image, map } = geometry;
  heap.zero(filter, tapCount(geometry) * image.channels * map.channels);
  if (bias) heap.zero(bias.to, geometry[bias.side].channels);
  const positions = map.height * map.width;
  for (const { first, images } of groups(batch)) {
    const panels = gatherMap(heap, geometry, offset(sides.map, first * mapSize(geometry)), images);
    if (bias?.side === 'map')
      addRows(heap, panels, bias.to, {
        columns: map.channels,
        rows: positions * images,
        step: panelRow,
        blockStride: positions * images * panelRow,
      });
    const from = offset(sides.image, first * imageSize(geometry));
    const correlateGroup = isNarrow(geometry) ? correlatePatches : correlatePlanes;
    const gathered = correlateGroup(heap, geometry, from, panels, filter, images);
    if (bias?.side === 'image')
      addRows(heap, gathered, bias.to, {
        columns: image.channels,
        rows: image.height * image.width * images,
        step: 4 * image.channels,
        blockStride: panelRow,
      });
  }
}

const offset = ({ values, mask }: Side, floats: number): Side => ({
  values: values + 4 * floats,
  mask: mask === undefined ? undefined : mask + 4 * floats,
});

/** The map of a few images in panels, [channel / 8, position, image, 8]; at a scratch address. */
function gatherMap(heap: Heap, geometry: Geometry, { values, mask }: Side, images: number): Address {
  const { map } = geometry;
  const panelStride = map.height * map.width * images * panelRow;
  const target = heap.scratch('map', panelCount(map.channels) * panelStride);
  const spec = {
    length: map.channels,
    imageStride: 4 * mapSize(geometry),
    panelStride,
    masked: mask !== undefined,
  };
  const table = heap.once(`positions ${geometryName(geometry)}`, () => heap.table(positionTable(geometry)));
  const kernel = heap.kernel(`gather ${Object.values(spec).join(' ')}`, () => gather(spec));
  kernel(values, mask ?? 0, target, table.start, table.end, images);
  return target;
}

/** Answers where the (masked) pixels of the images lie. */
type CorrelateGroup = (
  heap: Heap,
  geometry: Geometry,
  image: Side,
  panels: Address,
  filter: Address,
  images: number,
) => Address;

const correlatePlanes: CorrelateGroup = (heap, geometry, { values, mask }, panels, filter, images) => {
  const { image, map } = geometry;
  const name = geometryName(geometry);
  const gathered = heap.scratch('image', 4 * images * imageSize(geometry));
  const copy = {
    length: image.channels,
    imageStride: 4 * imageSize(geometry),
    panelStride: undefined,
    masked: mask !== undefined,
  };
  const pixels = heap.once(`planes ${name}`, () => heap.table(planeTable(geometry)));
  const kernel = heap.kernel(`gather ${Object.values(copy).join(' ')}`, () => gather(copy));
  kernel(values, mask ?? 0, gathered, pixels.start, pixels.end, images);

  const spec = {
    fused: hasFusedMultiplyAdd(),
    rows: image.channels,
    columns: map.channels,
    resultStride: 4 * map.channels,
    inputStep: 4 * image.channels,
    panelStride: map.height * map.width * images * panelRow,
  };
  const correlate = heap.kernel(`correlate ${Object.values(spec).join(' ')}`, () => correlation(spec));
  const taps = heap.once(`taps ${images} ${name}`, () =>
    tapTables(geometry, images).map((runs) => heap.table(runs)),
  );
  for (const [tap, { start, end }] of taps.entries())
    if (end > start)
      correlate(gathered, panels, filter + 4 * tap * image.channels * map.channels, start, end);
  return gathered;
};

const correlatePatches: CorrelateGroup = (heap, geometry, { values, mask }, panels, filter, images) => {
  const { map } = geometry;
  const floats = images * imageSize(geometry);
  const from = mask === undefined ? values : throughRelu(heap, values, mask, floats);
  const gathered = gatherPatches(heap, geometry, from, images);
  const panelStride = map.height * map.width * images * panelRow;
  const spec = {
    fused: hasFusedMultiplyAdd(),
    rows: patchLength(geometry),
    columns: map.channels,
    resultStride: 4 * map.channels,
    inputStep: 4 * patchLength(geometry),
    panelStride,
  };
  const run = heap.once(`all ${panelStride}`, () => heap.table([0, 0, panelStride]));
  const correlate = heap.kernel(`correlate ${Object.values(spec).join(' ')}`, () => correlation(spec));
  correlate(gathered, panels, filter, run.start, run.end);
  return from;
};
