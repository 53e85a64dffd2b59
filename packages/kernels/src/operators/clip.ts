/**
 * The gradient of values that are cut to an interval, as by ReLU6: one pass over memory, where tfjs composes it of five slow ones.
 */
import * as tf from '@tensorflow/tfjs';
import { type Gradient, runKernel, shippedGradient } from './gradient.ts';
import { allocate, valuesOf } from './host.ts';

interface Interval {
  readonly low: number;
  readonly high: number;
}

/** dy where low ≤ x ≤ high, else 0. */
export const clipGradient: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { dy, x } = inputs as Readonly<Record<'dy' | 'x', tf.TensorInfo>>;
  const { low, high } = attrs as unknown as Interval;
  const dx = allocate(backend, x.shape);
  const [upstream, values, result] = valuesOf(backend, dy, x, dx);
  for (let i = 0; i < result.length; i++)
    if (values[i]! >= low && values[i]! <= high) result[i] = upstream[i]!;
  return dx;
};

/** The gradient through an interval, or that of TensorFlow.js on backends without the kernel. */
const clipped = (kernel: string, intervalOf: (attributes: object) => Interval): Gradient => {
  const shipped = shippedGradient(kernel);
  return {
    kernel,
    saved: ['x'],
    inputs: (dy, saved, attributes) =>
      tf.getKernel('FunnelClipGradient', tf.getBackend())
        ? { x: () => runKernel('FunnelClipGradient', { dy, x: saved[0]! }, intervalOf(attributes)) }
        : shipped(dy, saved, attributes),
  };
};

export const clipGradients = (): readonly Gradient[] => [
  clipped('ClipByValue', (attributes) => {
    const { clipValueMin, clipValueMax } = attributes as tf.ClipByValueAttrs;
    return { low: clipValueMin, high: clipValueMax };
  }),
  clipped('Relu6', () => ({ low: 2 ** -149, high: 6 })), // the smallest float: the gradient at 0 is 0
];
