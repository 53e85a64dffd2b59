/**
 * Gradients of operators that move values: padding, slicing, tiling, gathering, scattering.
 */
import * as tf from '@tensorflow/tfjs';
import { aroundAxis, type Gradient, gradient, runKernel, unknown, zeros } from './gradient.ts';
import { denseSlice, type StridedSlice } from './kernel-corrections.ts';

/** The mirrored borders fold back onto the pixels that they mirror. TensorFlow.js 4.22 drops them. */
function unmirror(dy: tf.Tensor, { paddings, mode }: tf.MirrorPadAttrs): tf.Tensor {
  const skipped = mode === 'reflect' ? 1 : 0; // 'reflect' does not repeat the pixel at the edge
  return paddings.reduce((folded, [before, after], axis) => {
    if (before === 0 && after === 0) return folded;
    const [outer, size, inner] = aroundAxis(folded.shape, axis);
    const kept = size - before - after;
    const rows = tf.reshape(folded, [outer, size, inner]);
    const mirrored = (start: number, length: number, at: number): tf.Tensor =>
      tf.pad(tf.reverse(tf.slice(rows, [0, start, 0], [outer, length, inner]), 1), [
        [0, 0],
        [at, kept - at - length],
        [0, 0],
      ]);
    const parts = [
      tf.slice(rows, [0, before, 0], [outer, kept, inner]),
      ...(before > 0 ? [mirrored(0, before, skipped)] : []),
      ...(after > 0 ? [mirrored(before + kept, after, kept - after - skipped)] : []),
    ];
    const shape = folded.shape.map((length, i) => (i === axis ? kept : length));
    return tf.reshape(
      parts.reduce((sum, part) => tf.add(sum, part)),
      shape,
    );
  }, dy);
}

/** Puts the values of a strided slice back to their places in zeros of `shape`. */
function unslice(dy: tf.Tensor, shape: readonly number[], attributes: StridedSlice): tf.Tensor {
  const { begin, end, strides } = denseSlice(shape, attributes);
  const counts = begin.map((first, axis) => Math.ceil((end[axis]! - first) / strides[axis]!));
  return shape.reduce(
    (placed, size, axis) => {
      const [outer, count, inner] = aroundAxis(placed.shape, axis);
      const stride = Math.abs(strides[axis]!);
      const backwards = strides[axis]! < 0;
      const start = backwards ? begin[axis]! - stride * (count - 1) : begin[axis]!;
      const rows = tf.reshape(placed, [outer, count, 1, inner]);
      const ordered = backwards ? tf.reverse(rows, 1) : rows;
      const spaced = tf.pad(ordered, [
        [0, 0],
        [0, 0],
        [0, stride - 1],
        [0, 0],
      ]); // prettier-ignore
      const length = Math.min(count * stride, size - start); // the zeros after the last value may reach beyond the end
      const cut = tf.slice(
        tf.reshape(spaced, [outer, count * stride, inner]),
        [0, 0, 0],
        [outer, length, inner],
      );
      const padded = tf.pad(cut, [
        [0, 0],
        [start, size - start - length],
        [0, 0],
      ]); // prettier-ignore
      return tf.reshape(padded, [...shape.slice(0, axis + 1), ...placed.shape.slice(axis + 1)]);
    },
    tf.reshape(dy, counts),
  );
}

/** Sums the gradients of all places to which a row of x [...batch, ...outer, size, ...inner] was gathered. */
function ungather(
  dy: tf.Tensor,
  x: tf.Tensor,
  indices: tf.Tensor,
  axis: number,
  batchDims: number,
): tf.Tensor {
  const [before, size, inner] = aroundAxis(x.shape, axis);
  const batch = tf.util.sizeFromShape(x.shape.slice(0, batchDims));
  const outer = before / batch;
  const gathered = indices.size / batch;
  const rows = tf.transpose(tf.reshape(dy, [batch, outer, gathered, inner]), [0, 2, 1, 3]);
  const firsts = tf.mul(tf.range(0, batch, 1, 'int32'), tf.scalar(size, 'int32')); // the row 0 of each batch
  const rowOf = tf.add(tf.reshape(indices, [batch, gathered]), tf.reshape(firsts, [batch, 1]));
  const sums = tf.unsortedSegmentSum(
    tf.reshape(rows, [batch * gathered, outer, inner]),
    tf.reshape(rowOf, [batch * gathered]) as tf.Tensor1D,
    batch * size,
  );
  const placed = tf.transpose(tf.reshape(sums, [batch, size, outer, inner]), [0, 2, 1, 3]);
  return tf.reshape(placed, x.shape);
}

const int32 = (indices: tf.Tensor) => tf.cast(indices, 'int32');

export const movementGradients: readonly Gradient[] = [
  gradient<tf.MirrorPadAttrs>({
    kernel: 'MirrorPad',
    inputs: (dy, _, attributes) => ({ x: () => unmirror(dy, attributes) }),
  }),
  gradient<StridedSlice>({
    kernel: 'StridedSlice',
    saved: ['x'],
    inputs: (dy, [x], attributes) => ({ x: () => unslice(dy, x!.shape, attributes) }),
  }),
  {
    kernel: 'FlipLeftRight',
    inputs: (dy) => ({ image: () => tf.reverse(dy, 2) }),
  },
  gradient<tf.DepthToSpaceAttrs>({
    kernel: 'DepthToSpace',
    saved: ['x'],
    inputs: (dy, [x], { blockSize, dataFormat }) => ({
      x: () => {
        if (dataFormat !== 'NHWC') return unknown(x!)();
        const [batch, height, width] = x!.shape as [number, number, number];
        const blocks = tf.reshape(dy, [batch, height, blockSize, width, blockSize, -1]);
        return tf.reshape(tf.transpose(blocks, [0, 1, 3, 2, 4, 5]), x!.shape);
      },
    }),
  }),
  gradient<tf.TileAttrs>({
    kernel: 'Tile',
    saved: ['x'],
    inputs: (dy, [x], { reps }) => ({
      x: () =>
        reps.reduce((sum, count, axis) => {
          const [outer, , inner] = aroundAxis(sum.shape, axis);
          const copies = tf.reshape(sum, [outer, count, x!.shape[axis]! * inner]);
          const shape = [...x!.shape.slice(0, axis + 1), ...sum.shape.slice(axis + 1)];
          return tf.reshape(count === 1 ? copies : tf.sum(copies, 1), shape);
        }, dy),
    }),
  }),
  gradient<tf.GatherV2Attrs>({
    kernel: 'GatherV2',
    saved: ['x', 'indices'],
    inputs: (dy, [x, indices], { axis, batchDims }) => ({
      x: () => ungather(dy, x!, indices!, tf.util.parseAxisParam(axis, x!.shape)[0]!, batchDims),
      indices: zeros(indices!),
    }),
  }),
  // The largest k of n values are gathered from their places.
  {
    kernel: 'TopK',
    saved: ['x'],
    outputs: [false, true],
    inputs: (dy, [x, indices]) => ({ x: () => ungather(dy, x!, indices!, x!.rank - 1, x!.rank - 1) }),
  },
  {
    kernel: 'GatherNd',
    saved: ['params', 'indices'],
    inputs: (dy, [params, indices]) => ({
      params: () => tf.scatterND(int32(indices!), dy, params!.shape),
      indices: zeros(indices!),
    }),
  },
  {
    kernel: 'ScatterNd',
    saved: ['indices'],
    inputs: (dy, [indices]) => ({
      updates: () => tf.gatherND(dy, int32(indices!)),
      indices: zeros(indices!),
    }),
  },
  {
    kernel: 'TensorScatterUpdate',
    saved: ['indices', 'updates'],
    inputs: (dy, [indices, updates]) => ({
      tensor: () => tf.tensorScatterUpdate(dy, int32(indices!), tf.zeros(updates!.shape)),
      updates: () => tf.gatherND(dy, int32(indices!)),
      indices: zeros(indices!),
    }),
  },
  {
    kernel: 'CropAndResize',
    saved: ['image', 'boxes', 'boxInd'],
    inputs: (dy, [image, boxes, boxInd], attributes) => ({
      image: () =>
        runKernel('FunnelCropGradient', { dy, image: image!, boxes: boxes!, boxInd: boxInd! }, attributes),
      boxes: unknown(boxes!),
      boxInd: zeros(boxInd!),
    }),
  },
];
