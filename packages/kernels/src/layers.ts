/**
 * The arithmetic of a layer, forwards and backwards: one kernel each way on a backend that has ours (see `kernels/layers.ts`), else
 * composed of tfjs's. `tf.fused.*` falls back to three separate ops while gradients are recorded; the kernels behind it do not, so we
 * call them and give them the gradients that tfjs keeps inside `tf.fused.*`.
 */
import * as tf from '@tensorflow/tfjs';
import {
  convolution,
  denseLayer,
  halving,
  hasLayerKernels,
  keeping,
  transposedConvolution,
} from './fused-layers.ts';

type Attributes = tf.NamedAttrMap;
type Activation = 'relu' | 'linear';

/** tfjs types a kernel's inputs and attributes as open maps; what goes in them is checked by the kernel. */
const runKernel = (
  name: string,
  inputs: Record<string, tf.Tensor>,
  attributes: Record<string, unknown>,
): tf.Tensor =>
  tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attributes as Attributes) as tf.Tensor;

const halved = {
  strides: [2, 2],
  pad: 'same',
  dataFormat: 'NHWC',
  dilations: [1, 1],
  dimRoundingMode: undefined,
};

/** dL/dz of act(z) from dL/dact and act's output: ReLU passes where its output is positive. */
const beforeActivation = (dy: tf.Tensor, y: tf.Tensor, activation: Activation): tf.Tensor =>
  activation === 'relu' ? tf.mul(dy, tf.step(y)) : dy;

/** Sum over all but the last axis as a product with ones: tfjs-wasm transposes whole tensors to sum over leading axes. */
const sumToChannels = (dy: tf.Tensor): tf.Tensor1D => {
  const channels = dy.shape.at(-1)!;
  const rows = dy.size / channels;
  return tf.matMul(tf.ones([1, rows]), tf.reshape(dy, [rows, channels]) as tf.Tensor2D).reshape([channels]);
};

tf.registerGradient({
  kernelName: 'FusedConv2D',
  inputsToSave: ['x', 'filter'],
  outputsToSave: [true],
  gradFunc: (dy, [x, filter, y], attributes) => {
    const dz = beforeActivation(dy as tf.Tensor, y!, attributes.activation as Activation);
    const window = { ...halved, strides: attributes.strides };
    return {
      x: () =>
        runKernel('Conv2DBackpropInput', { dy: dz, filter: filter! }, { ...window, inputShape: x!.shape }),
      filter: () =>
        runKernel('Conv2DBackpropFilter', { x: x!, dy: dz }, { ...window, filterShape: filter!.shape }),
      bias: () => sumToChannels(dz),
    };
  },
});

tf.registerGradient({
  kernelName: '_FusedMatMul',
  inputsToSave: ['a', 'b'],
  outputsToSave: [true],
  gradFunc: (dy, [a, b, y], attributes) => {
    const dz = beforeActivation(dy as tf.Tensor, y!, attributes.activation as Activation);
    return {
      a: () => tf.matMul(dz as tf.Tensor3D, b as tf.Tensor3D, false, true),
      b: () => tf.matMul(a as tf.Tensor3D, dz as tf.Tensor3D, true, false),
      bias: () => sumToChannels(dz),
    };
  },
});

/** The convolution from an image of `size` that `filter` [3, 3, image channels, map channels] belongs to. */
const geometryOf = (size: readonly [number, number], filter: tf.Tensor) =>
  halving(size, { image: filter.shape[2]!, map: filter.shape[3]! });

/** 3×3, stride 2, 'same'. x [batch, h, w, in], filter [3, 3, in, out] → [batch, ⌈h/2⌉, ⌈w/2⌉, out]. */
export const conv2d = (
  x: tf.Tensor,
  filter: tf.Tensor,
  bias: tf.Tensor,
  activation: Activation,
): tf.Tensor =>
  hasLayerKernels()
    ? convolution(x, filter, bias, geometryOf([x.shape[1]!, x.shape[2]!], filter), activation)
    : runKernel('FusedConv2D', { x, filter, bias }, { ...halved, activation, leakyreluAlpha: 0 });

/** 3×3, stride 1, 'same', then σ. x [batch, h, w, in], filter [3, 3, in, out] → [batch, h, w, out]. */
export const conv2dSame = (x: tf.Tensor, filter: tf.Tensor, bias: tf.Tensor): tf.Tensor => {
  const [, height, width] = x.shape as [number, number, number, number];
  const [, , from, to] = filter.shape as [number, number, number, number];
  const z = hasLayerKernels()
    ? convolution(x, filter, bias, keeping([height, width], { image: from, map: to }), 'linear')
    : runKernel(
        'FusedConv2D',
        { x, filter, bias },
        { ...halved, strides: [1, 1], activation: 'linear', leakyreluAlpha: 0 },
      );
  return tf.sigmoid(z);
};

/** Means over squares of 2×2: [batch, 2h, 2w, channels] → [batch, h, w, channels]. */
export const averagePool = (x: tf.Tensor): tf.Tensor => tf.avgPool(x as tf.Tensor4D, 2, 2, 'valid');

/** Every pixel four times: [batch, h, w, channels] → [batch, 2h, 2w, channels]. Back go sums over squares: tfjs-cpu's lose some. */
export const upSample = (x: tf.Tensor): tf.Tensor => {
  const size: [number, number] = [2 * x.shape[1]!, 2 * x.shape[2]!];
  const widen = tf.customGrad((small) => ({
    value: tf.image.resizeNearestNeighbor(small as tf.Tensor4D, size),
    gradFunc: (dy: tf.Tensor) => tf.mul(averagePool(dy), 4),
  }));
  return widen(x);
};

/** x [batch, in], kernel [in, out] → [batch, out]. */
export const dense = (
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias: tf.Tensor,
  activation: Activation,
): tf.Tensor => {
  if (hasLayerKernels()) return denseLayer(x, kernel, bias, activation);
  const [rows, units] = [x.shape[0]!, kernel.shape[1]!];
  const a = tf.reshape(x, [1, rows, x.shape[1]!]);
  const b = tf.reshape(kernel, [1, kernel.shape[0]!, units]);
  const y = runKernel(
    '_FusedMatMul',
    { a, b, bias },
    { transposeA: false, transposeB: false, activation, leakyreluAlpha: 0 },
  );
  return tf.reshape(y, [rows, units]);
};

/** z + bias with ReLU, or (1 + tanh)/2, which is σ(2z): one pass where tanh would be three. */
const addBias = (z: tf.Tensor, bias: tf.Tensor, activation: 'relu' | 'unitTanh'): tf.Tensor => {
  const biased = tf.add(z, bias);
  return activation === 'relu' ? tf.relu(biased) : tf.sigmoid(tf.mul(biased, 2));
};

/** The transpose of `conv2d`: x [batch, ⌈h/2⌉, ⌈w/2⌉, in], filter [3, 3, out, in] → [batch, h, w, out] for `size` [h, w]. */
export const conv2dTranspose = (
  x: tf.Tensor,
  filter: tf.Tensor,
  bias: tf.Tensor,
  size: readonly [number, number],
  activation: 'relu' | 'unitTanh',
): tf.Tensor => {
  if (hasLayerKernels()) return transposedConvolution(x, filter, bias, geometryOf(size, filter), activation);
  const inputShape = [x.shape[0]!, ...size, filter.shape[2]!];
  return addBias(
    runKernel('Conv2DBackpropInput', { dy: x, filter }, { ...halved, inputShape }),
    bias,
    activation,
  );
};
