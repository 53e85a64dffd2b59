/** The batched attacks against plain loops in double precision, and the random streams. */
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { classifierModel, evaluateAttack } from '../src/index.ts';
import { createRandom } from '../src/random.ts';
import { useWasm } from './helpers/tiny.ts';
import { argMax, logitsOf, type Mlp } from './reference/mlp.ts';
import {
  bimReference,
  deepfoolReference,
  distance,
  fgsmReference,
  singlePixelReference,
} from './reference/scalar-attacks.ts';

beforeAll(useWasm);

/** Random weights. The classes meet at grey, so boundaries are near an image and the bounds 0 and 1 are far away. */
const randomMlp = (seed: number): Mlp => {
  const [inputs, hidden, classes] = [36, 12, 4];
  const { normal } = createRandom(seed, 'reference');
  const draw = (count: number, scale: number) => Float32Array.from({ length: count }, () => scale * normal());
  const w1 = draw(inputs * hidden, 0.4);
  const b1 = draw(hidden, 0.3).map(
    (value, j) =>
      value - 0.5 * Array.from({ length: inputs }, (_, i) => w1[i * hidden + j]!).reduce((a, b) => a + b),
  );
  return { inputs, hidden, classes, w1, b1, w2: draw(hidden * classes, 0.6), b2: draw(classes, 0.1) };
};

const onDevice = ({ inputs, hidden, classes, w1, b1, w2, b2 }: Mlp) => {
  const weights = [
    tf.tensor2d(Float32Array.from(w1), [inputs, hidden]),
    tf.tensor2d(Float32Array.from(w2), [hidden, classes]),
  ] as const;
  const biases = [tf.tensor1d(Float32Array.from(b1)), tf.tensor1d(Float32Array.from(b2))] as const;
  return classifierModel(
    (x) =>
      tf
        .relu(tf.matMul(x.reshape<tf.Tensor2D>([-1, inputs]), weights[0]).add(biases[0]))
        .matMul(weights[1])
        .add(biases[1]),
    { shape: [6, 6, 1] },
  );
};

/** 20 images of grey noise in [min, 1 − min]; with `min` 0 black and white pixels too. Labelled as the network classifies them. */
const imagesFor = (mlp: Mlp, min: number) => {
  const { uniform } = createRandom(12, 'images');
  const images = Float32Array.from({ length: 20 * 36 }, () => {
    const value = min + (1 - 2 * min) * uniform();
    return min === 0 ? Math.min(1, Math.max(0, 1.5 * value - 0.25)) : value;
  });
  const rows = Array.from({ length: 20 }, (_, i) => images.subarray(i * 36, (i + 1) * 36));
  return { images, rows, labels: rows.map((row) => argMax(logitsOf(mlp, row))) };
};

describe.each([11, 21, 31])('against the scalar reference, on random network %i', (seed) => {
  const mlp = randomMlp(seed);

  it.each([
    ['l2', { attack: 'deepfool-l2' }],
    ['linf', { attack: 'deepfool-linf' }],
  ] as const)('DeepFool %s takes the same steps to the same place, within 1e-5', async (norm, attack) => {
    const { images, rows, labels } = imagesFor(mlp, 0.4);
    const { records, adversarials } = await evaluateAttack({ model: onDevice(mlp), images, labels, attack });
    let compared = 0;
    rows.forEach((row, i) => {
      const expected = deepfoolReference(mlp, row, labels[i]!, norm, 50);
      if (expected.x.some((value) => value === 0 || value === 1)) return; // at a bound DeepFool takes ever smaller steps, and rounding decides
      compared++;
      expect(records.success[i]).toBe(expected.success);
      expect(records.steps[i]).toBe(expected.steps);
      expected.x.forEach((value, j) => {
        expect(Math.abs(adversarials[i * 36 + j]! - value)).toBeLessThan(1e-5);
      });
    });
    expect(compared).toBeGreaterThanOrEqual(15);
  });

  const list: number[] = [0.3, 0.1, 0.2];
  const fixed = { search: false, epsilon: 0.05, stepSize: 0.01, steps: 10 };
  const searched = { search: true, epsilon: 0.3, stepSize: 0.05, steps: 10 };
  it.each([
    ['FGSM search', { attack: 'fgsm' }, { epsilon: 1, epsilons: 1000 }, fgsmReference],
    [
      'FGSM search up to 0.1',
      { attack: 'fgsm', epsilon: 0.1 },
      { epsilon: 0.1, epsilons: 1000 },
      fgsmReference,
    ],
    ['FGSM list', { attack: 'fgsm', epsilons: list }, { epsilon: 1, epsilons: list }, fgsmReference],
    ['BIM fixed', { attack: 'bim', ...fixed }, fixed, bimReference],
    ['BIM search', 'bim', searched, bimReference],
  ] as const)('%s fools the same images at the same distance', async (_, attack, settings, reference) => {
    const { images, rows, labels } = imagesFor(mlp, 0);
    const { records } = await evaluateAttack({ model: onDevice(mlp), images, labels, attack });
    rows.forEach((row, i) => {
      const expected = reference(mlp, row, labels[i]!, settings as never); // the table gives each reference its own settings
      expect(records.success[i]).toBe(expected !== null);
      if (expected) expect(Math.abs(records.l2[i]! / distance(expected, row) - 1)).toBeLessThan(1e-4);
    });
    expect(records.success.some(Boolean)).toBe(true);
  });

  it('Single Pixel fools the same images, each by one of the pixels that fool the model', async () => {
    const { images, rows, labels } = imagesFor(mlp, 0);
    const given = { model: onDevice(mlp), images, labels };
    const { records, adversarials } = await evaluateAttack({ ...given, attack: 'single-pixel' });
    rows.forEach((row, i) => {
      const expected = singlePixelReference(mlp, row, labels[i]!);
      expect(records.success[i]).toBe(expected.length > 0);
      if (expected.length === 0) return;
      const changed = Array.from(row.keys()).filter((j) => adversarials[i * 36 + j] !== row[j]);
      expect(expected).toContainEqual({ pixel: changed[0], value: adversarials[i * 36 + changed[0]!] });
      expect(changed).toHaveLength(1);
    });
    expect(records.success.some(Boolean)).toBe(true);
  });
});

describe('random streams', () => {
  it('repeat by path, differ by any part of it, and look uniform and normal', () => {
    const firstNumber = (...path: (string | number)[]) => createRandom(...path).uniform();
    expect(firstNumber(1, 'pgd', 7)).toBe(firstNumber(1, 'pgd', 7));
    expect(
      new Set([
        firstNumber(1, 'pgd', 7),
        firstNumber(2, 'pgd', 7),
        firstNumber(1, 'pgd', 8),
        firstNumber(1, 'gdp', 7),
        firstNumber(1, 'pgd', 7, 0),
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
