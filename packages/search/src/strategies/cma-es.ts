/**
 * The covariance matrix adaptation evolution strategy (Hansen 2016, arXiv 1604.00772) on the shares of numeric axes. Its state is no input: it
 * is computed anew from the observations, generation by generation.
 */
import { EigenvalueDecomposition, Matrix } from 'ml-matrix';
import { finiteUtilities, hasEnded, type Measured, type Observation } from '../observation.ts';
import { createRandom, type Random } from '../random.ts';
import { type Axis, type Point, pointAt, sharesOf } from '../space.ts';
import type { Proposal, Strategy } from './strategy.ts';

type State = {
  readonly mean: Float64Array;
  readonly step: number;
  readonly covariance: Matrix;
  readonly stepPath: Float64Array;
  readonly covariancePath: Float64Array;
};

/** The constants of table 1 of the tutorial, with non-negative weights. */
const constantsOf = (dimensions: number) => {
  const size = 4 + Math.floor(3 * Math.log(dimensions));
  const parents = Math.floor(size / 2);
  const raw = Array.from({ length: parents }, (_, i) => Math.log((size + 1) / 2) - Math.log(i + 1));
  const sum = raw.reduce((a, b) => a + b, 0);
  const weights = raw.map((weight) => weight / sum);
  const effective = 1 / weights.reduce((total, weight) => total + weight ** 2, 0);
  const stepRate = (effective + 2) / (dimensions + effective + 5);
  const rankOne = 2 / ((dimensions + 1.3) ** 2 + effective);
  return {
    size,
    weights,
    effective,
    stepRate,
    damping: 1 + 2 * Math.max(0, Math.sqrt((effective - 1) / (dimensions + 1)) - 1) + stepRate,
    pathRate: (4 + effective / dimensions) / (dimensions + 4 + (2 * effective) / dimensions),
    rankOne,
    rankMany: Math.min(
      1 - rankOne,
      (2 * (effective - 2 + 1 / effective)) / ((dimensions + 2) ** 2 + effective),
    ),
    /** The mean length of a standard normal vector. */
    normalLength: Math.sqrt(dimensions) * (1 - 1 / (4 * dimensions) + 1 / (21 * dimensions ** 2)),
  };
};
type Constants = ReturnType<typeof constantsOf>;

const startOf = (dimensions: number): State => ({
  mean: new Float64Array(dimensions).fill(0.5),
  step: 0.3,
  covariance: Matrix.eye(dimensions),
  stepPath: new Float64Array(dimensions),
  covariancePath: new Float64Array(dimensions),
});

/** The axes of the ellipsoid, and their lengths. Lengths of almost 0 are raised, so that none is lost for ever. */
const ellipsoidOf = (covariance: Matrix) => {
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covariance, {
    assumeSymmetric: true,
  });
  return {
    vectors: eigenvectorMatrix,
    lengths: realEigenvalues.map((value) => Math.sqrt(Math.max(value, 1e-14))),
  };
};

const lengthOf = (vector: ArrayLike<number>): number => {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += vector[i]! ** 2;
  return Math.sqrt(squares);
};

/** The next generation's state (eq. 41 to 49 of the tutorial). `sorted`: the shares of the generation, best first. */
const advance = (
  state: State,
  sorted: readonly Float64Array[],
  constants: Constants,
  generation: number,
): State => {
  const { weights, effective, stepRate, damping, pathRate, rankOne, rankMany, normalLength } = constants;
  const { mean, step, covariance } = state;
  const dimensions = mean.length;
  const moves = weights.map((_, i) => sorted[i]!.map((share, d) => (share - mean[d]!) / step));
  const move = mean.map((_, d) => weights.reduce((sum, weight, i) => sum + weight * moves[i]![d]!, 0));
  const { vectors, lengths } = ellipsoidOf(covariance);
  const rotated = lengths.map(
    (length, k) => move.reduce((sum, value, d) => sum + vectors.get(d, k) * value, 0) / length,
  );
  const whitened = move.map((_, d) => rotated.reduce((sum, value, k) => sum + vectors.get(d, k) * value, 0));
  const stepPath = state.stepPath.map(
    (value, d) => (1 - stepRate) * value + Math.sqrt(stepRate * (2 - stepRate) * effective) * whitened[d]!,
  );
  const pathLength = lengthOf(stepPath);
  const isSteady =
    pathLength / Math.sqrt(1 - (1 - stepRate) ** (2 * (generation + 1))) <
    (1.4 + 2 / (dimensions + 1)) * normalLength;
  const covariancePath = state.covariancePath.map(
    (value, d) =>
      (1 - pathRate) * value + (isSteady ? Math.sqrt(pathRate * (2 - pathRate) * effective) * move[d]! : 0),
  );
  const kept = 1 - rankOne - rankMany + (isSteady ? 0 : rankOne * pathRate * (2 - pathRate));
  const next = new Matrix(dimensions, dimensions);
  for (let a = 0; a < dimensions; a++)
    for (let b = 0; b < dimensions; b++) {
      const many = weights.reduce((sum, weight, i) => sum + weight * moves[i]![a]! * moves[i]![b]!, 0);
      next.set(
        a,
        b,
        kept * covariance.get(a, b) + rankOne * covariancePath[a]! * covariancePath[b]! + rankMany * many,
      );
    }
  return {
    mean: mean.map((value, d) => value + step * move[d]!),
    step: Math.min(1, step * Math.exp((stepRate / damping) * (pathLength / normalLength - 1))),
    covariance: next,
    stepPath,
    covariancePath,
  };
};

/** A generation, best first; bad points come last. */
const sortedShares = (axes: readonly Axis[], generation: readonly Observation[]): readonly Float64Array[] => {
  const measured = generation.filter(
    (each): each is Observation & { outcome: Measured } => each.outcome.status === 'measured',
  );
  const utilities = finiteUtilities(measured);
  const order = measured
    .map((_, index) => index)
    .sort((a, b) => utilities[b]![0]! - utilities[a]![0]! || a - b)
    .map((index) => measured[index]!);
  return [...order, ...generation.filter(({ outcome }) => outcome.status !== 'measured')].map(({ point }) =>
    sharesOf(axes, point),
  );
};

/** The state after all generations that have ended. A pending point of a later generation waits with all after it. */
const stateOf = ({ axes, observations }: Proposal, constants: Constants): State => {
  let state = startOf(axes.length);
  for (let at = 0; at + constants.size <= observations.length; at += constants.size) {
    const generation = observations.slice(at, at + constants.size);
    if (!generation.every(({ outcome }) => hasEnded(outcome))) break;
    state = advance(state, sortedShares(axes, generation), constants, at / constants.size);
  }
  return state;
};

/** Draws until the point lies inside the space, at most this many times; then takes the nearest point. */
const maxDraws = 100;

const drawShares = ({ mean, step, covariance }: State, random: Random): readonly number[] => {
  const { vectors, lengths } = ellipsoidOf(covariance);
  let shares: number[] = [];
  for (let draw = 0; draw < maxDraws; draw++) {
    const normals = lengths.map((length) => length * random.normal());
    shares = Array.from(
      mean,
      (value, d) => value + step * normals.reduce((sum, normal, k) => sum + vectors.get(d, k) * normal, 0),
    );
    if (shares.every((share) => share >= 0 && share <= 1)) return shares;
  }
  return shares.map((share) => Math.min(1, Math.max(0, share)));
};

const propose = (proposal: Proposal): Point => {
  const { axes, index, attempt, seed } = proposal;
  const state = stateOf(proposal, constantsOf(axes.length));
  return pointAt(axes, drawShares(state, createRandom('cma-es', seed, index, attempt)));
};

export const cmaEs: Strategy = {
  title: 'CMA-ES',
  description:
    'For numbers only, one objective, and some hundred trials, above all when hyperparameters depend on each other.',
  maxObjectives: 1,
  handlesCategories: false,
  propose,
};
