/**
 * The gradients of a convolution's filter and bias.
 */
import {
  type Geometry,
  geometryName,
  imageSize,
  mapSize,
  planeTable,
  tapCount,
  tapTables,
} from './geometry.ts';
import { type Address, type Heap, perCount } from './heap.ts';
import {
  inGroups,
  patchLength,
  preparePatches,
  type Results,
  type Side,
  type SideName,
  throughRelu,
  usesPatches,
} from './passes.ts';
import { hasFusedMultiplyAdd } from './wasm/assembler.ts';
import { sumRows } from './wasm/elementwise.ts';
import { gather, panelCount, panelRow } from './wasm/pack.ts';
import { correlation } from './wasm/products.ts';
import { preparePairedGradient } from './winograd-convolution.ts';
import { pairConvolution } from './winograd-pairing.ts';

/**
 * The gradient of the filter, [height, width, image channels, map channels]: Σ over batch and positions of image × map under each tap. For
 * a convolution the map side holds the gradient of the output; for a transposed convolution the image side does. `gradient` names this
 * side. The sums of this side over all axes but the channels are the gradient of the bias. The order of summation: groups of four images,
 * then rows, columns, images.
 */
export function filterGradient(
  heap: Heap,
  geometry: Geometry,
  batch: number,
  { image, map }: { readonly image: Side; readonly map: Side },
  to: Results,
  gradient?: SideName,
): void {
  if (gradient) heap.zero(to.bias, geometry[gradient].channels);
  const paired = heap.once(`pairedGradient ${geometryName(geometry)} ${gradient}`, () => {
    const pairing = pairConvolution(geometry);
    return pairing && preparePairedGradient(heap, geometry, pairing, gradient);
  });
  if (paired) {
    paired(batch, { image, map }, to);
    return;
  }
  heap.zero(to.filter, tapCount(geometry) * geometry.image.channels * geometry.map.channels);
  const masks = [image.mask === undefined, map.mask === undefined];
  const name = `filterGradient ${geometryName(geometry)} ${masks} ${gradient}`;
  const plan = heap.once(name, () =>
    preparePlan(heap, geometry, image.mask !== undefined, map.mask !== undefined, gradient),
  );
  inGroups(batch, (first, images) => {
    const skip = (side: Side, floats: number): Side => ({
      values: side.values + 4 * first * floats,
      mask: side.mask === undefined ? undefined : side.mask + 4 * first * floats,
    });
    plan(images)(skip(image, imageSize(geometry)), skip(map, mapSize(geometry)), to);
  });
}

/** Adds the contribution of a few images. */
type AddGroup = (image: Side, map: Side, to: Results) => void;

function preparePlan(
  heap: Heap,
  geometry: Geometry,
  imageMasked: boolean,
  mapMasked: boolean,
  gradient: SideName | undefined,
): (images: number) => AddGroup {
  const prepareSide = usesPatches(geometry) ? preparePatchSide : preparePlaneSide;
  return perCount((images) => {
    const positions = geometry.map.height * geometry.map.width * images;
    const pixels = geometry.image.height * geometry.image.width * images;
    const gatherPanels = preparePanels(heap, geometry, images, mapMasked);
    const correlate = prepareSide(heap, geometry, images, imageMasked);
    const { image, map } = geometry;
    const sums = {
      image: () => prepareSum(heap, image.channels, pixels, 4 * image.channels, panelRow),
      map: () => prepareSum(heap, map.channels, positions, panelRow, positions * panelRow),
    };
    const addBias = gradient && sums[gradient]();
    return (imageSide, mapSide, to) => {
      const panels = gatherPanels(mapSide);
      const gathered = correlate(imageSide, panels, to.filter);
      addBias?.(gradient === 'map' ? panels : gathered, to.bias);
    };
  });
}

function prepareSum(heap: Heap, columns: number, rows: number, step: number, blockStride: number) {
  const kernel = heap.compile(sumRows({ columns, step, blockStride }));
  return (from: Address, to: Address): void => kernel(from, to, rows);
}

/** Copies the map to scratch space as panels, [channel / 8, position, image, 8]. */
function preparePanels(heap: Heap, { map }: Geometry, images: number, masked: boolean) {
  const floats = map.height * map.width * map.channels;
  const panelStride = map.height * map.width * images * panelRow;
  const table = heap.table(Array.from({ length: map.height * map.width }, (_, p) => 4 * p * map.channels));
  const copy = heap.compile(gather({ length: map.channels, imageStride: 4 * floats, panelStride, masked }));
  return ({ values, mask = 0 }: Side): Address => {
    const target = heap.scratch('map', panelCount(map.channels) * panelStride);
    copy(values, mask, target, table.start, table.end, images);
    return target;
  };
}

/** Adds image × map under each tap to the filter. Returns the address of the pixels with the mask applied. */
type Correlate = (image: Side, panels: Address, filter: Address) => Address;

function preparePlaneSide(heap: Heap, geometry: Geometry, images: number, masked: boolean): Correlate {
  const { image, map } = geometry;
  const pixels = heap.table(planeTable(geometry));
  const copy = heap.compile(
    gather({ length: image.channels, imageStride: 4 * imageSize(geometry), panelStride: undefined, masked }),
  );
  const correlate = heap.compile(
    correlation({
      fused: hasFusedMultiplyAdd(),
      rows: image.channels,
      columns: map.channels,
      resultStride: 4 * map.channels,
      inputStep: 4 * image.channels,
      panelStride: map.height * map.width * images * panelRow,
    }),
  );
  const taps = tapTables(geometry, images).map((runs, tap) => ({
    ...heap.table(runs),
    offset: 4 * tap * image.channels * map.channels,
  }));
  const used = taps.filter(({ start, end }) => end > start);
  return ({ values, mask = 0 }, panels, filter) => {
    const gathered = heap.scratch('image', 4 * images * imageSize(geometry));
    copy(values, mask, gathered, pixels.start, pixels.end, images);
    for (const { start, end, offset } of used) correlate(gathered, panels, filter + offset, start, end);
    return gathered;
  };
}

function preparePatchSide(heap: Heap, geometry: Geometry, images: number): Correlate {
  const { map } = geometry;
  const panelStride = map.height * map.width * images * panelRow;
  const gatherPatches = preparePatches(heap, geometry);
  const run = heap.table([0, 0, panelStride]);
  const correlate = heap.compile(
    correlation({
      fused: hasFusedMultiplyAdd(),
      rows: patchLength(geometry),
      columns: map.channels,
      resultStride: 4 * map.channels,
      inputStep: 4 * patchLength(geometry),
      panelStride,
    }),
  );
  return ({ values, mask }, panels, filter) => {
    const floats = images * imageSize(geometry);
    const from = mask === undefined ? values : throughRelu(heap, values, mask, floats);
    correlate(gatherPatches(from, images), panels, filter, run.start, run.end);
    return from;
  };
}
