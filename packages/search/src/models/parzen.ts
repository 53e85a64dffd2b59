/**
 * A kernel density over the points of a space: one kernel for each observation, and one for the whole space, which keeps every point possible.
 * A kernel is a product over the axes, so the mixture knows correlations (Watanabe 2023, arXiv 2304.11127, §3).
 */
import type { Random } from '../random.ts';
import { type Axis, type Cell, choosePoint, type Point } from '../space.ts';
import { drawTruncated, logRoot2Pi, normalMass } from './normal.ts';

/** For each axis the cell of the observed value; null where the axis is not read. */
export type Observed = readonly (Cell | null)[];

export const observe = (axes: readonly Axis[], point: Point): Observed =>
  axes.map((axis) => {
    const value = point[axis.name];
    return value === undefined ? null : axis.cellOf(value);
  });

/** The kernels along one axis, in the order of the observations; the last one is uniform. */
type AxisKernels = {
  /** Adds the log density of each kernel at a cell: at its share if the axis is continuous, else of the whole cell. */
  readonly addLogDensities: (cell: Cell, sums: Float64Array) => void;
  /** A share drawn from a kernel. */
  readonly draw: (kernel: number, random: Random) => number;
};

const centre = ({ low, high }: Cell): number => (low + high) / 2;

/**
 * The deviation of each kernel: the distance to its farther neighbour, at least 1 / (kernels + 1) of the axis or 1 %, and at most the whole
 * axis. The ends of the axis are neighbours of a single observation only.
 */
const deviationsOf = (centres: readonly number[], kernels: number): Float64Array => {
  const order = centres.map((_, index) => index).sort((a, b) => centres[a]! - centres[b]! || a - b);
  const min = 1 / Math.min(100, kernels + 1);
  const deviations = new Float64Array(centres.length);
  for (const [rank, index] of order.entries()) {
    const here = centres[index]!;
    const before = order[rank - 1];
    const after = order[rank + 1];
    const farther =
      centres.length === 1
        ? Math.max(here, 1 - here)
        : Math.max(
            before === undefined ? 0 : here - centres[before]!,
            after === undefined ? 0 : centres[after]! - here,
          );
    deviations[index] = Math.min(1, Math.max(min, farther));
  }
  return deviations;
};

/** Normal kernels, truncated to the axis. A kernel whose observation does not read the axis is uniform. */
const orderedKernels = (axis: Axis, cells: Observed): AxisKernels => {
  const kernels = cells.length + 1;
  const isContinuous = axis.at === null;
  const means = new Float64Array(kernels);
  /** 0 for a uniform kernel. */
  const deviations = new Float64Array(kernels);
  /** The logarithm of the factor that makes the total 1. */
  const logFactors = new Float64Array(kernels);
  const read = cells.flatMap((cell, kernel) => (cell ? [{ kernel, mean: centre(cell) }] : []));
  const widths = deviationsOf(
    read.map(({ mean }) => mean),
    kernels,
  );
  for (const [index, { kernel, mean }] of read.entries()) {
    const deviation = widths[index]!;
    means[kernel] = mean;
    deviations[kernel] = deviation;
    logFactors[kernel] =
      -Math.log(normalMass(-mean / deviation, (1 - mean) / deviation)) -
      (isContinuous ? Math.log(deviation) + logRoot2Pi : 0);
  }
  const logDensity = ({ low, high }: Cell, kernel: number): number => {
    const deviation = deviations[kernel]!;
    if (deviation === 0) return isContinuous ? 0 : Math.log(high - low);
    const mean = means[kernel]!;
    if (isContinuous) return logFactors[kernel]! - 0.5 * ((low - mean) / deviation) ** 2;
    return logFactors[kernel]! + Math.log(normalMass((low - mean) / deviation, (high - mean) / deviation));
  };
  return {
    addLogDensities: (cell, sums) => {
      for (let kernel = 0; kernel < kernels; kernel++) sums[kernel]! += logDensity(cell, kernel);
    },
    draw: (kernel, random) =>
      deviations[kernel] === 0
        ? random.uniform()
        : drawTruncated(means[kernel]!, deviations[kernel]!, random),
  };
};

/** The observed category is more likely than the others. A kernel whose observation does not read the axis is uniform. */
const categoryKernels = (axis: Axis, cells: Observed, uniformShare: number): AxisKernels => {
  const { size } = axis;
  const kernels = cells.length + 1;
  const logOther = Math.log(uniformShare / size);
  const logOwn = Math.log(1 - uniformShare + uniformShare / size);
  const indexOf = (cell: Cell): number => Math.floor(centre(cell) * size);
  /** −1 for a uniform kernel. */
  const categories = Int32Array.from({ length: kernels }, (_, kernel) => {
    const cell = cells[kernel];
    return cell ? indexOf(cell) : -1;
  });
  return {
    addLogDensities: (cell, sums) => {
      const category = indexOf(cell);
      for (let kernel = 0; kernel < kernels; kernel++) {
        const own = categories[kernel]!;
        sums[kernel]! += own < 0 ? -Math.log(size) : own === category ? logOwn : logOther;
      }
    },
    draw: (kernel, random) => {
      const own = categories[kernel]!;
      const share = random.uniform();
      return own < 0 || random.uniform() < uniformShare ? share : (own + 0.5) / size;
    },
  };
};

export type Parzen = {
  readonly draw: (random: Random) => Point;
  /** The log density at a point: per unit of share on continuous axes, per value on the others. */
  readonly logDensity: (observed: Observed) => number;
};

/**
 * `weights`: of each observation; the kernel for the whole space has the weight 1. `uniformShare`: the probability with which a kernel draws any
 * category instead of the observed one.
 */
export const fitParzen = (
  axes: readonly Axis[],
  observations: readonly Observed[],
  weights: readonly number[],
  uniformShare: number,
): Parzen => {
  const all = [...weights, 1];
  const total = all.reduce((sum, weight) => sum + weight, 0);
  const logWeights = all.map((weight) => Math.log(weight / total));
  const alongAxes = axes.map((axis, index) => {
    const cells = observations.map((observed) => observed[index]!);
    return axis.kind === 'ordered' ? orderedKernels(axis, cells) : categoryKernels(axis, cells, uniformShare);
  });
  const sums = new Float64Array(all.length);
  return {
    draw: (random) => {
      const kernel = random.weighted(all);
      return choosePoint(axes, (axis, index) => axis.valueAt(alongAxes[index]!.draw(kernel, random)));
    },
    logDensity: (observed) => {
      sums.set(logWeights);
      for (const [index, kernels] of alongAxes.entries()) {
        const cell = observed[index];
        if (cell) kernels.addLogDensities(cell, sums);
      }
      const max = sums.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      return max + Math.log(sums.reduce((sum, each) => sum + Math.exp(each - max), 0));
    },
  };
};
