import * as tf from '@tensorflow/tfjs';
import type { Conv2DInfo, Heap } from './heap.ts';

/** Gathers the patches under each filter tap: cols[tap · inChannels + c, image · positions + p]. */
export function im2colTransposed(heap: Heap, x: tf.TensorInfo, info: Conv2DInfo): tf.TensorInfo {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = info;
  const columns = batchSize * outHeight * outWidth;
  const cols = heap.makeOutput([filterHeight * filterWidth * inChannels, columns], 'float32');
  const source = heap.floats(x);
  const target = heap.floats(cols).fill(0);
  for (let ky = 0; ky < filterHeight; ky++)
    for (let kx = 0; kx < filterWidth; kx++)
      for (let b = 0; b < batchSize; b++)
        for (let oy = 0; oy < outHeight; oy++) {
          const y = oy * strideHeight + ky * dilationHeight - padInfo.top;
          if (y < 0 || y >= inHeight) continue;
          for (let ox = 0; ox < outWidth; ox++) {
            const at = ox * strideWidth + kx * dilationWidth - padInfo.left;
            if (at < 0 || at >= inWidth) continue;
            const from = ((b * inHeight + y) * inWidth + at) * inChannels;
            const to = (ky * filterWidth + kx) * inChannels * columns + (b * outHeight + oy) * outWidth + ox;
            for (let c = 0; c < inChannels; c++) target[to + c * columns] = source[from + c]!;
          }
        }
  return cols;
}

/** The transpose of the gather: adds cols[image · positions + p, tap · inChannels + c] back onto the image. */
export function col2im(heap: Heap, cols: tf.TensorInfo, info: Conv2DInfo): tf.TensorInfo {
  const { batchSize, inHeight, inWidth, inChannels, outHeight, outWidth, padInfo } = info;
  const { filterHeight, filterWidth, strideHeight, strideWidth, dilationHeight, dilationWidth } = info;
  const dx = heap.makeOutput([batchSize, inHeight, inWidth, inChannels], 'float32');
  const source = heap.floats(cols);
  const target = heap.floats(dx).fill(0);
  let from = 0;
  for (let b = 0; b < batchSize; b++)
    for (let oy = 0; oy < outHeight; oy++)
      for (let ox = 0; ox < outWidth; ox++)
        for (let ky = 0; ky < filterHeight; ky++) {
          const y = oy * strideHeight + ky * dilationHeight - padInfo.top;
          for (let kx = 0; kx < filterWidth; kx++, from += inChannels) {
            const at = ox * strideWidth + kx * dilationWidth - padInfo.left;
            if (y < 0 || y >= inHeight || at < 0 || at >= inWidth) continue;
            const to = ((b * inHeight + y) * inWidth + at) * inChannels;
            for (let c = 0; c < inChannels; c++) target[to + c] = target[to + c]! + source[from + c]!;
          }
        }
  return dx;
}

/** Plain (fast) matrix product of the wasm backend: neither operand is transposed. */
export function matMul(heap: Heap, a: tf.TensorInfo, b: tf.TensorInfo): tf.TensorInfo {
  const lift = (t: tf.TensorInfo): tf.TensorInfo => ({ ...t, shape: [1, ...t.shape] });
  const kernel = tf.getKernel('BatchMatMul', 'wasm');
  const product = kernel.kernelFunc({
    inputs: { a: lift(a), b: lift(b) },
    attrs: { transposeA: false, transposeB: false },
    backend: heap.backend,
  });
  const info = Array.isArray(product) ? product[0]! : product;
  return { ...info, shape: info.shape.slice(1) };
}
