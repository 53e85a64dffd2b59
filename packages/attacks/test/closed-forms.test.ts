/** Attacks on models whose answer is known in closed form, and gradients against finite differences. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { projectOntoHyperplane } from '../src/attacks/fab.ts';
import { oneHot } from '../src/batch-rows.ts';
import { createFlatModel } from '../src/flat-model.ts';
import { evaluateAttack } from '../src/index.ts';
import { crossEntropy, margin, targetedDifferenceRatio } from '../src/losses.ts';
import { signOf } from '../src/norms.ts';
import { linearModel, tinyImages, tinyNetwork, useWasm } from './helpers/tiny.ts';

beforeAll(useWasm);

describe('on a linear classifier', () => {
  // f = z₁ − z₀ = ⟨w, x⟩ + b with w = (2, −1, 0, 2), ‖w‖₂ = 3, ‖w‖₁ = 5; at x = ½·1: f = −0.3.
  const w = [2, -1, 0, 2];
  const weights = w.map((value) => [0, value]);
  const distanceL2 = 0.3 / 3;
  const distanceLinf = 0.3 / 5;
  const given = { images: new Float32Array(4).fill(0.5), labels: [0] };
  const model = () => linearModel(weights, [0, -0.3 - 1.5], [2, 2, 1]);

  it.each([
    ['deepfool-l2', 'l2', distanceL2, { attack: 'deepfool-l2', overshoot: 0.001 }],
    ['deepfool-linf', 'linf', distanceLinf, { attack: 'deepfool-linf', overshoot: 0.001 }],
  ] as const)('%s needs one step and goes 1.05 |f| / ‖w‖*', async (attack, norm, distance, precise) => {
    const { model: linear, dispose } = model();
    const { records } = await evaluateAttack({ model: linear, ...given, attack });
    expect(records.steps).toEqual([1]);
    expect(records[norm][0]).toBeCloseTo(1.05 * distance, 6);
    const exact = await evaluateAttack({ model: linear, ...given, attack: precise });
    expect(exact.records[norm][0]).toBeCloseTo(distance, 3);
    dispose();
  });

  it.each([
    ['deepfool-l2', 'l2', 0.3 / Math.sqrt(5)],
    ['deepfool-linf', 'linf', 0.3 / 3],
  ] as const)('%s crosses the boundary where a pixel is at its bound', async (attack, norm, distance) => {
    // The first pixel is white and cannot follow its gradient, so f is −0.3 and rises by the other pixels alone: (−1, 0, 2).
    const { model: linear, dispose } = linearModel(weights, [0, -0.3 - 2.5], [2, 2, 1]);
    const images = Float32Array.of(1, 0.5, 0.5, 0.5);
    const { records } = await evaluateAttack({ model: linear, images, labels: [0], attack });
    expect(records.success).toEqual([true]);
    expect(records[norm][0]).toBeGreaterThan(distance);
    expect(records[norm][0]).toBeLessThan(distance + 3e-4);
    dispose();
  });

  it.each([
    { attack: { attack: 'fab-t-l2' }, norm: 'l2', distance: distanceL2 },
    { attack: { attack: 'fab-t-linf' }, norm: 'linf', distance: distanceLinf },
    { attack: { attack: 'fmn-l2' }, norm: 'l2', distance: distanceL2 },
    { attack: { attack: 'fmn-linf' }, norm: 'linf', distance: distanceLinf },
    { attack: { attack: 'cw-l2', steps: 300 }, norm: 'l2', distance: distanceL2 },
    // γ / d√d is coarse for four pixels
    { attack: { attack: 'hop-skip-jump-l2', gamma: 0.01, steps: 20 }, norm: 'l2', distance: distanceL2 },
  ] as const)(
    '$attack.attack comes within 6 % of the smallest perturbation',
    async ({ attack, norm, distance }) => {
      const { model: linear, dispose } = model();
      const { records } = await evaluateAttack({ model: linear, ...given, attack });
      expect(records[norm][0]).toBeGreaterThanOrEqual(distance * 0.999);
      expect(records[norm][0]).toBeLessThanOrEqual(distance * 1.06);
      dispose();
    },
  );

  it.each(['fgsm', 'bim'] as const)('%s finds the smallest ε', async (attack) => {
    const { model: linear, dispose } = model();
    const { records } = await evaluateAttack({ model: linear, ...given, attack });
    expect(records.linf[0]).toBeGreaterThanOrEqual(distanceLinf);
    expect(records.linf[0]).toBeLessThanOrEqual(distanceLinf + 0.0031); // FGSM's grid: a twentieth of the first hit
    dispose();
  });

  const within = (epsilon: number) =>
    [
      { attack: 'pgd-linf', epsilon },
      { attack: 'apgd-ce-linf', epsilon },
      { attack: 'square-linf', epsilon },
      { attack: 'noise-linf', epsilon },
    ] as const;

  it.each(within(distanceLinf * 0.98))('$attack fails just below the smallest ε', async (attack) => {
    const { model: linear, dispose } = model();
    const { records } = await evaluateAttack({ model: linear, ...given, attack });
    expect(records.success).toEqual([false]);
    dispose();
  });

  it.each(within(distanceLinf * 1.05).slice(0, 3))(
    '$attack succeeds just above the smallest ε',
    async (attack) => {
      const { model: linear, dispose } = model();
      const { records } = await evaluateAttack({ model: linear, ...given, attack });
      expect(records.success).toEqual([true]);
      dispose();
    },
  );
});

describe('projectOntoHyperplane', () => {
  const project = (gap: number, norm: 'l2' | 'linf'): number[] => {
    const x = tf.tensor2d([[0.5, 0.5, 0.5, 0.95]]);
    const w = tf.tensor2d([[2, -1, 0, 2]]);
    return Array.from(projectOntoHyperplane(x, w, tf.tensor2d([[gap]]), norm).dataSync());
  };

  it('reaches the plane within [0, 1]: when one pixel is at its bound, the others move farther', () => {
    for (const norm of ['l2', 'linf'] as const) {
      const delta = project(0.9, norm);
      expect(2 * delta[0]! - delta[1]! + 2 * delta[3]!).toBeCloseTo(0.9, 5);
      expect(delta[3]).toBeCloseTo(0.05, 6);
      expect(Math.abs(delta[2]!)).toBe(0);
    }
    // L∞: 2λ + λ + 2·0.05 = 0.9; L2: 4λ + λ + 0.1 = 0.9 with δ = λw.
    expect(project(0.9, 'linf')[0]).toBeCloseTo(0.8 / 3, 5);
    expect(project(0.9, 'l2')[0]).toBeCloseTo((2 * 0.8) / 5, 5);
  });

  it('moves downhill for a negative gap, and to the bounds when the plane is too far away', () => {
    expect(project(-0.5, 'linf')[0]).toBeCloseTo(-0.1, 5);
    expect(project(100, 'l2')[0]).toBeCloseTo(0.5, 6);
    expect(project(100, 'l2')[1]).toBeCloseTo(-0.5, 6);
  });
});

describe('gradients', () => {
  it.each(['cross-entropy', 'margin', 'ratio'] as const)('of the %s match central differences', (name) => {
    const tiny = tinyNetwork(3);
    const { images, labels } = tinyImages(tiny.model, 4);
    const truth = oneHot(labels, 5);
    const target = oneHot(
      labels.map((label) => (label + 1) % 5),
      5,
    );
    const loss =
      name === 'ratio'
        ? targetedDifferenceRatio(truth, target)
        : name === 'margin'
          ? margin(truth)
          : crossEntropy(truth);
    const model = createFlatModel(tiny.model);
    const { gradient } = model.gradient(tf.tensor2d(images, [4, 64]), loss);
    const analytic = gradient.dataSync();
    const step = 1e-2;
    const lossesAt = (pixel: number, change: number): Float32Array => {
      const moved = images.slice();
      for (let row = 0; row < 4; row++) moved[row * 64 + pixel]! += change;
      return tf.tidy(() => loss(model.logits(tf.tensor2d(moved, [4, 64]))).dataSync<'float32'>());
    };
    const scale = Math.max(...analytic.map(Math.abs));
    for (const pixel of [0, 9, 17, 33, 63]) {
      const [up, down] = [lossesAt(pixel, step), lossesAt(pixel, -step)];
      for (let row = 0; row < 4; row++)
        expect(Math.abs((up[row]! - down[row]!) / (2 * step) - analytic[row * 64 + pixel]!)).toBeLessThan(
          0.02 * scale,
        );
    }
    tiny.dispose();
  });

  it('of one shared forward pass equal the gradients of separate passes', () => {
    const tiny = tinyNetwork(4);
    const model = createFlatModel(tiny.model);
    const x = tf.tensor2d(tinyImages(tiny.model, 6).images, [6, 64]);
    const cotangents = [0, 1, 2].map((k) => oneHot(new Int32Array(6).fill(k), 5));
    const tensors = tf.memory().numTensors;
    const { logits, gradients } = model.pullbacks(x, () => cotangents);
    expect(tf.memory().numTensors).toBe(tensors + 4);
    gradients.forEach((gradient, k) => {
      const alone = model.gradient(x, (z) => tf.sum(z.mul(cotangents[k]!), 1));
      expect(Array.from(gradient.dataSync())).toEqual(Array.from(alone.gradient.dataSync()));
      expect(Array.from(logits.dataSync())).toEqual(Array.from(alone.logits.dataSync()));
    });
    tiny.dispose();
  });

  it('keep their sign, however small they are', () => {
    expect(Array.from(signOf(tf.tensor2d([[1e-12, -1e-30, 0, 3e-45, -2]])).dataSync())).toEqual([
      1, -1, 0, 1, -1,
    ]);
  });
});
