/** Layers whose forward pass and gradients are one kernel each, on the wasm backend. */
import * as tf from '@tensorflow/tfjs';
import type { Geometry } from './geometry.ts';
import type { Activation, LayerAttributes, layerKernels } from './layer-kernels.ts';

type KernelName = keyof typeof layerKernels;
type Tensors = Readonly<Record<string, tf.Tensor | undefined>>;

function runAll(name: KernelName, inputs: Tensors, attributes: object): tf.Tensor[] {
  const present = Object.fromEntries(Object.entries(inputs).filter(([, tensor]) => tensor !== undefined));
  // tfjs types inputs and attributes as open maps; each kernel knows its own.
  const outputs: tf.Tensor | tf.Tensor[] = tf
    .engine()
    .runKernel(name, present as tf.NamedTensorMap, attributes as tf.NamedAttrMap);
  return Array.isArray(outputs) ? outputs : [outputs];
}

const run = (name: KernelName, inputs: Tensors, attributes: object): tf.Tensor =>
  runAll(name, inputs, attributes)[0]!;

/** A gradient that came out of another's kernel and waits to be asked for. At most one waits: tfjs asks for both in a row. */
let waiting: tf.Tensor | undefined;

/** Filter and bias gradients, from one kernel that gives both. */
function together(compute: () => tf.Tensor[]) {
  let own: tf.Tensor | undefined;
  return {
    weights: (): tf.Tensor => {
      const [weights, bias] = compute();
      waiting?.dispose(); // of a layer whose bias does not learn
      own = waiting = tf.keep(bias!);
      return weights!;
    },
    bias: (): tf.Tensor => {
      if (own === undefined) return compute()[1]!;
      const bias = own.clone(); // kept tensors outlive the tidy of the gradient; this one must not
      own.dispose();
      own = waiting = undefined;
      return bias;
    },
  };
}

/** The gradient at a layer's sum, and the ReLU that it still has to go through. */
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
    const { weights, bias } = together(() =>
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
    const { weights, bias } = together(() =>
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
    const { weights, bias } = together(() => runAll('FunnelDenseToKernel', { x, dy: dz, mask }, {}));
    return { x: () => run('FunnelDenseToInput', { dy: dz, kernel, mask }, {}), kernel: weights, bias };
  },
});

/** Whether the backend that tfjs runs on has these layers. */
export const hasLayerKernels = (): boolean =>
  tf.getKernel('FunnelToMap' satisfies KernelName, tf.getBackend()) != null;

/** x [batch, …image], filter [h, w, in, out], bias [out] → [batch, …map]: activation(convolution + bias). */
export const convolution = (
  x: tf.Tensor,
  filter: tf.Tensor,
  bias: tf.Tensor,
  geometry: Geometry,
  activation: Activation,
): tf.Tensor => run('FunnelToMap', { image: x, filter, bias }, { geometry, activation });

/** The transpose of `convolution`: x [batch, …map], filter [h, w, out, in], bias [out] → [batch, …image]. */
export const transposedConvolution = (
  x: tf.Tensor,
  filter: tf.Tensor,
  bias: tf.Tensor,
  geometry: Geometry,
  activation: Activation,
): tf.Tensor => run('FunnelToImage', { map: x, filter, bias }, { geometry, activation });

/** x [rows, depth], kernel [depth, units], bias [units] → [rows, units] */
export const denseLayer = (
  x: tf.Tensor,
  kernel: tf.Tensor,
  bias: tf.Tensor,
  activation: Activation,
): tf.Tensor => run('FunnelDense', { x, kernel, bias }, { activation });

/** 3×3 taps at a stride of 2 with 'same' padding, as Keras places it: the odd row or column of padding comes last. */
export function halving(
  image: readonly [number, number],
  channels: { readonly image: number; readonly map: number },
): Geometry {
  const [height, width] = image;
  const before = (size: number): number => (size % 2 === 0 ? 0 : 1);
  return {
    image: { height, width, channels: channels.image },
    map: { height: Math.ceil(height / 2), width: Math.ceil(width / 2), channels: channels.map },
    filter: { height: 3, width: 3 },
    stride: { height: 2, width: 2 },
    padding: { top: before(height), left: before(width) },
  };
}

/** 3×3 taps at a stride of 1 with 'same' padding: the map is as large as the image. */
export function keeping(
  [height, width]: readonly [number, number],
  channels: { readonly image: number; readonly map: number },
): Geometry {
  return {
    image: { height, width, channels: channels.image },
    map: { height, width, channels: channels.map },
    filter: { height: 3, width: 3 },
    stride: { height: 1, width: 1 },
    padding: { top: 1, left: 1 },
  };
}
