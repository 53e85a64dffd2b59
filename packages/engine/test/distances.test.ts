import { hyperparameterDeclaration } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../src/backends/open-backend.ts';
import { distances } from '../src/distances/registry.ts';
import { createRandom, uniformNoise } from '../src/random.ts';

const a = () => tf.tensor([0, 0.5, 1, 0.25, 0.25, 0.25], [2, 3, 1, 1]);
const b = () => tf.tensor([0, 0, 0, 0.25, 0.5, 0.3125], [2, 3, 1, 1]);

type Name = keyof typeof distances;
const names = Object.keys(distances) as Name[];

it('are those that the hyperparameter lists', () => {
  expect(hyperparameterDeclaration('lossScale')).toMatchObject({ choices: names });
});

describe.each(['cpu', 'wasm'] as const)('distances on %s', (backend) => {
  beforeAll(async () => {
    await openBackend(backend);
  });

  const squares = [1.25, 0.0625 + 0.0625 ** 2] as const;
  it.each([
    ['mse', squares.map((sum) => sum / 3)],
    ['half-mse', squares.map((sum) => sum / 6)],
    ['norm', squares.map((sum) => Math.sqrt(sum) / 128)],
    ['l1', [1.5 / 3, (0.25 + 0.0625) / 3]],
    // δ·(|e| − δ/2) for 0.5, 1 and 0.25, e²/2 for 0.0625.
    ['huber', [(0.1 * 0.45 + 0.1 * 0.95) / 3, (0.1 * 0.2 + 0.0625 ** 2 / 2) / 3]],
  ] as const)('%s has the value of its formula for each image', (name, expected) => {
    const measured = distances[name](a(), b());
    expect(measured.shape).toEqual([2]);
    for (const [i, value] of [...measured.dataSync()].entries()) expect(value).toBeCloseTo(expected[i]!, 7);
  });

  it.each(names)('the gradient of %s agrees with finite differences, image by image', (name) => {
    const shape = [2, 13, 12, 2];
    const drawn = (seed: string) => uniformNoise(createRandom(seed), 624).map((u) => (u + 1) / 2);
    const [from, to] = [drawn('a'), drawn('b')];
    const weights = [1, -3]; // so that a mix-up of images shows
    const distanceOf = (values: Float32Array): number =>
      distances[name](tf.tensor(values, shape), tf.tensor(to, shape))
        .dataSync<'float32'>()
        .reduce((sum, value, i) => sum + weights[i]! * value, 0);
    const loss = (x: tf.Tensor) => tf.sum(tf.mul(distances[name](x, tf.tensor(to, shape)), weights));
    const gradient = tf.grad(loss)(tf.tensor(from, shape)).dataSync<'float32'>();
    // Along its own direction the distance rises by |gradient|² per unit, and by w·gradient along any direction w.
    for (const direction of [gradient, uniformNoise(createRandom('direction'), 624)]) {
      const slope = gradient.reduce((sum, value, i) => sum + value * direction[i]!, 0);
      const length = Math.sqrt(direction.reduce((sum, value) => sum + value * value, 0));
      const h = 0.02 / length;
      const at = (by: number) => distanceOf(from.map((value, i) => value + by * direction[i]!));
      expect(Math.abs((at(h) - at(-h)) / (2 * h) - slope)).toBeLessThan(
        0.01 * length * Math.hypot(...gradient),
      );
    }
  });

  it('have finite gradients where the images are equal', () => {
    for (const name of names) {
      const slope = tf.grad((x: tf.Tensor) => tf.sum(distances[name](x, b())))(b());
      for (const value of slope.dataSync()) expect(Math.abs(value)).toBeLessThan(1e-6);
    }
  });
});

describe('ssim', () => {
  beforeAll(async () => {
    await openBackend('cpu');
  });

  /** Eq. 13 of Wang et al. 2004 in double precision, window by window, for one grey image. */
  const plain = (x: Float32Array, y: Float32Array, [height, width]: readonly [number, number]): number => {
    const weightsOf = (size: number): number[] => {
      const raw = Array.from({ length: size }, (_, i) => Math.exp(-((i - (size - 1) / 2) ** 2) / 4.5));
      const total = raw.reduce((sum, value) => sum + value, 0);
      return raw.map((value) => value / total);
    };
    const [down, across] = [weightsOf(Math.min(11, height)), weightsOf(Math.min(11, width))];
    let [sum, count] = [0, 0];
    for (let top = 0; top + down.length <= height; top++)
      for (let left = 0; left + across.length <= width; left++) {
        const mean = (value: (pixel: number) => number): number =>
          down.reduce(
            (total, wy, i) =>
              total + across.reduce((row, wx, j) => row + wy * wx * value((top + i) * width + left + j), 0),
            0,
          );
        const [mx, my] = [mean((p) => x[p]!), mean((p) => y[p]!)];
        const vx = mean((p) => (x[p]! - mx) ** 2);
        const vy = mean((p) => (y[p]! - my) ** 2);
        const both = mean((p) => (x[p]! - mx) * (y[p]! - my));
        sum += ((2 * mx * my + 1e-4) * (2 * both + 9e-4)) / ((mx ** 2 + my ** 2 + 1e-4) * (vx + vy + 9e-4));
        count += 1;
      }
    return sum / count;
  };
  const measured = (x: Float32Array, y: Float32Array, size: readonly [number, number]): number =>
    distances.ssim(tf.tensor(x, [1, ...size, 1]), tf.tensor(y, [1, ...size, 1])).dataSync()[0]!;
  const drawn = (seed: string, count: number) =>
    uniformNoise(createRandom(seed), count).map((u) => (u + 1) / 2);

  it.each([
    [28, 28],
    [11, 20],
    [5, 13],
    [1, 1],
  ] as const)('is 1 − the formula of the paper, window by window: %i×%i', (height, width) => {
    const [x, noise] = [drawn('x', height * width), drawn('noise', height * width)];
    const y = x.map((value, i) => 0.7 * value + 0.3 * noise[i]!);
    expect(measured(x, y, [height, width])).toBeCloseTo(1 - plain(x, y, [height, width]), 5);
  });

  /**
   * scikit-image 0.25.2: structural_similarity(x, y, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False). `y` is a
   * darker `x` with some of its mirror image.
   */
  it('is 1 − the value of scikit-image', () => {
    const x = Float32Array.from({ length: 256 }, (_, p) => (((p * 37) % 256) + (p >> 4)) / 271);
    const y = x.map((value, p) => 0.6 * value + 0.2 * x[p - (p % 16) + 15 - (p % 16)]!);
    expect(measured(x, x, [16, 16])).toBeCloseTo(0, 6);
    expect(1 - measured(x, y, [16, 16])).toBeCloseTo(0.8376680945541204, 5);
  });

  it('is the mean over the channels of a coloured image', () => {
    const [x, y] = [drawn('x', 3 * 144), drawn('y', 3 * 144)];
    const channel = (values: Float32Array, c: number) => values.filter((_, i) => i % 3 === c);
    const whole = distances.ssim(tf.tensor(x, [1, 12, 12, 3]), tf.tensor(y, [1, 12, 12, 3])).dataSync()[0]!;
    const each = [0, 1, 2].map((c) => measured(channel(x, c), channel(y, c), [12, 12]));
    expect(whole).toBeCloseTo(each.reduce((sum, value) => sum + value, 0) / 3, 5);
  });
});
