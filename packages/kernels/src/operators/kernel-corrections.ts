/**
 * Ways to correct a kernel of a backend.
 */
import * as tf from '@tensorflow/tfjs';
import { isDilated } from './convolution-gradients.ts';

/** Makes a kernel from the one that the backend has. */
export type Correction = (shipped: tf.KernelFunc | undefined) => tf.KernelFunc;

export const replacedBy =
  (kernel: tf.KernelFunc): Correction =>
  () =>
    kernel;

export const addedAs =
  (kernel: tf.KernelFunc): Correction =>
  (shipped) =>
    shipped ?? kernel;

export const whereDilated =
  (kernel: tf.KernelFunc): Correction =>
  (shipped) =>
  (call) => {
    const { dilations } = call.attrs as { dilations?: number | number[] };
    return (isDilated(dilations) || !shipped ? kernel : shipped)(call);
  };

/**
 * XNNPACK refuses padding 'same' where the stride is longer than the filter and pixels remain at the end, and tfjs-wasm then answers zeros.
 * There is nothing to pad in that case.
 */
export const withExplicitPadding =
  (depthwise: boolean): Correction =>
  (shipped) =>
  (call) => {
    const { strides, pad, dilations, dataFormat } = call.attrs as unknown as tf.Conv2DAttrs;
    const { x, filter } = call.inputs as Readonly<Record<'x' | 'filter', tf.TensorInfo>>;
    if (pad !== 'same' || dataFormat === 'NCHW') return shipped!(call);
    type Shape = [number, number, number, number];
    const [image, taps, rate] = [x.shape as Shape, filter.shape as Shape, (dilations ?? 1) as number];
    const info = tf.backend_util.computeConv2DInfo(image, taps, strides, rate, pad, undefined, depthwise);
    const used = [
      (info.outHeight - 1) * info.strideHeight + info.effectiveFilterHeight,
      (info.outWidth - 1) * info.strideWidth + info.effectiveFilterWidth,
    ];
    if (used[0]! >= info.inHeight && used[1]! >= info.inWidth) return shipped!(call);
    const { top, bottom, left, right } = info.padInfo;
    const explicit = [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ]; // prettier-ignore
    return shipped!({ ...call, attrs: { ...call.attrs, pad: explicit } as unknown as tf.NamedAttrMap });
  };

/** Identity without a copy, because tensors are immutable. The attributes of fused convolutions are found by the shared values. */
export const identity: tf.KernelFunc = ({ inputs, backend }) => {
  const { x } = inputs as Readonly<Record<'x', tf.TensorInfo>>;
  (backend as tf.KernelBackend).incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
};

/** For cropping with method 'nearest', in which tfjs-wasm reads wrong pixels. */
export const whereNearest =
  (kernel: tf.KernelFunc): Correction =>
  (shipped) =>
  (call) =>
    ((call.attrs as unknown as tf.CropAndResizeAttrs).method === 'nearest' ? kernel : shipped!)(call);

/** tfjs-cpu writes the updates into the tensor that is to be updated. */
export const copiedTensor: Correction = (shipped) => (call) => {
  const { tensor } = call.inputs as Readonly<Record<'tensor', tf.TensorInfo>>;
  const backend = call.backend as tf.KernelBackend & {
    readonly data: { get(dataId: object): { values: Float32Array } };
  };
  const values = backend.data.get(tensor.dataId).values.slice();
  const copy = { ...tensor, dataId: backend.write(values, tensor.shape, tensor.dtype) };
  const result = shipped!({ ...call, inputs: { ...call.inputs, tensor: copy } }); // shares the values of `copy`
  backend.disposeData(copy.dataId);
  return result;
};

export type StridedSlice = Readonly<
  Record<'beginMask' | 'endMask' | 'ellipsisMask' | 'newAxisMask' | 'shrinkAxisMask', number> &
    Record<'begin' | 'end' | 'strides', number[]>
>;

/** The first index, the end and the stride of a slice for every axis of the input; and the shape of the output. */
export const denseSlice = (shape: readonly number[], slice: StridedSlice) =>
  tf.slice_util.sliceInfo(
    [...shape],
    slice.begin,
    slice.end,
    slice.strides,
    slice.beginMask,
    slice.endMask,
    slice.ellipsisMask,
    slice.newAxisMask,
    slice.shrinkAxisMask,
  );

/** Both backends read wrong values where a slice takes single indices of some axes and strides along others: x[:, ::2, 1]. */
export const withAllAxes: Correction = (shipped) => (call) => {
  const { x } = call.inputs as Readonly<Record<'x', tf.TensorInfo>>;
  const slice = call.attrs as unknown as StridedSlice;
  if (slice.shrinkAxisMask === 0) return shipped!(call);
  const { begin, end, strides, finalShape } = denseSlice(x.shape, slice);
  const endMask = end.reduce((mask, index, axis) => (index < 0 ? mask | (1 << axis) : mask), 0); // down to the first
  const masks = { beginMask: 0, endMask, ellipsisMask: 0, newAxisMask: 0, shrinkAxisMask: 0 };
  const whole = shipped!({ ...call, attrs: { begin, end, strides, ...masks } }) as tf.TensorInfo;
  return { dataId: whole.dataId, shape: finalShape, dtype: whole.dtype };
};

/** Both backends confuse the matrices where a batch of several axes is broadcast along some of them. */
export const withWholeBatch: Correction = (shipped) => (call) => {
  const { a, b } = call.inputs as Readonly<Record<'a' | 'b', tf.Tensor>>;
  const batches = [a.shape.slice(0, -2), b.shape.slice(0, -2)] as const;
  const partly =
    batches.every((batch) => tf.util.sizeFromShape(batch) > 1) && batches[0].join() !== batches[1].join();
  if (!partly) return shipped!(call);
  const batch = tf.broadcast_util.assertAndGetBroadcastShape(...(batches as unknown as [number[], number[]]));
  const widen = (matrices: tf.Tensor) => tf.broadcastTo(matrices, [...batch, ...matrices.shape.slice(-2)]);
  return shipped!({ ...call, inputs: { a: widen(a), b: widen(b) } });
};

/** The shapes in which the second factor of a product was used, by its values. */
const shapesOf = new WeakMap<object, string>();

/**
 * tfjs-wasm keeps a compiled product for the values of the second factor, also when these come in another shape later, and then reads beyond
 * their end. In another shape the factor must have values of its own.
 */
export const withFreshWeights: Correction = (shipped) => (call) => {
  const { b } = call.inputs as Readonly<Record<'b', tf.TensorInfo>>;
  const shape = b.shape.join();
  const known = shapesOf.get(b.dataId) ?? shape;
  shapesOf.set(b.dataId, known);
  if (known === shape) return shipped!(call);
  const backend = call.backend as tf.KernelBackend;
  const copy = { ...b, dataId: backend.write(backend.readSync(b.dataId), b.shape, b.dtype) };
  const result = shipped!({ ...call, inputs: { ...call.inputs, b: copy } });
  backend.disposeData(copy.dataId);
  return result;
};
