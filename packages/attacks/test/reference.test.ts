/** The batched attacks against plain double-precision ones, and the random streams against themselves. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { classifierModel, evaluateAttack } from '../src/index.ts';
import { createRandom } from '../src/random.ts';
import { useWasm } from './helpers/backend.ts';
import { deepfoolReference } from './reference/deepfool.ts';
import { argMax, logitsOf, type Mlp } from './reference/mlp.ts';

beforeAll(useWasm);

/** Centred on grey, where its classes meet: boundaries are near, and bounds far. */
const mlp: Mlp = (() => {
  const [inputs, hidden, classes] = [36, 12, 4];
  const { normal } = createRandom(11, 'reference');
  const draw = (count: number, scale: number) => Float32Array.from({ length: count }, () => scale * normal());
  const w1 = draw(inputs * hidden, 0.4);
  const b1 = draw(hidden, 0.3).map(
    (value, j) =>
      value - 0.5 * Array.from({ length: inputs }, (_, i) => w1[i * hidden + j]!).reduce((a, b) => a + b),
  );
  return { inputs, hidden, classes, w1, b1, w2: draw(hidden * classes, 0.6), b2: draw(classes, 0.1) };
})();

describe('against the scalar reference', () => {
  it.each([
    ['l2', { attack: 'deepfool-l2' }],
    ['linf', { attack: 'deepfool-linf' }],
  ] as const)('DeepFool %s takes the same steps to the same place, within 1e-5', async (norm, attack) => {
    const weights = [
      tf.tensor2d(mlp.w1 as Float32Array, [36, 12]),
      tf.tensor2d(mlp.w2 as Float32Array, [12, 4]),
    ] as const;
    const model = classifierModel(
      (x) =>
        tf
          .relu(
            tf.matMul(x.reshape<tf.Tensor2D>([-1, 36]), weights[0]).add(tf.tensor1d(mlp.b1 as Float32Array)),
          )
          .matMul(weights[1])
          .add(tf.tensor1d(mlp.b2 as Float32Array)),
      { shape: [6, 6, 1] },
    );
    const { uniform } = createRandom(12, 'images');
    const images = Float32Array.from({ length: 20 * 36 }, () => 0.4 + 0.2 * uniform());
    const rows = Array.from({ length: 20 }, (_, i) => images.subarray(i * 36, (i + 1) * 36));
    const labels = rows.map((row) => argMax(logitsOf(mlp, row)));
    const { records, adversarials } = await evaluateAttack({
      model,
      images,
      labels,
      attack,
    });
    let compared = 0;
    rows.forEach((row, i) => {
      const expected = deepfoolReference(mlp, row, labels[i]!, norm, 50);
      if (expected.x.some((value) => value === 0 || value === 1)) return; // at a bound DeepFool creeps, and rounding decides
      compared++;
      expect(records.success[i]).toBe(expected.success);
      expect(records.steps[i]).toBe(expected.steps);
      expected.x.forEach((value, j) => {
        expect(Math.abs(adversarials[i * 36 + j]! - value)).toBeLessThan(1e-5);
      });
    });
    expect(compared).toBeGreaterThanOrEqual(15);
    tf.dispose([...weights]);
  });
});

describe('random streams', () => {
  it('repeat by path, differ by any part of it, and look uniform and normal', () => {
    const first = (...path: (string | number)[]) => createRandom(...path).uniform();
    expect(first(1, 'pgd', 7)).toBe(first(1, 'pgd', 7));
    expect(
      new Set([
        first(1, 'pgd', 7),
        first(2, 'pgd', 7),
        first(1, 'pgd', 8),
        first(1, 'gdp', 7),
        first(1, 'pgd', 7, 0),
      ]).size,
    ).toBe(5);
    const { uniform, normal, permutation, integer } = createRandom(5);
    const uniforms = Array.from({ length: 20_000 }, uniform);
    const normals = Array.from({ length: 20_000 }, normal);
    const moments = (values: number[]) => {
      const mean = values.reduce((a, b) => a + b) / values.length;
      return [mean, values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length] as const;
    };
    expect(moments(uniforms)[0]).toBeCloseTo(0.5, 2);
    expect(moments(uniforms)[1]).toBeCloseTo(1 / 12, 2);
    expect(Math.abs(moments(normals)[0])).toBeLessThan(0.03);
    expect(Math.abs(moments(normals)[1] - 1)).toBeLessThan(0.05);
    expect([...permutation(50)].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(new Set(Array.from({ length: 20 }, () => integer(3)))).toEqual(new Set([0, 1, 2]));
  });
});
