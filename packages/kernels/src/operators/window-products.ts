/**
 * The gradients of convolutions over volumes, and of the filters of depthwise convolutions: loops over windows and channels. Those of
 * tfjs-wasm 4.22 are wrong or missing; tfjs-cpu ignores dilations.
 */
import * as tf from '@tensorflow/tfjs';
import { allocate, valuesOf } from './host.ts';
import { forEachWindow, type Windows, windowsOf } from './windows.ts';

type Call = Parameters<tf.KernelFunc>[0];
type Inputs<Name extends string> = Readonly<Record<Name, tf.TensorInfo>>;
type Shape4D = [number, number, number, number];
type Shape5D = [number, number, number, number, number];

/** The attributes of these kernels. Each has one of the two shapes. */
interface Attributes {
  readonly strides: [number, number];
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
  readonly dilations?: number | [number, number];
  readonly inputShape?: number[];
  readonly filterShape?: number[];
}

const attributesOf = (call: Call): Attributes => call.attrs as unknown as Attributes;

function depthwiseWindows(
  image: readonly number[],
  filter: readonly number[],
  attributes: Attributes,
): Windows {
  const { strides, pad, dilations = 1, dimRoundingMode } = attributes;
  const [x, f] = [image as Shape4D, filter as Shape4D];
  return windowsOf(tf.backend_util.computeConv2DInfo(x, f, strides, dilations, pad, dimRoundingMode, true));
}

function volumeWindows(
  volume: readonly number[],
  filter: readonly number[],
  attributes: Attributes,
): Windows {
  const { strides, pad, dilations = 1 } = attributes as unknown as tf.Conv3DAttrs; // of three axes here
  const padding = pad as 'valid' | 'same';
  return windowsOf(
    tf.backend_util.computeConv3DInfo(volume as Shape5D, filter as Shape5D, strides, dilations, padding),
  );
}

/** x [batch, …image, channels], dy [batch, …map, channels · multiplier] → the filter's gradient [h, w, channels, multiplier] */
export const depthwiseToFilter: tf.KernelFunc = (call) => {
  const { x, dy } = call.inputs as Inputs<'x' | 'dy'>;
  const shape = attributesOf(call).filterShape!;
  const windows = depthwiseWindows(x.shape, shape, attributesOf(call));
  const { channels, mapChannels } = windows;
  const multiplier = mapChannels / channels;
  const dw = allocate(call.backend, shape);
  const [values, upstream, gradient] = valuesOf(call.backend, x, dy, dw);
  forEachWindow(windows, (position, count, pixels, tapOf) => {
    for (let i = 0; i < count; i++) {
      const tap = tapOf[i]! * mapChannels;
      for (let out = 0, channel = 0; channel < channels; channel++) {
        const value = values[pixels[i]! * channels + channel]!;
        for (let m = 0; m < multiplier; m++, out++)
          gradient[tap + out]! += value * upstream[position * mapChannels + out]!;
      }
    }
  });
  return dw;
};

/** dy [batch, …map, out], filter [d, h, w, in, out] → dx [batch, …volume, in] */
export const volumeToInput: tf.KernelFunc = (call) => {
  const { dy, filter } = call.inputs as Inputs<'dy' | 'filter'>;
  const shape = attributesOf(call).inputShape!;
  const windows = volumeWindows(shape, filter.shape, attributesOf(call));
  const { channels, mapChannels } = windows;
  const dx = allocate(call.backend, shape);
  const [upstream, weights, gradient] = valuesOf(call.backend, dy, filter, dx);
  forEachWindow(windows, (position, count, pixels, tapOf) => {
    const from = position * mapChannels;
    for (let i = 0; i < count; i++)
      for (let channel = 0; channel < channels; channel++) {
        const row = (tapOf[i]! * channels + channel) * mapChannels;
        let sum = 0;
        for (let out = 0; out < mapChannels; out++) sum += upstream[from + out]! * weights[row + out]!;
        gradient[pixels[i]! * channels + channel]! += sum;
      }
  });
  return dx;
};

/** x [batch, …volume, in], dy [batch, …map, out] → the filter's gradient [d, h, w, in, out] */
export const volumeToFilter: tf.KernelFunc = (call) => {
  const { x, dy } = call.inputs as Inputs<'x' | 'dy'>;
  const shape = attributesOf(call).filterShape!;
  const windows = volumeWindows(x.shape, shape, attributesOf(call));
  const { channels, mapChannels } = windows;
  const dw = allocate(call.backend, shape);
  const [values, upstream, gradient] = valuesOf(call.backend, x, dy, dw);
  forEachWindow(windows, (position, count, pixels, tapOf) => {
    const from = position * mapChannels;
    for (let i = 0; i < count; i++)
      for (let channel = 0; channel < channels; channel++) {
        const row = (tapOf[i]! * channels + channel) * mapChannels;
        const value = values[pixels[i]! * channels + channel]!;
        for (let out = 0; out < mapChannels; out++) gradient[row + out]! += value * upstream[from + out]!;
      }
  });
  return dw;
};
