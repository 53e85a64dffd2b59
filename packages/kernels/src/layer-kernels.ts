/**
 * Kernels for whole layers, under names of our own. A forward kernel adds the bias and applies the activation. A gradient kernel also goes
 * back through the ReLU: a gradient passes where `mask`, the output of the ReLU, is above 0.
 */
import * as tf from '@tensorflow/tfjs';
import { imageToMap, mapToImage } from './convolution.ts';
import { filterGradient } from './filter-gradient.ts';
import type { Geometry } from './geometry.ts';
import { type Address, type Heap, heapOf, type Tensors } from './heap.ts';
import { multiply, multiplyTransposed } from './matrix.ts';
import { type LinearOrRelu, throughRelu } from './passes.ts';
import { tanh, unitTanhGradient } from './wasm/elementwise.ts';

export type Activation = LinearOrRelu | 'unitTanh';

/** The attributes of these kernels. */
export interface LayerAttributes {
  readonly geometry: Geometry;
  readonly activation: Activation;
}

type Call = Parameters<tf.KernelFunc>[0];
type Optional<Name extends string> = Readonly<Partial<Record<Name, tf.TensorInfo>>>;

const attributesOf = (call: Call): LayerAttributes => call.attrs as unknown as LayerAttributes;

function finishOf(heap: Heap, call: Call) {
  const { activation } = attributesOf(call);
  const bias = call.inputs.bias && heap.address(call.inputs.bias);
  return { bias, activation: activation === 'relu' ? activation : 'linear' } as const;
}

/** Applies (1 + tanh z)/2 in place, where it is the activation of the layer. */
function activate(heap: Heap, call: Call, output: tf.TensorInfo): tf.TensorInfo {
  if (attributesOf(call).activation === 'unitTanh') {
    const at = heap.address(output);
    heap.once('unitTanh', () => heap.compile(tanh({ range: 'unit' })))(
      at,
      at,
      tf.util.sizeFromShape(output.shape),
    );
  }
  return output;
}

const imageShape = ({ image }: Geometry, batch: number) => [batch, image.height, image.width, image.channels];
const mapShape = ({ map }: Geometry, batch: number) => [batch, map.height, map.width, map.channels];
const addressOf = (heap: Heap, tensor: tf.TensorInfo | undefined): Address | undefined =>
  tensor && heap.address(tensor);

/** image [batch, …image], filter [h, w, in, out], bias? [out], mask? [batch, …image] → map [batch, …map] */
const toMap: tf.KernelFunc = (call) => {
  const { image, filter, mask } = call.inputs as Tensors<'image' | 'filter'> & Optional<'mask'>;
  const { geometry } = attributesOf(call);
  const heap = heapOf(call.backend);
  const batch = image.shape[0]!;
  const map = heap.allocate(mapShape(geometry, batch));
  const at = {
    input: heap.address(image),
    mask: addressOf(heap, mask),
    filter: heap.address(filter),
    output: heap.address(map),
  };
  imageToMap(heap, geometry, batch, at, finishOf(heap, call));
  return activate(heap, call, map);
};

/** map [batch, …map], filter [h, w, out, in], bias? [out], mask? [batch, …map] → image [batch, …image] */
const toImage: tf.KernelFunc = (call) => {
  const { map, filter, mask } = call.inputs as Tensors<'map' | 'filter'> & Optional<'mask'>;
  const { geometry } = attributesOf(call);
  const heap = heapOf(call.backend);
  const batch = map.shape[0]!;
  const image = heap.allocate(imageShape(geometry, batch));
  const at = {
    input: heap.address(map),
    mask: addressOf(heap, mask),
    filter: heap.address(filter),
    output: heap.address(image),
  };
  mapToImage(heap, geometry, batch, at, finishOf(heap, call));
  return activate(heap, call, image);
};

/**
 * image, map, mask?, and the name of the side that is the gradient → the gradients of filter [h, w, image channels, map channels] and bias
 * [channels]
 */
const toFilter: tf.KernelFunc = (call) => {
  const { image, map, mask } = call.inputs as Tensors<'image' | 'map'> & Optional<'mask'>;
  const { geometry, gradient } = call.attrs as unknown as LayerAttributes & { gradient: 'image' | 'map' };
  const heap = heapOf(call.backend);
  const [taps, channels] = [geometry.filter, geometry[gradient].channels];
  const filter = heap.allocate([taps.height, taps.width, geometry.image.channels, geometry.map.channels]);
  const bias = heap.allocate([channels]);
  const side = (tensor: tf.TensorInfo, name: 'image' | 'map') => ({
    values: heap.address(tensor),
    mask: gradient === name ? addressOf(heap, mask) : undefined,
  });
  const sides = { image: side(image, 'image'), map: side(map, 'map') };
  const to = { filter: heap.address(filter), bias: heap.address(bias) };
  filterGradient(heap, geometry, image.shape[0]!, sides, to, gradient);
  return [filter, bias];
};

/** x [rows, depth], kernel [depth, units], bias → [rows, units] */
const dense: tf.KernelFunc = (call) => {
  const { x, kernel } = call.inputs as Tensors<'x' | 'kernel'>;
  const heap = heapOf(call.backend);
  const sizes = { rows: x.shape[0]!, depth: kernel.shape[0]!, columns: kernel.shape[1]! };
  const y = heap.allocate([sizes.rows, sizes.columns]);
  const { bias, activation } = finishOf(heap, call);
  const at = { a: heap.address(x), b: heap.address(kernel), output: heap.address(y), bias };
  multiply(heap, at, sizes, { a: false, b: false }, activation);
  return activate(heap, call, y);
};

/** dy [rows, units], kernel [depth, units], mask? → dx [rows, depth] */
const denseToInput: tf.KernelFunc = (call) => {
  const { dy, kernel, mask } = call.inputs as Tensors<'dy' | 'kernel'> & Optional<'mask'>;
  const heap = heapOf(call.backend);
  const [rows, units, depth] = [dy.shape[0]!, dy.shape[1]!, kernel.shape[0]!];
  const dx = heap.allocate([rows, depth]);
  const dz = mask ? throughRelu(heap, heap.address(dy), heap.address(mask), rows * units) : heap.address(dy);
  const at = { a: dz, b: heap.address(kernel), output: heap.address(dx) };
  multiply(heap, at, { rows, depth: units, columns: depth }, { a: false, b: true });
  return dx;
};

/** x [rows, depth], dy [rows, units], mask? → kernel's gradient [depth, units], bias' gradient [units] */
const denseToKernel: tf.KernelFunc = (call) => {
  const { x, dy, mask } = call.inputs as Tensors<'x' | 'dy'> & Optional<'mask'>;
  const heap = heapOf(call.backend);
  const [rows, depth, units] = [x.shape[0]!, x.shape[1]!, dy.shape[1]!];
  const [kernel, bias] = [heap.allocate([depth, units]), heap.allocate([units])];
  const gradient = { values: heap.address(dy), mask: addressOf(heap, mask) };
  const to = { product: heap.address(kernel), sums: heap.address(bias) };
  multiplyTransposed(heap, heap.address(x), gradient, to, { rows: depth, depth: rows, columns: units });
  return [kernel, bias];
};

/** dy, y → dy · 2·y·(1 − y) */
const throughUnitTanh: tf.KernelFunc = (call) => {
  const { dy, y } = call.inputs as Tensors<'dy' | 'y'>;
  const heap = heapOf(call.backend);
  const dz = heap.allocate(y.shape);
  const count = tf.util.sizeFromShape(y.shape);
  const kernel = heap.once('unitTanhGradient', () => heap.compile(unitTanhGradient()));
  kernel(heap.address(dy), heap.address(y), heap.address(dz), count);
  return dz;
};

export const layerKernels = {
  FunnelToMap: toMap,
  FunnelToImage: toImage,
  FunnelToFilter: toFilter,
  FunnelDense: dense,
  FunnelDenseToInput: denseToInput,
  FunnelDenseToKernel: denseToKernel,
  FunnelThroughUnitTanh: throughUnitTanh,
} as const satisfies Readonly<Record<string, tf.KernelFunc>>;
