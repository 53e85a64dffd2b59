/**
 * Gradients of convolutions: those with dilations, which TensorFlow.js 4.22 refuses, those of fused convolutions, and those that a backend
 * lacks.
 */
import * as tf from '@tensorflow/tfjs';
import { type Gradient, gradient, type InputGradients, runKernel, sumTo } from './gradient.ts';

/** The attributes of a convolution over images. */
interface Attributes {
  readonly strides: number | [number, number];
  readonly pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  readonly dataFormat?: 'NHWC' | 'NCHW';
  readonly dilations?: number | number[];
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

type Shape4D = [number, number, number, number];
type Pair = [number, number];

/** Whether a convolution with this attribute is dilated. */
export const isDilated = (dilations: number | readonly number[] | null | undefined): boolean =>
  [dilations ?? 1].flat().some((rate) => rate !== 1);

function infoOf(x: readonly number[], filter: readonly number[], attributes: Attributes, depthwise = false) {
  if (attributes.dataFormat === 'NCHW')
    throw new Error('Expected images with channels last (NHWC) for this gradient, but got NCHW.');
  return tf.backend_util.computeConv2DInfo(
    x as Shape4D,
    filter as Shape4D,
    attributes.strides,
    (attributes.dilations ?? 1) as number | Pair,
    attributes.pad,
    attributes.dimRoundingMode,
    depthwise,
  );
}

const convolve = (x: tf.Tensor, filter: tf.Tensor, strides: Pair, dilations: Pair): tf.Tensor =>
  tf.conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, strides, 'valid', 'NHWC', dilations);

/** Pads an axis with zeros at both ends, or cuts it where a number is negative. */
function fit(x: tf.Tensor, axis: number, before: number, after: number): tf.Tensor {
  const sides = (first: number, last: number) =>
    x.shape.map((_, i): Pair => (i === axis ? [first, last] : [0, 0]));
  const [cutBefore, cutAfter] = [Math.max(0, -before), Math.max(0, -after)];
  const begin = sides(cutBefore, 0).map(([first]) => first);
  const kept = x.shape.map((size, i) => (i === axis ? size - cutBefore - cutAfter : size));
  const cut = cutBefore + cutAfter > 0 ? tf.slice(x, begin, kept) : x;
  return before > 0 || after > 0 ? tf.pad(cut, sides(Math.max(0, before), Math.max(0, after))) : cut;
}

/** Puts `stride − 1` zeros after each row or column of dy. */
function space(dy: tf.Tensor, axis: 1 | 2, stride: number): tf.Tensor {
  if (stride === 1) return dy;
  const inner = tf.util.sizeFromShape(dy.shape.slice(axis + 1));
  const spaced = tf.pad(tf.reshape(dy, [-1, 1, inner]), [
    [0, 0],
    [0, stride - 1],
    [0, 0],
  ]); // prettier-ignore
  return tf.reshape(
    spaced,
    dy.shape.map((size, i) => (i === axis ? size * stride : size)),
  );
}

/**
 * dy [batch, …map, channels] as the input of the convolution with the turned filter that answers the gradient of the images [batch, height,
 * width, in] of a convolution.
 */
function upstreamOf(dy: tf.Tensor, shape: readonly number[], info: tf.backend_util.Conv2DInfo): tf.Tensor {
  const { padInfo } = info;
  const rows = space(dy, 1, info.strideHeight);
  const tall = fit(
    rows,
    1,
    info.effectiveFilterHeight - 1 - padInfo.top,
    shape[1]! + padInfo.top - rows.shape[1]!,
  );
  const columns = space(tall, 2, info.strideWidth);
  return fit(
    columns,
    2,
    info.effectiveFilterWidth - 1 - padInfo.left,
    shape[2]! + padInfo.left - columns.shape[2]!,
  );
}

/** The gradient of a convolution with respect to its images: a convolution of dy with the filter [h, w, in, out] turned by 180°. */
function toImages(
  dy: tf.Tensor,
  shape: readonly number[],
  filter: tf.Tensor,
  attributes: Attributes,
): tf.Tensor {
  const info = infoOf(shape, filter.shape, attributes);
  const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]);
  return convolve(upstreamOf(dy, shape, info), turned, [1, 1], [info.dilationHeight, info.dilationWidth]);
}

/** The same of a depthwise convolution, with the filter [h, w, channels, multiplier]. */
function toDepthwiseImages(
  dy: tf.Tensor,
  shape: readonly number[],
  filter: tf.Tensor,
  attributes: Attributes,
): tf.Tensor {
  const info = infoOf(shape, filter.shape, attributes, true);
  const [height, width, channels, multiplier] = filter.shape as Shape4D;
  const turned = tf.reshape(tf.reverse(filter, [0, 1]), [height, width, channels * multiplier, 1]);
  const dilations: Pair = [info.dilationHeight, info.dilationWidth];
  const upstream = upstreamOf(dy, shape, info) as tf.Tensor4D;
  const dx = tf.depthwiseConv2d(upstream, turned as tf.Tensor4D, 1, 'valid', 'NHWC', dilations);
  return multiplier === 1 ? dx : tf.sum(tf.reshape(dx, [...shape, multiplier]), -1);
}

/** The kernel DepthwiseConv2dNativeBackpropInput, as a forward pass, which backends make fast. */
export const depthwiseToInput: tf.KernelFunc = ({ inputs, attrs }) => {
  const { dy, filter } = inputs as Readonly<Record<'dy' | 'filter', tf.Tensor>>;
  const attributes = attrs as unknown as Attributes & { readonly inputShape: readonly number[] };
  return tf.tidy(() => toDepthwiseImages(dy, attributes.inputShape, filter, attributes));
};

/**
 * The gradient of a convolution with respect to its filter [h, w, in, out]: a convolution of the images, in which channels and batch change
 * places, and strides and dilations too.
 */
export function toFilter(
  x: tf.Tensor,
  dy: tf.Tensor,
  shape: readonly number[],
  attributes: Attributes,
): tf.Tensor {
  const info = infoOf(x.shape, shape, attributes);
  const { top, left, bottom, right } = info.padInfo;
  const padded = tf.pad(x, [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ]); // prettier-ignore
  const images = tf.transpose(padded, [3, 1, 2, 0]); // [in, height, width, batch]
  const maps = tf.transpose(dy, [1, 2, 0, 3]); // [height, width, batch, out]
  const strides: Pair = [info.dilationHeight, info.dilationWidth];
  const whole = convolve(images, maps, strides, [info.strideHeight, info.strideWidth]); // [in, ≥ h, ≥ w, out]
  const [height, width, channels, out] = shape as Shape4D;
  return tf.transpose(tf.slice(whole, [0, 0, 0, 0], [channels, height, width, out]), [1, 2, 0, 3]);
}

/** The kernel Conv2DBackpropFilter for backends that lack it. */
export const filterGradientKernel: tf.KernelFunc = ({ inputs, attrs }) => {
  const { x, dy } = inputs as Readonly<Record<'x' | 'dy', tf.Tensor>>;
  const attributes = attrs as unknown as Attributes & { readonly filterShape: readonly number[] };
  return tf.tidy(() => toFilter(x, dy, attributes.filterShape, attributes));
};

function convolutionGradients(
  dy: tf.Tensor,
  [x, filter]: readonly [tf.Tensor, tf.Tensor],
  attributes: Attributes,
): InputGradients {
  if (isDilated(attributes.dilations)) {
    return {
      x: () => toImages(dy, x.shape, filter, attributes),
      filter: () => toFilter(x, dy, filter.shape, attributes),
    };
  }
  const { strides, pad, dataFormat } = attributes;
  const shared = { strides, pad, dataFormat };
  return {
    x: () => runKernel('Conv2DBackpropInput', { dy, filter }, { ...shared, inputShape: x.shape }),
    filter: () => runKernel('Conv2DBackpropFilter', { x, dy }, { ...shared, filterShape: filter.shape }),
  };
}

function depthwiseGradients(
  dy: tf.Tensor,
  [x, filter]: readonly [tf.Tensor, tf.Tensor],
  { strides, pad, dilations, dimRoundingMode }: Attributes,
): InputGradients {
  const shared = { strides, pad, dimRoundingMode, dilations: dilations ?? [1, 1] };
  return {
    x: () =>
      runKernel('DepthwiseConv2dNativeBackpropInput', { dy, filter }, { ...shared, inputShape: x.shape }),
    filter: () =>
      runKernel('DepthwiseConv2dNativeBackpropFilter', { x, dy }, { ...shared, filterShape: filter.shape }),
  };
}

export const convolutionGradientList: readonly Gradient[] = [
  gradient<Attributes>({
    kernel: 'Conv2D',
    saved: ['x', 'filter'],
    inputs: (dy, [x, filter], attributes) => convolutionGradients(dy, [x!, filter!], attributes),
  }),
  gradient<Attributes>({
    kernel: 'DepthwiseConv2dNative',
    saved: ['x', 'filter'],
    inputs: (dy, [x, filter], attributes) => depthwiseGradients(dy, [x!, filter!], attributes),
  }),
  gradient<tf.Conv3DAttrs>({
    kernel: 'Conv3D',
    saved: ['x', 'filter'],
    inputs: (dy, [x, filter], { strides, pad, dilations }) => ({
      x: () =>
        runKernel(
          'Conv3DBackpropInputV2',
          { dy, filter: filter! },
          { strides, pad, dilations, inputShape: x!.shape },
        ),
      filter: () =>
        runKernel(
          'Conv3DBackpropFilterV2',
          { x: x!, dy },
          { strides, pad, dilations, filterShape: filter!.shape },
        ),
    }),
  }),
  gradient<tf.Conv3DBackpropInputV2Attrs>({
    kernel: 'Conv3DBackpropInputV2', // the transposed convolution
    saved: ['dy', 'filter'],
    inputs: (ddx, [dy, filter], { strides, pad }) => ({
      dy: () => tf.conv3d(ddx as tf.Tensor5D, filter as tf.Tensor5D, strides, pad as 'same'),
      filter: () =>
        runKernel(
          'Conv3DBackpropFilterV2',
          { x: ddx, dy: dy! },
          { strides, pad, filterShape: filter!.shape },
        ),
    }),
  }),
];

/** The attributes with which a fused convolution computed an output. */
const attributesOf = new WeakMap<object, Attributes>();

/** A kernel of a fused convolution that remembers its attributes for the gradient. */
export const remembering =
  (kernel: tf.KernelFunc): tf.KernelFunc =>
  (call) => {
    const output = kernel(call) as tf.TensorInfo;
    attributesOf.set(output.dataId, call.attrs as unknown as Attributes);
    return output;
  };

/**
 * The gradients of tf.fused.conv2d and tf.fused.depthwiseConv2d, which layers and converted models call. Theirs is inside of these functions,
 * refuses dilations, and computes the filter's gradient though nobody asks. TensorFlow.js prefers a gradient that is registered under the
 * name of the function's scope. It passes no attributes for it; `remembering` has them. The inputs go by position: x, filter, bias.
 */
const fused = (
  scope: string,
  gradients: typeof convolutionGradients | typeof depthwiseGradients,
): Gradient => ({
  kernel: scope,
  inputs: (dy, [filter, x, y, bias]) => {
    const attributes = attributesOf.get(y!.dataId);
    if (!attributes)
      throw new Error(
        `The attributes of a fused convolution on ${tf.getBackend()} are not known: call correctOperators() after the backend was imported.`,
      );
    const dz = tf.reshape(dy, y!.shape); // the output has one axis less where the input has
    const { x: toX, filter: toItsFilter } = gradients(dz, [x!, filter!], attributes);
    return { 0: toX!, 1: toItsFilter!, ...(bias && { 2: () => sumTo(dz, bias.shape) }) };
  },
});

export const fusedGradients: readonly Gradient[] = [
  fused('fusedConv2d__op', convolutionGradients),
  fused('fusedDepthwiseConv2d__op', depthwiseGradients),
];
