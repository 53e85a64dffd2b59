/**
 * Greyscale dilation: y[position, c] = max over the window of x[pixel, c] + filter[tap, c]. In tfjs-wasm 4.22 negative maxima become 0, and
 * gradients go to wrong places.
 */
import * as tf from '@tensorflow/tfjs';
import { allocate, valuesOf } from './host.ts';
import { forEachWindow, type Windows, windowsOf } from './windows.ts';

type Call = Parameters<tf.KernelFunc>[0];
type Operands = Readonly<Record<'x' | 'filter', tf.TensorInfo>>;
type Gradient = Readonly<Record<'dy', tf.TensorInfo>>;

function windowsIn({ inputs, attrs }: Call): Windows {
  const { x, filter } = inputs as Operands;
  const { strides, pad, dilations } = attrs as unknown as tf.Dilation2DAttrs;
  const [image, taps] = [
    x.shape as [number, number, number, number],
    filter.shape as [number, number, number],
  ];
  const padding = pad as 'same' | 'valid';
  return windowsOf(tf.backend_util.computeDilation2DInfo(image, taps, strides, padding, 'NHWC', dilations));
}

/** Calls `visit` for each value of the output with the largest sum and the indices of its two terms: the first of equal sums. */
function forEachMaximum(
  call: Call,
  windows: Windows,
  visit: (output: number, greatest: number, x: number, filter: number) => void,
): void {
  const { x, filter } = call.inputs as Operands;
  const [values, heights] = valuesOf(call.backend, x, filter);
  const { channels } = windows;
  forEachWindow(windows, (position, count, pixels, tapOf) => {
    for (let channel = 0; channel < channels; channel++) {
      let greatest = Number.NEGATIVE_INFINITY;
      let at = 0;
      for (let i = 0; i < count; i++) {
        const sum = values[pixels[i]! * channels + channel]! + heights[tapOf[i]! * channels + channel]!;
        if (sum > greatest) {
          greatest = sum;
          at = i;
        }
      }
      const [pixel, tap] = [pixels[at]!, tapOf[at]!];
      visit(position * channels + channel, greatest, pixel * channels + channel, tap * channels + channel);
    }
  });
}

export const dilate: tf.KernelFunc = (call) => {
  const windows = windowsIn(call);
  const [, height, width] = windows.map;
  const y = allocate(call.backend, [windows.batch, height, width, windows.channels]);
  const [values] = valuesOf(call.backend, y);
  forEachMaximum(call, windows, (output, greatest) => {
    values[output] = greatest;
  });
  return y;
};

/** The gradient with respect to one of the two terms. */
const dilationTo =
  (term: 'x' | 'filter'): tf.KernelFunc =>
  (call) => {
    const { dy } = call.inputs as unknown as Gradient;
    const result = allocate(call.backend, (call.inputs as Operands)[term].shape);
    const [upstream, gradient] = valuesOf(call.backend, dy, result);
    forEachMaximum(call, windowsIn(call), (output, _, x, filter) => {
      gradient[term === 'x' ? x : filter]! += upstream[output]!;
    });
    return result;
  };

export const dilationToInput = dilationTo('x');
export const dilationToFilter = dilationTo('filter');
