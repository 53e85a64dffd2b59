/**
 * Replacements for kernels of tfjs-wasm (convolution, matrix products, ReLU's gradient, identity and cast), and the registration of all
 * kernels.
 */
import * as tf from '@tensorflow/tfjs';
import { adamKernel } from './adam-step.ts';
import { type Finish, imageToMap, mapToImage } from './convolution.ts';
import { filterGradient } from './filter-gradient.ts';
import type { Geometry } from './geometry.ts';
import { heapOf, type Tensors } from './heap.ts';
import { layerKernels } from './layer-kernels.ts';
import { multiply } from './matrix.ts';
import type { LinearOrRelu } from './passes.ts';
import { reluGradient } from './wasm/elementwise.ts';

type Shape4D = [number, number, number, number];

/** A kernel for some inputs. It returns undefined for other inputs, which then go to the kernel of tfjs-wasm. */
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

/** The geometry of a convolution, or undefined where our kernels do not support it. */
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

const areSupported = (...tensors: tf.TensorInfo[]): boolean =>
  tensors.every(({ dtype, shape }) => dtype === 'float32' && tf.util.sizeFromShape(shape) > 0);

/** Conv2D and FusedConv2D: x [batch, height, width, in], filter [h, w, in, out], bias [out]. */
export const convolve: PartialKernel = (call) => {
  const { x, filter, bias, preluActivationWeights } = call.inputs;
  const { activation = 'linear', ...attributes } = attributesOf(call);
  if (!x || !filter || !areSupported(x, filter) || preluActivationWeights) return undefined;
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
  if (!geometry || !areSupported(dy, filter)) return undefined;
  const heap = heapOf(call.backend);
  const dx = heap.allocate(shape);
  const at = { input: heap.address(dy), filter: heap.address(filter), output: heap.address(dx) };
  mapToImage(heap, geometry, shape[0], at, { activation: 'linear' });
  return dx;
};

/** Conv2DBackpropFilter, which tfjs-wasm does not have. */
export const convolveFilter: PartialKernel = (call) => {
  const { x, dy } = call.inputs as Tensors<'x' | 'dy'>;
  const attributes = attributesOf(call);
  const shape = attributes.filterShape!;
  const geometry = geometryOf(x.shape as Shape4D, shape, attributes);
  if (!geometry || !areSupported(x, dy)) return undefined;
  const heap = heapOf(call.backend);
  const dw = heap.allocate(shape);
  const sides = { image: { values: heap.address(x) }, map: { values: heap.address(dy) } };
  filterGradient(heap, geometry, x.shape[0]!, sides, { filter: heap.address(dw), bias: 0 });
  return dw;
};

interface MatMulAttributes {
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly activation?: string;
}

/**
 * BatchMatMul and _FusedMatMul: a [batch, rows, depth], b [batch, depth, columns], where `a` or `b` may have a batch of 1, or both may have
 * no batch; bias [columns].
 */
export const matMul: PartialKernel = (call) => {
  const { a, b } = call.inputs as Tensors<'a' | 'b'>;
  const { bias, preluActivationWeights } = call.inputs;
  const { transposeA, transposeB, activation = 'linear' } = call.attrs as unknown as MatMulAttributes;
  const [rows, depth] = a.shape.slice(-2) as [number, number];
  const sizes = {
    rows: transposeA ? depth : rows,
    depth: transposeA ? rows : depth,
    columns: b.shape.at(transposeB ? -2 : -1)!,
  };
  const batches = [a, b].map(({ shape }) => tf.util.sizeFromShape(shape.slice(0, -2))) as [number, number];
  const batch = Math.max(...batches);
  const isSupported =
    a.dtype === 'float32' &&
    b.dtype === 'float32' &&
    (a.shape.length === 2 || a.shape.length === 3) &&
    [a, b].every(({ shape }) => shape.length === a.shape.length && tf.util.sizeFromShape(shape) > 0) &&
    batches.every((count) => count === batch || count === 1) &&
    (activation === 'linear' || activation === 'relu') &&
    !preluActivationWeights;
  if (!isSupported) return undefined;
  const finishing = bias !== undefined || activation === 'relu';
  if (finishing && (transposeA || (bias && tf.util.sizeFromShape(bias.shape) !== sizes.columns)))
    return undefined;
  const heap = heapOf(call.backend);
  const output = heap.allocate([...(a.shape.length === 3 ? [batch] : []), sizes.rows, sizes.columns]);
  for (let i = 0; i < batch; i++) {
    const at = {
      a: heap.address(a) + (batches[0] > 1 ? 4 * i * rows * depth : 0),
      b: heap.address(b) + (batches[1] > 1 ? 4 * i * sizes.depth * sizes.columns : 0),
      output: heap.address(output) + 4 * i * sizes.rows * sizes.columns,
      ...(bias && { bias: heap.address(bias) }),
    };
    multiply(heap, at, sizes, { a: transposeA, b: transposeB }, activation);
  }
  return output;
};

/** FunnelThroughRelu: dy where x > 0, else 0. One pass over memory, where step, cast and multiplication take three. */
export const throughReluKernel: tf.KernelFunc = ({ inputs, backend }) => {
  const { dy, x } = inputs as Tensors<'dy' | 'x'>;
  const heap = heapOf(backend);
  const dx = heap.allocate(x.shape);
  const kernel = heap.once('reluGradient', () => heap.compile(reluGradient()));
  kernel(heap.address(dy), heap.address(x), heap.address(dx), tf.util.sizeFromShape(x.shape));
  return dx;
};

/** Makes the gradient of tfjs' own ReLU use FunnelThroughRelu where the backend has it: models of plain tfjs ops then run faster. */
export function registerReluGradient(): void {
  tf.registerGradient({
    kernelName: 'Relu',
    inputsToSave: ['x'],
    gradFunc: (gradient, [x]) => {
      const dy = gradient as tf.Tensor;
      const fast = tf.getKernel('FunnelThroughRelu', tf.getBackend()) && dy.dtype === 'float32';
      return {
        x: () =>
          fast
            ? (tf.engine().runKernel('FunnelThroughRelu', { dy, x: x! }) as tf.Tensor)
            : tf.mul(dy, tf.cast(tf.step(x!), 'float32')),
      };
    },
  });
}

/** Identity without a copy, because tensors are immutable. (The kernel of tfjs-wasm copies.) */
const identity: tf.KernelFunc = ({ inputs, backend }) => {
  const { x } = inputs as Tensors<'x'>;
  heapOf(backend).backend.incRef(x.dataId);
  return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
};

/** Cast without a copy where the type stays the same. (The kernel of tfjs-wasm copies.) */
const cast: PartialKernel = (call) => {
  const { x } = call.inputs as Tensors<'x'>;
  return call.attrs?.dtype === x.dtype ? (identity(call) as tf.TensorInfo) : undefined;
};

const kernels: Readonly<Record<string, PartialKernel>> = {
  Conv2D: convolve,
  FusedConv2D: convolve,
  Conv2DBackpropInput: convolveBack,
  Conv2DBackpropFilter: convolveFilter,
  BatchMatMul: matMul,
  Cast: cast,
  _FusedMatMul: matMul,
};

let registered = false;

/**
 * Registers our kernels on the wasm backend. Import '@tensorflow/tfjs-backend-wasm' before the first call; further calls do nothing. Inputs
 * that our kernels do not support go to the kernels of tfjs-wasm.
 */
export function registerKernels(): void {
  if (registered) return;
  registered = true;
  const replace = (kernelName: string, kernelFunc: tf.KernelFunc): void => {
    const shipped = tf.getKernel(kernelName, 'wasm');
    if (shipped) tf.unregisterKernel(kernelName, 'wasm');
    tf.registerKernel({ ...shipped, kernelName, backendName: 'wasm', kernelFunc });
  };
  replace('Identity', identity);
  replace('FunnelThroughRelu', throughReluKernel);
  registerReluGradient();
  replace('FunnelAdam', adamKernel);
  for (const [name, kernel] of Object.entries(layerKernels)) replace(name, kernel);
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    const shipped = tf.getKernel(kernelName, 'wasm');
    const kernelFunc: tf.KernelFunc = (call) => {
      const result = kernel(call) ?? shipped?.kernelFunc(call);
      if (result) return result;
      throw new Error(
        `${kernelName} with these shapes, types or attributes is not supported on wasm; use another backend.`,
      );
    };
    replace(kernelName, kernelFunc);
  }
}
