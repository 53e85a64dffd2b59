/**
 * Gaussian process regression (Rasmussen & Williams 2006, algorithm 2.1) with a Matérn 5/2 kernel that has a length for each axis. Inputs are
 * shares; two categories have the distance 1. Targets are standardised.
 */
import { type Cholesky, cholesky, inverse, logDeterminant, solveLower, solveUpper } from './cholesky.ts';

export type Data = {
  /** One row for each observation: a share for each axis. */
  readonly inputs: readonly Float64Array[];
  readonly targets: readonly number[];
  /** The known variance of each target. */
  readonly variances: readonly number[];
  /** Whether each axis has categories. */
  readonly areCategories: readonly boolean[];
};

/** The logarithms of the length of each axis, of the signal's variance and of the noise's variance, in this order. */
export type KernelParameters = Float64Array;

/** The squared distance along one axis, before its length. */
const squareAlong = (a: number, b: number, isCategory: boolean): number =>
  isCategory ? (a === b ? 0 : 1) : (a - b) ** 2;

/** Matérn 5/2 at the squared distance in lengths. */
const matern = (square: number): number => {
  const distance = Math.sqrt(5 * square);
  return (1 + distance + distance ** 2 / 3) * Math.exp(-distance);
};

const unpack = (parameters: KernelParameters) => ({
  inverseSquares: parameters.subarray(0, -2).map((logLength) => Math.exp(-2 * logLength)),
  signal: Math.exp(parameters.at(-2)!),
  noise: Math.exp(parameters.at(-1)!),
});

/** The covariances of an input with the first `count` observations. */
const covariances = (
  { inputs, areCategories }: Data,
  parameters: KernelParameters,
  input: Float64Array,
  count = inputs.length,
): Float64Array => {
  const { inverseSquares, signal } = unpack(parameters);
  const result = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const other = inputs[i]!;
    let square = 0;
    for (let d = 0; d < input.length; d++)
      square += squareAlong(input[d]!, other[d]!, areCategories[d]!) * inverseSquares[d]!;
    result[i] = signal * matern(square);
  }
  return result;
};

/** Keeps the matrix positive definite where two observations are almost equal. */
const jitter = 1e-8;

const covarianceMatrix = (data: Data, parameters: KernelParameters): Float64Array => {
  const size = data.inputs.length;
  const { noise } = unpack(parameters);
  const matrix = new Float64Array(size * size);
  for (let i = 0; i < size; i++) {
    const row = covariances(data, parameters, data.inputs[i]!, i + 1);
    for (let j = 0; j <= i; j++) {
      matrix[i * size + j] = row[j]!;
      matrix[j * size + i] = row[j]!;
    }
    matrix[i * size + i]! += noise + data.variances[i]! + jitter;
  }
  return matrix;
};

/** A normal prior on a logarithm. */
type Prior = { readonly mean: number; readonly deviation: number };

/** Lengths grow with the number of axes (Hvarfner et al. 2024, "Vanilla Bayesian optimization performs great in high dimensions"). */
export const priorsOf = (axes: number): readonly Prior[] => [
  ...Array.from({ length: axes }, () => ({
    mean: Math.SQRT2 + 0.5 * Math.log(axes) - 1,
    deviation: Math.sqrt(3),
  })),
  { mean: 0, deviation: 1 },
  { mean: Math.log(1e-4), deviation: 3 },
];

/** The logarithm of likelihood times prior, without constants, and its gradient (Rasmussen & Williams 2006, eq. 5.9). */
export const logPosterior = (data: Data, parameters: KernelParameters) => {
  const { inputs, targets, areCategories } = data;
  const size = inputs.length;
  const axes = areCategories.length;
  const decomposition = cholesky(covarianceMatrix(data, parameters), size);
  const solution = solveUpper(decomposition, solveLower(decomposition, targets));
  const { inverseSquares, signal, noise } = unpack(parameters);
  let value =
    -0.5 *
    (targets.reduce((sum, target, i) => sum + target * solution[i]!, 0) + logDeterminant(decomposition));
  const gradient = new Float64Array(parameters.length);
  const inverted = inverse(decomposition);
  const along = new Float64Array(axes);
  for (let a = 0; a < size; a++) {
    const diagonal = solution[a]! ** 2 - inverted[a * size + a]!;
    gradient[axes]! += 0.5 * diagonal * signal;
    gradient[axes + 1]! += 0.5 * diagonal * noise;
    for (let b = 0; b < a; b++) {
      const factor = solution[a]! * solution[b]! - inverted[a * size + b]!; // the pair counts twice, times ½
      let square = 0;
      for (let d = 0; d < axes; d++) {
        along[d] = squareAlong(inputs[a]![d]!, inputs[b]![d]!, areCategories[d]!) * inverseSquares[d]!;
        square += along[d]!;
      }
      const distance = Math.sqrt(5 * square);
      const decay = signal * Math.exp(-distance);
      gradient[axes]! += factor * decay * (1 + distance + distance ** 2 / 3);
      const slope = (5 / 3) * factor * decay * (1 + distance);
      for (let d = 0; d < axes; d++) gradient[d]! += slope * along[d]!;
    }
  }
  for (const [i, { mean, deviation }] of priorsOf(axes).entries()) {
    const distance = (parameters[i]! - mean) / deviation;
    value -= 0.5 * distance ** 2;
    gradient[i]! -= distance / deviation;
  }
  return { value, gradient };
};

const rounds = 16;

/** The parameters with the greatest posterior that iRprop⁻ finds (Igel & Hüsken 2000; for kernels Blum & Riedmiller 2013). */
export const fitKernel = (data: Data): KernelParameters => {
  const priors = priorsOf(data.areCategories.length);
  const parameters = Float64Array.from(priors, ({ mean }) => mean);
  const steps = parameters.map(() => 0.3);
  let signs = parameters.map(() => 0);
  let best = { value: Number.NEGATIVE_INFINITY, parameters: Float64Array.from(parameters) };
  for (let round = 0; round < rounds; round++) {
    const { value, gradient } = logPosterior(data, parameters);
    if (value > best.value) best = { value, parameters: Float64Array.from(parameters) };
    const next = gradient.map(Math.sign);
    for (const [i, { mean, deviation }] of priors.entries()) {
      const agreement = next[i]! * signs[i]!;
      if (agreement > 0) steps[i] = Math.min(1, steps[i]! * 1.3);
      if (agreement < 0) {
        steps[i] = Math.max(1e-3, steps[i]! * 0.5);
        next[i] = 0;
      }
      const moved = parameters[i]! + next[i]! * steps[i]!;
      parameters[i] = Math.min(mean + 4 * deviation, Math.max(mean - 4 * deviation, moved));
    }
    signs = next;
  }
  return best.parameters;
};

export type GaussianProcess = {
  /** Mean and standard deviation of the function without noise. */
  readonly predict: (input: Float64Array) => { readonly mean: number; readonly deviation: number };
};

export const conditionOn = (data: Data, parameters: KernelParameters): GaussianProcess => {
  const decomposition: Cholesky = cholesky(covarianceMatrix(data, parameters), data.inputs.length);
  const solution = solveUpper(decomposition, solveLower(decomposition, data.targets));
  const { signal } = unpack(parameters);
  return {
    predict: (input) => {
      const covariance = covariances(data, parameters, input);
      let mean = 0;
      for (let i = 0; i < covariance.length; i++) mean += covariance[i]! * solution[i]!;
      let variance = signal;
      const explained = solveLower(decomposition, covariance);
      for (let i = 0; i < explained.length; i++) variance -= explained[i]! ** 2;
      return { mean, deviation: Math.sqrt(Math.max(variance, 1e-12)) };
    },
  };
};
