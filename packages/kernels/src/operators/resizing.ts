/**
 * The gradients of resizing and cropping images. In each direction an output pixel reads two input pixels; the gradient goes back to the same
 * two with the same weights. TensorFlow.js 4.22 forgets half-pixel centres on the way back; tfjs-cpu also loses pixels of the nearest
 * neighbour, and swaps height and width of the bilinear gradient.
 */
import * as tf from '@tensorflow/tfjs';
import { allocate, valuesOf } from './host.ts';

type Inputs<Name extends string> = Readonly<Record<Name, tf.TensorInfo>>;

/** What an output pixel reads along one axis: `1 − weight` of pixel `low` and `weight` of pixel `high`, or nothing where `low` is −1. */
interface Sample {
  readonly low: number;
  readonly high: number;
  readonly weight: number;
}

const nothing: Sample = { low: -1, high: -1, weight: 0 };

/** Gives the gradient of one output image, `dy` from index `from`, to the input image that starts at `to` of `dx`. */
function spread(
  dy: Float32Array,
  from: number,
  dx: Float32Array,
  to: number,
  [rows, columns]: readonly [readonly Sample[], readonly Sample[]],
  { width, channels }: { readonly width: number; readonly channels: number },
): void {
  let index = from;
  for (const row of rows)
    for (const column of columns) {
      if (row.low < 0 || column.low < 0) {
        index += channels;
        continue;
      }
      const [top, bottom] = [to + row.low * width * channels, to + row.high * width * channels];
      const [left, right] = [column.low * channels, column.high * channels];
      for (let channel = 0; channel < channels; channel++, index++) {
        const above = dy[index]! * (1 - row.weight);
        const below = dy[index]! * row.weight;
        dx[top + left + channel]! += above * (1 - column.weight);
        if (column.weight !== 0) dx[top + right + channel]! += above * column.weight;
        if (row.weight === 0) continue;
        dx[bottom + left + channel]! += below * (1 - column.weight);
        if (column.weight !== 0) dx[bottom + right + channel]! += below * column.weight;
      }
    }
}

/** The gradient of a resized image, where `sampleAxis` tells what the pixels of an axis read. */
const resizeGradient =
  (
    sampleAxis: (input: number, output: number, attributes: tf.ResizeBilinearAttrs) => Sample[],
  ): tf.KernelFunc =>
  ({ inputs, attrs, backend }) => {
    const { images, dy } = inputs as Inputs<'images' | 'dy'>;
    const attributes = attrs as unknown as tf.ResizeBilinearAttrs;
    const [batch, height, width, channels] = images.shape as [number, number, number, number];
    const rows = sampleAxis(height, dy.shape[1]!, attributes);
    const columns = sampleAxis(width, dy.shape[2]!, attributes);
    const dx = allocate(backend, images.shape);
    const [upstream, gradient] = valuesOf(backend, dy, dx);
    for (let image = 0; image < batch; image++) {
      const from = image * rows.length * columns.length * channels;
      const to = image * height * width * channels;
      spread(upstream, from, gradient, to, [rows, columns], { width, channels });
    }
    return dx;
  };

export const resizeBilinearGradient = resizeGradient((input, output, { alignCorners, halfPixelCenters }) => {
  const aligned = alignCorners && output > 1;
  const ratio = aligned ? (input - 1) / (output - 1) : input / output;
  return Array.from({ length: output }, (_, i) => {
    const at = halfPixelCenters ? ratio * (i + 0.5) - 0.5 : ratio * i;
    const low = Math.max(0, Math.floor(at));
    return { low, high: Math.min(input - 1, Math.ceil(Math.max(0, at))), weight: Math.max(0, at - low) };
  });
});

/** The forward pass of the same backend tells which pixel is nearest, because backends round the position differently. */
export const resizeNearestGradient = resizeGradient((input, output, { alignCorners, halfPixelCenters }) =>
  tf.tidy(() => {
    const ramp = tf.reshape(tf.range(0, input), [1, input, 1, 1]) as tf.Tensor4D;
    const nearest = tf.image
      .resizeNearestNeighbor(ramp, [output, 1], alignCorners, halfPixelCenters)
      .dataSync();
    return Array.from(nearest, (low) => ({ low, high: low, weight: 0 }));
  }),
);

/** What the pixels of each crop read, with the index of its image. */
function forEachCrop(
  { image, boxes, boxInd }: Inputs<'image' | 'boxes' | 'boxInd'>,
  { attrs, backend }: Parameters<tf.KernelFunc>[0],
  visit: (box: number, image: number, samples: readonly [Sample[], Sample[]]) => void,
): void {
  const { method, cropSize } = attrs as unknown as tf.CropAndResizeAttrs;
  const [batch, height, width] = image.shape as [number, number, number];
  const [corners, images] = valuesOf(backend, boxes, boxInd);
  const sample = (start: number, end: number, input: number, output: number): Sample[] =>
    Array.from({ length: output }, (_, i) => {
      const at = (input - 1) * (output > 1 ? start + (i * (end - start)) / (output - 1) : (start + end) / 2);
      if (at < 0 || at > input - 1) return nothing;
      if (method === 'nearest') return { low: Math.round(at), high: Math.round(at), weight: 0 };
      return { low: Math.floor(at), high: Math.ceil(at), weight: at - Math.floor(at) };
    });
  images.forEach((owner, box) => {
    if (owner < 0 || owner >= batch) return;
    const [top, left, bottom, right] = Array.from(corners.subarray(4 * box, 4 * box + 4)) as Corners;
    visit(box, owner, [sample(top, bottom, height, cropSize[0]), sample(left, right, width, cropSize[1])]);
  });
}

/** The corners of a box, as fractions of height and width. */
type Corners = [top: number, left: number, bottom: number, right: number];

/** dy [boxes, …cropSize, channels], image, boxes [boxes, 4], boxInd [boxes] → dx of the image's shape. */
export const cropGradient: tf.KernelFunc = (call) => {
  const inputs = call.inputs as Inputs<'dy' | 'image' | 'boxes' | 'boxInd'>;
  const [, height, width, channels] = inputs.image.shape as [number, number, number, number];
  const dx = allocate(call.backend, inputs.image.shape);
  const [upstream, gradient] = valuesOf(call.backend, inputs.dy, dx);
  forEachCrop(inputs, call, (box, image, samples) => {
    const from = box * samples[0].length * samples[1].length * channels;
    spread(upstream, from, gradient, image * height * width * channels, samples, { width, channels });
  });
  return dx;
};

/** Cropping and resizing by the nearest pixel: image, boxes [boxes, 4], boxInd [boxes] → [boxes, …cropSize, channels]. */
export const cropNearest: tf.KernelFunc = (call) => {
  const inputs = call.inputs as Inputs<'image' | 'boxes' | 'boxInd'>;
  const { cropSize, extrapolationValue } = call.attrs as unknown as tf.CropAndResizeAttrs;
  const [, height, width, channels] = inputs.image.shape as [number, number, number, number];
  const crops = allocate(call.backend, [inputs.boxes.shape[0]!, ...cropSize, channels]);
  const [pixels, values] = valuesOf(call.backend, inputs.image, crops);
  forEachCrop(inputs, call, (box, image, [rows, columns]) => {
    let index = box * rows.length * columns.length * channels;
    for (const row of rows)
      for (const column of columns) {
        const outside = row.low < 0 || column.low < 0;
        const from = ((image * height + row.low) * width + column.low) * channels;
        for (let channel = 0; channel < channels; channel++)
          values[index++] = outside ? extrapolationValue : pixels[from + channel]!;
      }
  });
  return crops;
};
