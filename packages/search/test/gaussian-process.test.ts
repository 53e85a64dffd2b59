import { describe, expect, it } from 'vitest';
import { cholesky, inverse, logDeterminant, solveLower, solveUpper } from '../src/models/cholesky.ts';
import { conditionOn, type Data, fitKernel, logPosterior } from '../src/models/gaussian-process.ts';
import { createRandom } from '../src/random.ts';

const matern = (distance: number): number => {
  const r = Math.sqrt(5) * distance;
  return (1 + r + r ** 2 / 3) * Math.exp(-r);
};
const dataOf = (inputs: number[][], targets: number[], variances = targets.map(() => 0)): Data => ({
  inputs: inputs.map((input) => Float64Array.from(input)),
  targets,
  variances,
  areCategories: inputs[0]!.map(() => false),
});

describe('Cholesky', () => {
  const random = createRandom('cholesky test');
  const size = 6;
  const rows = Array.from({ length: size }, () => Array.from({ length: size }, () => random.normal()));
  const matrix = Float64Array.from(
    rows.flatMap((a, i) =>
      rows.map((b, j) => a.reduce((sum, v, k) => sum + v * b[k]!, 0) + (i === j ? 0.1 : 0)),
    ),
  );
  const decomposition = cholesky(matrix, size);

  it('solves and inverts', () => {
    const right = rows[0]!;
    const x = solveUpper(decomposition, solveLower(decomposition, right));
    const inverted = inverse(decomposition);
    for (let i = 0; i < size; i++) {
      const row = matrix.subarray(i * size, (i + 1) * size);
      expect(row.reduce((sum, v, k) => sum + v * x[k]!, 0)).toBeCloseTo(right[i]!, 8);
      for (let j = 0; j < size; j++)
        expect(row.reduce((sum, v, k) => sum + v * inverted[k * size + j]!, 0)).toBeCloseTo(
          i === j ? 1 : 0,
          8,
        );
    }
  });

  it('of a diagonal matrix has the determinant of its product', () => {
    expect(logDeterminant(cholesky(Float64Array.of(4, 0, 0, 9), 2))).toBeCloseTo(Math.log(36), 12);
  });

  it('refuses an indefinite matrix', () => {
    expect(() => cholesky(Float64Array.of(1, 2, 2, 1), 2)).toThrow(/positive definite/);
  });
});

describe('a Gaussian process', () => {
  /** Length 0.5, signal 2, noise 0.01. */
  const parameters = Float64Array.of(Math.log(0.5), Math.log(2), Math.log(0.01));

  it('after one observation is the closed form', () => {
    const { mean, deviation } = conditionOn(dataOf([[0.2]], [1.5]), parameters).predict(Float64Array.of(0.5));
    const covariance = 2 * matern(0.3 / 0.5);
    expect(mean).toBeCloseTo((covariance * 1.5) / (2.01 + 1e-8), 12);
    expect(deviation ** 2).toBeCloseTo(2 - covariance ** 2 / (2.01 + 1e-8), 12);
  });

  it('after two observations with known variances is the closed form', () => {
    const data = dataOf([[0.1], [0.7]], [1, -2], [0.5, 0.25]);
    const { mean, deviation } = conditionOn(data, parameters).predict(Float64Array.of(0.4));
    const [a, b, c] = [2.01 + 1e-8 + 0.5, 2 * matern(0.6 / 0.5), 2.01 + 1e-8 + 0.25];
    const near = 2 * matern(0.3 / 0.5); // the distance to both is the same
    const determinant = a * c - b * b;
    expect(mean).toBeCloseTo((near * (c * 1 - b * -2) + near * (a * -2 - b * 1)) / determinant, 10);
    expect(deviation ** 2).toBeCloseTo(2 - (near ** 2 * (a + c - 2 * b)) / determinant, 10);
  });

  it('has the gradient of its posterior, by finite differences', () => {
    const random = createRandom('gradient test');
    const inputs = Array.from({ length: 12 }, () => [
      random.uniform(),
      random.below(3) / 3,
      random.uniform(),
    ]);
    const data: Data = {
      ...dataOf(
        inputs,
        inputs.map(() => random.normal()),
        inputs.map(() => 0.1 * random.uniform()),
      ),
      areCategories: [false, true, false],
    };
    const at = Float64Array.of(-0.5, 0.3, 0.8, 0.2, -2);
    const { gradient } = logPosterior(data, at);
    const step = 1e-5;
    for (let i = 0; i < at.length; i++) {
      const [up, down] = [Float64Array.from(at), Float64Array.from(at)];
      up[i]! += step;
      down[i]! -= step;
      expect(gradient[i]).toBeCloseTo(
        (logPosterior(data, up).value - logPosterior(data, down).value) / (2 * step),
        5,
      );
    }
  });

  it('fits a short length along the axis on which the targets depend', () => {
    const random = createRandom('fit test');
    const inputs = Array.from({ length: 30 }, () => [random.uniform(), random.uniform()]);
    const targets = inputs.map(([x]) => Math.sin(6 * x!));
    const [first, second] = fitKernel(dataOf(inputs, targets));
    expect(first!).toBeLessThan(second! - 1);
  });
});
