import * as tf from '@tensorflow/tfjs';
import type { LinearOrRelu } from './contract-images.ts';
import { type Finish, imageToMap, mapToImage } from './convolution.ts';
import { filterGradient } from './filter-gradient.ts';
import type { Geometry } from './geometry.ts';
import { heapOf, type Tensors } from './heap.ts';

type Shape4D = [number, number, number, number];

/** A tfjs kernel that answers undefined where the shipped one must do. */
export type PartialKernel = (call: Parameters<tf.KernelFunc>[0]) => tf.TensorInfo | undefined;

/** The attributes that all convolution kernels share. */
interface Attributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly activation?: string;
  readonly inputShape?: Shape4D;
  readonly filterShape?: Shape4D;
}

const attributesOf = (call: Parameters<PartialKernel>[0]): Attributes => call.attrs as unknown as Attributes;

/** The geometry of a convolution of `imageShape`; undefined where our kernels do not compute it. */
function geometryOf(image: Shape4D, filter: Shape4D, attributes: Attributes): Geometry | undefined {
  const { strides, pad, dimRoundingMode, dilations = 1, dataFormat = 'NHWC' } = attributes;
  if (dataFormat !== 'NHWC') return undefined;
  const info = tf.backend_util.computeConv2DInfo(image, filter, strides, dilations, pad, dimRoundingMode);
  if (info.dilationHeight !== 1 || info.dilationWidth !== 1) return undefined;
  return {
    image: { height: info.inHeight, width: info.inWidth, channels: info.inChannels },
    map: { height: info.outHeight, width: info.outWidth, channels: info.outChannels },
    filter: { height: info.filterHeight, width: info.filterWidth },
    stride: { height: info.strideHeight, width: info.strideWidth },
    padding: { top: info.padInfo.top, left: info.padInfo.left },
  };
}

const ours = (...tensors: tf.TensorInfo[]): boolean =>
  tensors.every(({ dtype, shape }) => dtype === 'float32' && tf.util.sizeFromShape(shape) > 0);

/** Conv2D and FusedConv2D: x [batch, height, width, in], filter [h, w, in, out], bias [out]. */
export const convolve: PartialKernel = (call) => {
  const { x, filter, bias, preluActivationWeights } = call.inputs;
  const { activation = 'linear', ...attributes } = attributesOf(call);
  if (!x || !filter || !ours(x, filter) || preluActivationWeights) return undefined;
  if (activation !== 'linear' && activation !== 'relu') return undefined;
  if (bias && bias.shape.at(-1) !== tf.util.sizeFromShape(bias.shape)) return undefined;
  const geometry = geometryOf(x.shape as Shape4D, filter.shape as Shape4D, attributes);
  if (!geometry || (bias && bias.shape.at(-1) !== geometry.map.channels)) return undefined;
  const heap = heapOf(call.backend);
  const batch = x.shape[0]!;
  const y = heap.allocate([batch, geometry.map.height, geometry.map.width, geometry.map.channels]);
  const at = { input: heap.address(x), filter: heap.address(filter), output: heap.address(y) };
  const finish: Finish = { bias: bias && heap.address(bias), activation: activation satisfies LinearOrRelu };
  imageToMap(heap, geometry, batch, at, finish);
  return y;
};

/** Conv2DBackpropInput, which is also the forward pass of a transposed convolution. */
export const convolveBack: PartialKernel = (call) => {
  const { dy, filter } = call.inputs as Tensors<'dy' | 'filter'>;
  const attributes = attributesOf(call);
  const shape = attributes.inputShape!;
  const geometry = geometryOf(shape, filter.shape as Shape4D, attributes);
  if (!geometry || !ours(dy, filter)) return undefined;
  const heap = heapOf(call.backend);
  const dx = heap.allocate(shape);
  const at = { input: heap.address(dy), filter: heap.address(filter), output: heap.address(dx) };
  mapToImage(heap, geometry, shape[0], at, { activation: 'linear' });
  return dx;
};

/** Conv2DBackpropFilter, which tfjs-wasm does not ship. */
export const convolveFilter: PartialKernel = (call) => {
  const { x, dy } = call.inputs as Tensors<'x' | 'dy'>;
  const attributes = attributesOf(call);
  const shape = attributes.filterShape!;
  const geometry = geometryOf(x.shape as Shape4D, shape, attributes);
  if (!geometry || !ours(x, dy)) return undefined;
  const heap = heapOf(call.backend);
  const dw = heap.allocate(shape);
  const sides = { image: { values: heap.address(x) }, map: { values: heap.address(dy) } };
  filterGradient(heap, geometry, x.shape[0]!, sides, { filter: heap.address(dw), bias: 0 });
  return dw;
};
