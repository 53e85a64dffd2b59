/** Operators of TensorFlow.js whose gradients are wrong or missing, put before an oracle model so that they change no image. */
import * as tf from '@tensorflow/tfjs';
import { describe, expect, it } from 'vitest';
import { classifierModel, type Evaluation, evaluateAttack } from '../src/index.ts';
import { loadImages, loadLayersModel } from './helpers/oracle.ts';
import { useWasm } from './helpers/tiny.ts';

/** A filter of ones at its centre, zeros elsewhere. */
const centred = (shape: number[], centre: number[]): tf.Tensor => {
  const filter = tf.buffer(shape as [number], 'float32');
  filter.set(1, ...centre);
  return filter.toTensor();
};
const image = (x: tf.Tensor) => x as tf.Tensor4D;

/** Functions of images [batch, 28, 28, 1] that answer the same images. */
const identities: Readonly<Record<string, (x: tf.Tensor) => tf.Tensor>> = {
  'a depthwise convolution': (x) =>
    tf.depthwiseConv2d(image(x), tf.ones<tf.Rank.R4>([1, 1, 1, 1]), 1, 'same'),
  'a separable convolution': (x) =>
    tf.separableConv2d(
      image(x),
      image(centred([3, 3, 1, 1], [1, 1, 0, 0])),
      tf.ones<tf.Rank.R4>([1, 1, 1, 1]),
      1,
      'same',
    ),
  'a dilated convolution': (x) =>
    tf.conv2d(image(x), image(centred([3, 3, 1, 1], [1, 1, 0, 0])), 1, 'same', 'NHWC', 2),
  'a dilated layer': (x) =>
    tf.fused.conv2d({
      x: image(x),
      filter: image(centred([3, 3, 1, 1], [1, 1, 0, 0])),
      strides: 1,
      pad: 'same',
      dilations: 3,
    }),
  'a convolution over volumes': (x) => {
    const filter = centred([3, 3, 3, 1, 1], [1, 1, 1, 0, 0]) as tf.Tensor5D;
    return tf.reshape(tf.conv3d(tf.expandDims(x, -1) as tf.Tensor5D, filter, 1, 'same'), x.shape);
  },
  'nearest pixels and their average': (x) =>
    tf.avgPool(tf.image.resizeNearestNeighbor(image(x), [56, 56]), 2, 2, 'same'),
  'half-pixel centres and their average': (x) =>
    tf.avgPool(tf.image.resizeNearestNeighbor(image(x), [56, 56], false, true), 2, 2, 'same'),
  'strided slices': (x) =>
    tf.reshape(
      tf.stack(
        [
          tf.stridedSlice(x, [0, 0], [x.shape[0], 28], [1, 2]),
          tf.stridedSlice(x, [0, 1], [x.shape[0], 28], [1, 2]),
        ],
        2,
      ),
      x.shape,
    ),
  'gathered rows': (x) => tf.gather(x, tf.range(0, 28, 1, 'int32'), 1),
  'a condition': (x) => tf.where(tf.greater(x, 0.5), x, tf.mul(x, 1)),
  'a crop': (x) =>
    tf.image.cropAndResize(
      image(x),
      tf.tile(tf.tensor2d([[0, 0, 1, 1]]), [x.shape[0]!, 1]),
      tf.range(0, x.shape[0]!, 1, 'int32') as tf.Tensor1D,
      [28, 28],
    ),
  'the largest of one': (x) => tf.topk(x, 1).values,
  'an Einstein sum': (x) => tf.einsum('bhwc,cd->bhwd', x, tf.ones([1, 1])),
  'sums of pixels, undone': (x) => {
    const sums = tf.cumsum(x, 1);
    const before = tf.slice(
      tf.pad(sums, [
        [0, 0],
        [1, 0],
        [0, 0],
        [0, 0],
      ]),
      [0, 0, 0, 0],
      x.shape,
    );
    return tf.sub(sums, before);
  },
};

describe.each(['wasm', 'cpu'] as const)('on %s', (backend) => {
  const attackBehind = async (identity: (x: tf.Tensor) => tf.Tensor): Promise<Evaluation> => {
    await useWasm();
    await tf.setBackend(backend);
    const base = await loadLayersModel('mnist-conv');
    const indices = Array.from({ length: 10 }, (_, i) => i);
    const logits = (x: tf.Tensor) => base.apply(identity(x)) as tf.Tensor;
    const model = classifierModel(logits, { shape: [28, 28, 1] });
    const attack = { attack: 'fgsm', search: false, epsilon: 0.1 } as const;
    return evaluateAttack({ model, ...loadImages('mnist-conv', indices), attack });
  };

  it.each(Object.entries(identities))('%s changes no attack', async (_, identity) => {
    const [plain, behind] = [await attackBehind((x) => x), await attackBehind(identity)];
    expect(plain.summary.attempted).toBe(9);
    expect(plain.records.success).toContain(true);
    expect(behind.records.success).toEqual(plain.records.success);
    expect(behind.records.predicted).toEqual(plain.records.predicted);
    for (const [i, l2] of behind.records.l2.entries())
      expect(l2 ?? 0).toBeCloseTo(plain.records.l2[i] ?? 0, 3);
  });
});
