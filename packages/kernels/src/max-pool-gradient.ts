/**
 * The gradient of max pooling on wasm. Where several values of a window are equal maxima, tfjs-wasm 4.22 gives the gradient to the last of
 * them; TensorFlow, PyTorch and the other backends of tfjs give it to the first. Ties are frequent after a ReLU, so an attack on wasm would
 * take another path than on other backends.
 */
import * as tf from '@tensorflow/tfjs';
import type { HeapBackend } from './heap.ts';

const maxPoolGradient: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { dy, input } = inputs as { dy: tf.TensorInfo; input: tf.TensorInfo }; // the names that tfjs gives them
  const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as tf.MaxPoolGradAttrs;
  const shape = input.shape as [number, number, number, number]; // pooling takes NHWC
  const info = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  const heap = backend as HeapBackend; // this kernel is registered for wasm only
  const dx = heap.makeOutput(input.shape, 'float32');
  const [x, upstream, gradient] = [
    heap.typedArrayFromHeap(input),
    heap.typedArrayFromHeap(dy),
    heap.typedArrayFromHeap(dx),
  ];
  gradient.fill(0);
  const {
    inHeight,
    inWidth,
    outHeight,
    outWidth,
    inChannels,
    strideHeight,
    strideWidth,
    filterHeight,
    filterWidth,
    padInfo,
  } = info;
  const rowStride = inWidth * inChannels;
  for (let image = 0, out = 0; image < info.batchSize; image++) {
    const origin = image * inHeight * rowStride;
    for (let row = 0; row < outHeight; row++) {
      const top = row * strideHeight - padInfo.top;
      for (let col = 0; col < outWidth; col++) {
        const left = col * strideWidth - padInfo.left;
        for (let channel = 0; channel < inChannels; channel++, out++) {
          let largest = Number.NEGATIVE_INFINITY;
          let at = -1;
          for (let y = Math.max(0, top); y < Math.min(inHeight, top + filterHeight); y++)
            for (let u = Math.max(0, left); u < Math.min(inWidth, left + filterWidth); u++) {
              const index = origin + y * rowStride + u * inChannels + channel;
              if (x[index]! > largest) {
                largest = x[index]!;
                at = index;
              }
            }
          if (at >= 0) gradient[at]! += upstream[out]!;
        }
      }
    }
  }
  return dx;
};

/** On the current backend one of four equal values gets the gradient of their maximum. Returns the index of this value. */
const indexOfTiedMaximum = (): number =>
  tf.tidy(() => {
    const gradient = tf.grad((x) => tf.sum(tf.maxPool(x as tf.Tensor4D, 2, 1, 'valid')))(
      tf.ones([1, 2, 2, 1]),
    );
    return gradient.dataSync().indexOf(1);
  });

/**
 * Replaces the kernel of tfjs-wasm if it gives the gradient to the last maximum. Does nothing on other backends, or if the kernel is right.
 */
export const correctMaxPoolGradient = (): void => {
  if (tf.getBackend() !== 'wasm' || indexOfTiedMaximum() === 0) return;
  tf.unregisterKernel('MaxPoolGrad', 'wasm');
  tf.registerKernel({ kernelName: 'MaxPoolGrad', backendName: 'wasm', kernelFunc: maxPoolGradient });
};
