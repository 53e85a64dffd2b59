/**
 * Layers that run on any backend: convolutions, dense layers, pooling. On wasm with `registerKernels`, the forward pass and the gradients of a
 * layer are one kernel each (layer-kernels.ts).
 */
import * as tf from '@tensorflow/tfjs';
import { type Geometry, samePadding } from './geometry.ts';
import type { Activation, LayerAttributes, layerKernels } from './layer-kernels.ts';

type KernelName = keyof typeof layerKernels;
type Tensors = Readonly<Record<string, tf.Tensor | undefined>>;

function runAll(name: KernelName, inputs: Tensors, attributes: object): tf.Tensor[] {
  const present = Object.fromEntries(Object.entries(inputs).filter(([, tensor]) => tensor !== undefined));
  // tfjs types inputs and attributes as open maps. Each kernel checks its own.
  const outputs: tf.Tensor | tf.Tensor[] = tf
    .engine()
    .runKernel(name, present as tf.NamedTensorMap, attributes as tf.NamedAttrMap);
  return Array.isArray(outputs) ? outputs : [outputs];
}

const run = (name: KernelName, inputs: Tensors, attributes: object): tf.Tensor =>
  runAll(name, inputs, attributes)[0]!;

/**
 * A kernel computed this bias gradient together with a weight gradient; tfjs has not asked for it yet. There is at most one, because tfjs
 * asks for the two gradients one after the other.
 */
let waiting: tf.Tensor | undefined;

/** The gradients of weights and bias, when one kernel computes both. */
function computedTogether(compute: () => tf.Tensor[]) {
  let own: tf.Tensor | undefined;
  return {
    weights: (): tf.Tensor => {
      const [weights, bias] = compute();
      waiting?.dispose(); // tfjs never asked for it, because the bias of that layer is not trained
      own = waiting = tf.keep(bias!);
      return weights!;
    },
    bias: (): tf.Tensor => {
      if (own === undefined) return compute()[1]!;
      const bias = own.clone(); // a kept tensor would outlive the tidy of the gradient
      own.dispose();
      own = waiting = undefined;
      return bias;
    },
  };
}

/** The gradient of the sum before the activation. For a ReLU it is `dz` where `mask` (the output of the ReLU) is above 0: kernels apply it. */
function beforeActivation(dy: tf.Tensor, y: tf.Tensor, activation: Activation) {
  if (activation === 'unitTanh') return { dz: run('FunnelThroughUnitTanh', { dy, y }, {}), mask: undefined };
  return { dz: dy, mask: activation === 'relu' ? y : undefined };
}

tf.registerGradient({
  kernelName: 'FunnelToMap' satisfies KernelName,
  inputsToSave: ['image', 'filter'],
  outputsToSave: [true],
  gradFunc: (dy, [image, filter, y], attributes) => {
    const { geometry, activation } = attributes as unknown as LayerAttributes;
    const { dz, mask } = beforeActivation(dy as tf.Tensor, y!, activation);
    const { weights, bias } = computedTogether(() =>
      runAll('FunnelToFilter', { image, map: dz, mask }, { geometry, gradient: 'map' }),
    );
    const linear: LayerAttributes = { geometry, activation: 'linear' };
    return { image: () => run('FunnelToImage', { map: dz, filter, mask }, linear), filter: weights, bias };
  },
});

tf.registerGradient({
  kernelName: 'FunnelToImage' satisfies KernelName,
  inputsToSave: ['map', 'filter'],
  outputsToSave: [true],
  gradFunc: (dy, [map, filter, y], attributes) => {
    const { geometry, activation } = attributes as unknown as LayerAttributes;
    const { dz, mask } = beforeActivation(dy as tf.Tensor, y!, activation);
    const { weights, bias } = computedTogether(() =>
      runAll('FunnelToFilter', { image: dz, map, mask }, { geometry, gradient: 'image' }),
    );
    const linear: LayerAttributes = { geometry, activation: 'linear' };
    return { map: () => run('FunnelToMap', { image: dz, filter, mask }, linear), filter: weights, bias };
  },
});

tf.registerGradient({
  kernelName: 'FunnelDense' satisfies KernelName,
  inputsToSave: ['x', 'kernel'],
  outputsToSave: [true],
  gradFunc: (dy, [x, kernel, y], attributes) => {
    const { activation } = attributes as unknown as LayerAttributes;
    const { dz, mask } = beforeActivation(dy as tf.Tensor, y!, activation);
    const { weights, bias } = computedTogether(() => runAll('FunnelDenseToKernel', { x, dy: dz, mask }, {}));
    return { x: () => run('FunnelDenseToInput', { dy: dz, kernel, mask }, {}), kernel: weights, bias };
  },
});

/** Whether the current backend has these kernels. */
const hasLayerKernels = (): boolean =>
  tf.getKernel('FunnelToMap' satisfies KernelName, tf.getBackend()) != null;

/** x [batch, …image], filter [h, w, in, out], bias [out] → [batch, …map]: activation(convolution + bias). */
const convolution = (
  x: tf.Tensor,
  filter: tf.Tensor,
  bias: tf.Tensor,
  geometry: Geometry,
  activation: Activation,
): tf.Tensor => run('FunnelToMap', { image: x, filter, bias }, { geometry, activation });

/** The transpose of `convolution`: x [batch, …map], filter [h, w, out, in], bias [out] → [batch, …image]. */
const transposedConvolution = (
  x: tf.Tensor,
  filter: tf.Tensor,
  bias: tf.Tensor,
  geometry: Geometry,
  activation: Activation,
): tf.Tensor => run('FunnelToImage', { map: x, filter, bias }, { geometry, activation });

/** x [rows, depth], kernel [depth, units], bias [units] → [rows, units] */
const denseLayer = (x: tf.Tensor, kernel: tf.Tensor, bias: tf.Tensor, activation: Activation): tf.Tensor =>
  run('FunnelDense', { x, kernel, bias }, { activation });

/**
 * On other backends, the layers run the fused kernels of tfjs. `tf.fused.*` would use three separate ops while gradients are recorded, so
 * we call the kernels behind it and register the gradients that tfjs has only inside `tf.fused.*`.
 */

type Attributes = tf.NamedAttrMap;
/** tfjs types inputs and attributes of a kernel as open maps. Each kernel checks its own. */
const runKernel = (
  name: string,
  inputs: Record<string, tf.Tensor>,
  attributes: Record<string, unknown>,
): tf.Tensor =>
  tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attributes as Attributes) as tf.Tensor;

const window = (stride: number) => ({
  strides: [stride, stride],
  pad: 'same',
  dataFormat: 'NHWC',
  dilations: [1, 1],
  dimRoundingMode: undefined,
});

/** Takes the gradient after an activation and the output `y`, and returns the gradient before it. A ReLU passes it where `y` is above 0. */
const throughActivation = (dy: tf.Tensor, y: tf.Tensor, activation: 'relu' | 'linear'): tf.Tensor =>
  activation === 'relu' ? tf.mul(dy, tf.step(y)) : dy;

/**
 * Σ over all axes but the last, [… , channels] → [channels], as a product with ones. For a sum tfjs-wasm would transpose the whole tensor.
 */
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
    const dz = throughActivation(dy as tf.Tensor, y!, attributes.activation as 'relu' | 'linear');
    const [stride] = attributes.strides as [number, number];
    return {
      x: () =>
        runKernel(
          'Conv2DBackpropInput',
          { dy: dz, filter: filter! },
          { ...window(stride), inputShape: x!.shape },
        ),
      filter: () =>
        runKernel(
          'Conv2DBackpropFilter',
          { x: x!, dy: dz },
          { ...window(stride), filterShape: filter!.shape },
        ),
      bias: () => sumToChannels(dz),
    };
  },
});

tf.registerGradient({
  kernelName: '_FusedMatMul',
  inputsToSave: ['a', 'b'],
  outputsToSave: [true],
  gradFunc: (dy, [a, b, y], attributes) => {
    const dz = throughActivation(dy as tf.Tensor, y!, attributes.activation as 'relu' | 'linear');
    return {
      a: () => tf.matMul(dz as tf.Tensor3D, b as tf.Tensor3D, false, true),
      b: () => tf.matMul(a as tf.Tensor3D, dz as tf.Tensor3D, true, false),
      bias: () => sumToChannels(dz),
    };
  },
});

/** The convolution of an image of `size` [height, width] by `filter` [h, w, image channels, map channels]. */
const geometryOf = (size: readonly [number, number], filter: tf.Tensor, stride: number): Geometry => {
  const [height, width, image, map] = filter.shape as [number, number, number, number];
  return samePadding(size, { height, width }, stride, { image, map });
};

/** Convolution with 'same' padding: x [batch, h, w, in], filter [kh, kw, in, out] → [batch, ⌈h/stride⌉, ⌈w/stride⌉, out]. */
export const conv2d = (
  x: tf.Tensor,
  filter: tf.Tensor,
  bias: tf.Tensor,
  activation: 'relu' | 'linear',
  stride = 2,
): tf.Tensor =>
  hasLayerKernels()
    ? convolution(x, filter, bias, geometryOf([x.shape[1]!, x.shape[2]!], filter, stride), activation)
    : runKernel('FusedConv2D', { x, filter, bias }, { ...window(stride), activation, leakyreluAlpha: 0 });

/** [batch, h, w, channels] with an even height and width: an odd one gets a copy of its last row or column. */
const evened = (x: tf.Tensor): tf.Tensor =>
  [1, 2].reduce((image, axis) => {
    const size = image.shape[axis]!;
    if (size % 2 === 0) return image;
    return tf.concat([image, tf.slice(image, axis === 1 ? [0, size - 1] : [0, 0, size - 1])], axis);
  }, x);

/** Means over squares of 2×2: [batch, h, w, channels] → [batch, ⌈h/2⌉, ⌈w/2⌉, channels]. A square at an odd end has the pixels that exist. */
export const averagePool = (x: tf.Tensor): tf.Tensor => tf.avgPool(evened(x) as tf.Tensor4D, 2, 2, 'valid');

/**
 * Repeats every pixel in a square of 2×2: [batch, ⌈h/2⌉, ⌈w/2⌉, channels] → [batch, h, w, channels] for `size` [h, w]. It has a gradient of
 * its own (sums over the squares), because the gradient of tfjs-cpu loses some of the values.
 */
export const upSample = (x: tf.Tensor, [height, width]: readonly [number, number]): tf.Tensor => {
  const size: [number, number] = [2 * x.shape[1]!, 2 * x.shape[2]!];
  const widen = tf.customGrad((small) => ({
    value: tf.image.resizeNearestNeighbor(small as tf.Tensor4D, size),
    gradFunc: (dy: tf.Tensor) => tf.mul(averagePool(dy), 4),
  }));
  const wide = widen(x);
  return size[0] === height && size[1] === width
    ? wide
    : tf.slice(wide, [0, 0, 0, 0], [-1, height, width, -1]);
};

/** Dense layer: x [batch, in], kernel [in, out], bias [out] → [batch, out]. */
export const dense = (
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias: tf.Tensor,
  activation: 'relu' | 'linear',
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

/** z + bias, then the activation. (1 + tanh z)/2 is σ(2z): one pass over memory, where tanh would take three. */
const addBias = (z: tf.Tensor, bias: tf.Tensor, activation: Activation): tf.Tensor => {
  const biased = tf.add(z, bias);
  if (activation === 'linear') return biased;
  return activation === 'relu' ? tf.relu(biased) : tf.sigmoid(tf.mul(biased, 2));
};

/** The transpose of `conv2d` with stride 2: x [batch, ⌈h/2⌉, ⌈w/2⌉, in], filter [kh, kw, out, in] → [batch, h, w, out] for `size` [h, w]. */
export const conv2dTranspose = (
  x: tf.Tensor,
  filter: tf.Tensor,
  bias: tf.Tensor,
  size: readonly [number, number],
  activation: Activation,
): tf.Tensor => {
  if (hasLayerKernels())
    return transposedConvolution(x, filter, bias, geometryOf(size, filter, 2), activation);
  const inputShape = [x.shape[0]!, ...size, filter.shape[2]!];
  return addBias(
    runKernel('Conv2DBackpropInput', { dy: x, filter }, { ...window(2), inputShape }),
    bias,
    activation,
  );
};
