/**
 * How gradients are written down for TensorFlow.js, and what several of them share.
 */
import * as tf from '@tensorflow/tfjs';

/** The inputs of a kernel by name, or by position. The type of tfjs does not say which there are. */
type Tensors = Readonly<Record<string, tf.Tensor>>;

/** Runs a kernel with one output. */
export const runKernel = (name: string, inputs: Tensors, attributes: object = {}): tf.Tensor =>
  // tfjs types inputs and attributes as open maps. Each kernel checks its own.
  tf.engine().runKernel(name, inputs as tf.NamedTensorMap, attributes as tf.NamedAttrMap);

/** The gradients of a kernel by the names of its inputs, each computed when it is asked for. */
export type InputGradients = Readonly<Record<string, () => tf.Tensor>>;

export interface Gradient<Attributes = object> {
  readonly kernel: string;
  /** The inputs that `inputs` gets, in this order, before the outputs. */
  readonly saved?: readonly string[];
  /** Which outputs `inputs` gets after the inputs. Default: none. */
  readonly outputs?: readonly boolean[];
  /** `dy`: the gradient of the output, or of the first where a kernel has several. */
  readonly inputs: (dy: tf.Tensor, saved: readonly tf.Tensor[], attributes: Attributes) => InputGradients;
}

/** Checks a gradient against its own type of attributes, and forgets that type. */
export const gradient = <Attributes>(definition: Gradient<Attributes>): Gradient => definition as Gradient;

/** Replaces the gradient of a kernel on all backends. */
export function registerGradient({ kernel, saved = [], outputs = [], inputs }: Gradient): void {
  tf.registerGradient({
    kernelName: kernel,
    inputsToSave: [...saved],
    outputsToSave: [...outputs],
    gradFunc: (dy, tensors, attributes) => ({
      ...inputs(Array.isArray(dy) ? dy[0]! : dy, tensors, attributes),
    }),
  });
}

/** The gradient that TensorFlow.js has for a kernel. Call it before that is replaced. */
export const shippedGradient = (kernel: string) => {
  const { gradFunc } = tf.getGradient(kernel);
  return (dy: tf.Tensor, saved: readonly tf.Tensor[], attributes: object): InputGradients =>
    gradFunc(dy, [...saved], attributes as tf.NamedAttrMap);
};

/** A gradient of zeros. (That of tf.zerosLike would have the type of x, and tfjs refuses gradients of integers.) */
export const zeros = (x: tf.Tensor) => (): tf.Tensor => tf.zeros(x.shape);

/** The gradient of an input that nobody has worked out: NaN, so that nobody takes it for 0. */
export const unknown = (x: tf.Tensor) => (): tf.Tensor => tf.fill(x.shape, Number.NaN);

/** Sums the gradient of a broadcast input to the shape that it had. */
export function sumTo(dy: tf.Tensor, shape: readonly number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes([...shape], dy.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(dy, axes) : dy, [...shape]);
}

/** A tensor as [outer, size of the axis, inner]. */
export const aroundAxis = (shape: readonly number[], axis: number): [number, number, number] => [
  tf.util.sizeFromShape(shape.slice(0, axis)),
  shape[axis]!,
  tf.util.sizeFromShape(shape.slice(axis + 1)),
];
