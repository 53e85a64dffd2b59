import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, test } from 'vitest';
import { conv2d, conv2dTranspose, dense } from '../src/layers.ts';
import { expectClose, onBoth, openBackend } from './compare.ts';

beforeAll(async () => {
  await openBackend('cpu');
  await openBackend('wasm');
});

const uniform = (shape: readonly number[], seed: number) =>
  tf.randomUniform([...shape], -1, 1, 'float32', seed);

/** A loss on the output of a layer, and its gradients with respect to input, weights and bias. */
function throughGradients(
  layer: (x: tf.Tensor, weights: tf.Tensor, bias: tf.Tensor) => tf.Tensor,
  inputs: () => tf.Tensor[],
): () => tf.Tensor[] {
  return () => {
    const loss = (...args: tf.Tensor[]) => layer(args[0]!, args[1]!, args[2]!).square().sum<tf.Scalar>();
    const { value, grads } = tf.valueAndGrads(loss)(inputs());
    return [value, ...grads];
  };
}

/** [batch, size, image channels, map channels] */
describe.each([
  [5, 28, 1, 32],
  [5, 14, 12, 20],
  [3, 14, 32, 64], // outputs in pairs
  [3, 7, 5, 9],
  [4, 13, 16, 10],
])('%i images of %i²×%i, %i channels in the map', (batch, size, image, map) => {
  const half = Math.ceil(size / 2);

  test.each(['relu', 'linear'] as const)('convolution and its gradients, %s', async (activation) => {
    const inputs = () => [
      uniform([batch, size, size, image], 1),
      uniform([3, 3, image, map], 2),
      uniform([map], 3),
    ];
    const layer = throughGradients((x, filter, bias) => conv2d(x, filter, bias, activation), inputs);
    expectClose(await onBoth(layer), 2e-5);
  });

  test.each(['relu', 'unitTanh'] as const)(
    'transposed convolution and its gradients, %s',
    async (activation) => {
      const inputs = () => [
        uniform([batch, half, half, map], 1),
        uniform([3, 3, image, map], 2).mul(0.2),
        uniform([image], 3),
      ];
      const layer = throughGradients(
        (x, filter, bias) => conv2dTranspose(x, filter, bias, [size, size], activation),
        inputs,
      );
      expectClose(await onBoth(layer), 2e-5);
    },
  );

  test.each(['relu', 'linear'] as const)('dense layer and its gradients, %s', async (activation) => {
    const depth = size * image;
    const inputs = () => [uniform([batch, depth], 1), uniform([depth, map], 2), uniform([map], 3)];
    const layer = throughGradients((x, kernel, bias) => dense(x, kernel, bias, activation), inputs);
    expectClose(await onBoth(layer), 2e-5);
  });
});

/** [size, kernel, stride] */
describe.each([
  [9, 5, 2],
  [8, 5, 2],
  [9, 4, 2],
  [8, 2, 2],
  [3, 7, 2],
  [1, 5, 2],
  [16, 3, 2],
  [9, 3, 1],
  [8, 4, 1],
] as const)('convolutions of %i² pixels by kernels of %i², stride %i', (size, kernel, stride) => {
  const half = Math.ceil(size / stride);

  test('agree with tfjs, and so do their gradients', async () => {
    const inputs = () => [
      uniform([3, size, size, 3], 1),
      uniform([kernel, kernel, 3, 8], 2),
      uniform([8], 3),
    ];
    const layer = (x: tf.Tensor, filter: tf.Tensor, bias: tf.Tensor) =>
      conv2d(x, filter, bias, 'relu', stride);
    expectClose(await onBoth(throughGradients(layer, inputs)), 2e-5);
    const { wasm, cpu } = await onBoth(() => {
      const [x, filter, bias] = inputs();
      const theirs = tf
        .conv2d(x as tf.Tensor4D, filter as tf.Tensor4D, stride, 'same')
        .add(bias!)
        .relu();
      return [tf.sub(layer(x!, filter!, bias!), theirs), theirs];
    });
    for (const [errors] of [wasm, cpu])
      for (const error of errors!) expect(Math.abs(error)).toBeLessThan(1e-5);
  });

  test.runIf(stride === 2).each(['relu', 'linear', 'unitTanh'] as const)(
    'transposed agree on cpu and wasm, and so do their gradients: %s',
    async (activation) => {
      const inputs = () => [
        uniform([3, half, half, 8], 1),
        uniform([kernel, kernel, 3, 8], 2).mul(0.2),
        uniform([3], 3),
      ];
      const layer = throughGradients(
        (x, filter, bias) => conv2dTranspose(x, filter, bias, [size, size], activation),
        inputs,
      );
      expectClose(await onBoth(layer), 2e-5);
    },
  );
});

const network = (weights: readonly tf.Tensor[]) => (x: tf.Tensor) => {
  const map = conv2d(x, weights[0]!, weights[1]!, 'relu'); // [batch, 4, 4, 4]
  const code = dense(tf.reshape(map, [x.shape[0]!, -1]), weights[2]!, weights[3]!, 'linear');
  return code.square().sum<tf.Scalar>();
};
const networkWeights = () => [
  uniform([3, 3, 2, 4], 1),
  uniform([4], 2),
  uniform([64, 5], 3),
  uniform([5], 4),
];

test('gradients agree with finite differences', async () => {
  await tf.setBackend('wasm');
  const x = uniform([2, 7, 7, 2], 5);
  const loss = network(networkWeights());
  const gradient = tf.grad(loss)(x).dataSync();
  const direction = uniform(x.shape, 6);
  const step = 1e-3;
  const [up, down] = [1, -1].map((sign) => loss(x.add(direction.mul(sign * step))).dataSync()[0]!);
  const along = Array.from(direction.dataSync()).reduce((sum, value, i) => sum + value * gradient[i]!, 0);
  expect((up! - down!) / (2 * step) / along).toBeCloseTo(1, 2);
});

test('computes only the gradients that are asked for, and leaves none behind', async () => {
  await tf.setBackend('wasm');
  const weights = networkWeights().map((tensor) => tf.variable(tensor));
  const x = uniform([4, 7, 7, 2], 5);
  const before = tf.memory().numTensors;
  const kernelsOf = async (trained: tf.Variable[]) => {
    const profile = await tf.profile(() =>
      tf.tidy(() => {
        tf.variableGrads(() => network(weights)(x), trained);
      }),
    );
    return profile.kernels.map(({ name }) => name);
  };
  const all = await kernelsOf(weights);
  const last = await kernelsOf(weights.slice(2));
  expect(all).toContain('FunnelToFilter');
  expect(last).not.toContain('FunnelToFilter');
  expect(last).not.toContain('FunnelDenseToInput');
  expect(last).toContain('FunnelDenseToKernel');
  expect(all).not.toContain('FunnelToImage'); // nobody asked for the gradient of x
  // Where the kernel is trained and its bias is not, at most one bias gradient stays.
  for (let i = 0; i < 3; i++) await kernelsOf([weights[2]!]);
  expect(tf.memory().numTensors - before).toBeLessThanOrEqual(1);
});

test('gives the same bits every time, and the same bits for an image alone and in a batch', async () => {
  await tf.setBackend('wasm');
  const [filter, bias] = [uniform([3, 3, 2, 4], 1), uniform([4], 2)];
  const x = uniform([7, 9, 9, 2], 3);
  const outputs = (images: tf.Tensor) => conv2d(images, filter, bias, 'relu');
  expect(outputs(x).dataSync()).toEqual(outputs(x).dataSync());
  expect(outputs(tf.slice(x, [6], [1])).dataSync()).toEqual(tf.slice(outputs(x), [6], [1]).dataSync());
  const gradient = () =>
    tf
      .grad((f: tf.Tensor) => conv2d(x, f, bias, 'relu').square().sum())(filter)
      .dataSync();
  expect(gradient()).toEqual(gradient());
});

test('ReLU of plain tfjs and its gradient, and casts with and without a change of type', async () => {
  const x = () => uniform([3, 5, 7], 1);
  const gradient = () =>
    tf.grad((z: tf.Tensor) =>
      tf
        .relu(z)
        .mul(uniform([3, 5, 7], 2))
        .sum(),
    )(x());
  expectClose(
    await onBoth(() => [gradient(), tf.cast(x(), 'float32').mul(2), tf.cast(x().mul(9), 'int32').toFloat()]),
  );
  await tf.setBackend('wasm');
  const kept = tf.tidy(() => {
    const tensor = x();
    return [tf.cast(tensor, 'float32'), tf.clone(tensor)]; // share memory with a tensor that is disposed here
  });
  expect(kept[0]!.dataSync()).toEqual(kept[1]!.dataSync());
});

test('an image has the same bits alone and among images that differ from it in one pixel', async () => {
  await tf.setBackend('wasm');
  const [filter, bias] = [uniform([3, 3, 32, 64], 1), uniform([64], 2)];
  const image = uniform([14, 14, 32], 3).dataSync();
  const other = uniform([14, 14, 32], 4).dataSync();
  // 3 groups of an image with one changed pixel each, 2 of equal images, the change to another image within a group, and a smaller last group.
  const images = Array.from({ length: 43 }, (_, i) => {
    const values = Float32Array.from(i < 26 ? image : other);
    if (i < 12 || i > 30) values.fill(i, ((i * 53) % 196) * 32, ((i * 53) % 196) * 32 + 32);
    return values;
  });
  const layer = (batch: readonly Float32Array[]) =>
    conv2d(
      tf.tensor4d(Float32Array.from(batch.flatMap((values) => [...values])), [batch.length, 14, 14, 32]),
      filter,
      bias,
      'relu',
    ).dataSync();
  const together = layer(images);
  const alone = images.map((values) => layer([values]));
  for (const [i, values] of alone.entries())
    expect(together.slice(i * values.length, (i + 1) * values.length), `image ${i}`).toEqual(values);
});
