/**
 * Pooling over images and volumes.
 *
 * In tfjs-wasm 4.22 the search for a maximum starts at the smallest positive float, so that negative maxima become 0 (in volumes) or lose their
 * gradient, and of several equal maxima the *last* gets the gradient; TensorFlow and PyTorch give it to the first. In tfjs-cpu the gradient is
 * wrong for windows that are not cubes. Both backends divide the gradient of an average by the size of the window also where the window
 * reaches into the padding.
 */
import * as tf from '@tensorflow/tfjs';
import { type Heap, heapOf } from '../heap.ts';
import { maxPoolRowGradient } from '../wasm/elementwise.ts';
import { allocate, isCpu, valuesOf } from './host.ts';
import { forEachWindow, type Windows, windowsOf } from './windows.ts';

type Call = Parameters<tf.KernelFunc>[0];
type Inputs<Name extends string> = Readonly<Record<Name, tf.TensorInfo>>;

/** The windows of a pooling kernel over `x`, of four or five axes. */
function poolingWindows(x: tf.TensorInfo, attributes: Call['attrs']): Windows {
  const { filterSize, strides, pad, dimRoundingMode } = attributes as unknown as tf.MaxPoolGradAttrs;
  if (x.shape.length === 4) {
    const shape = x.shape as [number, number, number, number];
    return windowsOf(tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode));
  }
  const shape = x.shape as [number, number, number, number, number];
  const [size, steps] = [filterSize, strides] as [number, number]; // or three numbers each, which the type does not say
  const valid = pad as 'valid' | 'same' | number; // volumes have no other padding
  return windowsOf(tf.backend_util.computePool3DInfo(shape, size, steps, 1, valid, dimRoundingMode));
}

/** The largest value of each window of a volume. */
export const maxPool3D: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { x } = inputs as Inputs<'x'>;
  const windows = poolingWindows(x, attrs);
  const { channels } = windows;
  const y = allocate(backend, [windows.batch, ...windows.map, channels]);
  const [values, pooled] = valuesOf(backend, x, y);
  forEachWindow(windows, (position, count, pixels) => {
    for (let channel = 0; channel < channels; channel++) {
      let greatest = Number.NEGATIVE_INFINITY;
      for (let i = 0; i < count; i++) greatest = Math.max(greatest, values[pixels[i]! * channels + channel]!);
      pooled[position * channels + channel] = greatest;
    }
  });
  return y;
};

/** The gradient of maximum pooling: all of it to the first of the largest values of a window. */
export const maxPoolGradient: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { dy, input } = inputs as Inputs<'dy' | 'input'>; // the names that tfjs gives them
  const windows = poolingWindows(input, attrs);
  const { channels } = windows;
  const dx = allocate(backend, input.shape);
  if (!isCpu(backend as object) && areTiles(windows)) {
    tiledMaxPoolGradient(heapOf(backend), windows, { x: input, dy, dx });
    return dx;
  }
  const [x, upstream, gradient] = valuesOf(backend, input, dy, dx);
  forEachWindow(windows, (position, count, pixels) => {
    for (let channel = 0; channel < channels; channel++) {
      let greatest = Number.NEGATIVE_INFINITY;
      let at = -1;
      for (let i = 0; i < count; i++) {
        const index = pixels[i]! * channels + channel;
        if (x[index]! > greatest) {
          greatest = x[index]!;
          at = index;
        }
      }
      if (at >= 0) gradient[at]! += upstream[position * channels + channel]!;
    }
  });
  return dx;
};

/** Whether the windows lie side by side in images without padding, and vectors of four channels fill them: the usual pooling. */
const areTiles = ({ image, map, taps, stride, dilation, padding, channels }: Windows): boolean =>
  image[0] === 1 &&
  dilation.every((rate) => rate === 1) &&
  taps.every(
    (tap, axis) => tap === stride[axis] && padding[axis] === 0 && map[axis]! * tap <= image[axis]!,
  ) &&
  channels % 4 === 0;

/** The same gradient by a kernel in WebAssembly, which takes a tenth of the time. `dx` holds zeros. */
function tiledMaxPoolGradient(
  heap: Heap,
  { batch, image, map, taps, channels }: Windows,
  tensors: Readonly<Record<'x' | 'dy' | 'dx', tf.TensorInfo>>,
): void {
  const [, height, width] = image;
  const [, mapHeight, mapWidth] = map;
  const row = { channels, width, mapWidth, taps: [taps[1], taps[2]] } as const;
  const kernel = heap.once(`maxPoolRowGradient ${JSON.stringify(row)}`, () =>
    heap.compile(maxPoolRowGradient(row)),
  );
  const [x, dy, dx] = [heap.address(tensors.x), heap.address(tensors.dy), heap.address(tensors.dx)];
  for (let b = 0; b < batch; b++)
    for (let h = 0; h < mapHeight; h++) {
      const pixels = 4 * channels * width * (b * height + h * taps[1]);
      kernel(x + pixels, dy + 4 * channels * mapWidth * (b * mapHeight + h), dx + pixels);
    }
}

/** The gradient of average pooling: equal shares for the values of a window that lie within the image. */
export const averagePoolGradient: tf.KernelFunc = ({ inputs, attrs, backend }) => {
  const { dy, input } = inputs as Inputs<'dy' | 'input'>;
  const windows = poolingWindows(input, attrs);
  const { channels } = windows;
  const dx = allocate(backend, input.shape);
  const [upstream, gradient] = valuesOf(backend, dy, dx);
  forEachWindow(windows, (position, count, pixels) => {
    for (let i = 0; i < count; i++) {
      const to = pixels[i]! * channels;
      const from = position * channels;
      for (let channel = 0; channel < channels; channel++)
        gradient[to + channel]! += upstream[from + channel]! / count;
    }
  });
  return dx;
};
