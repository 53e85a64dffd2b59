import * as tf from '@tensorflow/tfjs';
import { heapOf, type Tensors } from './heap.ts';
import { col2im, im2colTransposed, matMul } from './im2col.ts';

/** dL/dW of a convolution, [filterHeight, filterWidth, inChannels, outChannels]; tfjs-wasm ships none. */
export const conv2DBackpropFilter: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { x, dy } = inputs as Tensors<'x' | 'dy'>;
  const { strides, pad, dimRoundingMode, filterShape } = attrs as unknown as tf.Conv2DBackpropFilterAttrs;
  const shape = x.shape as [number, number, number, number];
  const info = tf.backend_util.computeConv2DInfo(shape, filterShape, strides, 1, pad, dimRoundingMode);
  const heap = heapOf(backend);
  const cols = im2colTransposed(heap, x, info);
  const rows = { ...dy, shape: [cols.shape[1]!, info.outChannels] };
  const dw = matMul(heap, cols, rows);
  heap.free(cols);
  return { ...dw, shape: filterShape };
};

/** dL/dx of a convolution, [batch, height, width, inChannels]; also the forward pass of a transposed one. */
export const conv2DBackpropInput: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { dy, filter } = inputs as Tensors<'dy' | 'filter'>;
  const { strides, pad, dimRoundingMode, inputShape } = attrs as unknown as tf.Conv2DBackpropInputAttrs;
  const filterShape = filter.shape as [number, number, number, number];
  const info = tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad, dimRoundingMode);
  const heap = heapOf(backend);
  const taps = info.filterHeight * info.filterWidth * info.inChannels;
  const flipped = heap.makeOutput([info.outChannels, taps], 'float32');
  const [source, target] = [heap.floats(filter), heap.floats(flipped)];
  for (let t = 0; t < taps; t++)
    for (let o = 0; o < info.outChannels; o++) target[o * taps + t] = source[t * info.outChannels + o]!;
  const positions = info.batchSize * info.outHeight * info.outWidth;
  const cols = matMul(heap, { ...dy, shape: [positions, info.outChannels] }, flipped);
  const dx = col2im(heap, cols, info);
  heap.free(flipped);
  heap.free(cols);
  return dx;
};
