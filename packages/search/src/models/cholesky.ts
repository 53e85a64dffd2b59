/** Symmetric positive definite matrices: the lower triangle L with L·Lᵀ = A, and solutions with it. Matrices are flat, row by row. */
import { CholeskyDecomposition, Matrix } from 'ml-matrix';

export type Cholesky = { readonly size: number; readonly lower: Float64Array };

/** Throws for a matrix that is not positive definite. */
export const cholesky = (matrix: Float64Array, size: number): Cholesky => {
  const decomposition = new CholeskyDecomposition(Matrix.from1DArray(size, size, matrix));
  if (!decomposition.isPositiveDefinite()) throw new Error('Expected a positive definite matrix');
  return { size, lower: Float64Array.from(decomposition.lowerTriangularMatrix.to1DArray()) };
};

/** The x with L·x = b. */
export const solveLower = ({ size, lower }: Cholesky, b: ArrayLike<number>): Float64Array => {
  const x = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const row = i * size;
    let rest = b[i]!;
    for (let j = 0; j < i; j++) rest -= lower[row + j]! * x[j]!;
    x[i] = rest / lower[row + i]!;
  }
  return x;
};

/** The x with Lᵀ·x = b. */
export const solveUpper = ({ size, lower }: Cholesky, b: ArrayLike<number>): Float64Array => {
  const x = Float64Array.from(b);
  for (let i = size - 1; i >= 0; i--) {
    const row = i * size;
    x[i]! /= lower[row + i]!;
    for (let j = 0; j < i; j++) x[j]! -= lower[row + j]! * x[i]!;
  }
  return x;
};

/** A⁻¹, flat. */
export const inverse = (decomposition: Cholesky): Float64Array => {
  const { size, lower } = decomposition;
  /** Row i holds column i of L⁻¹, which starts at i: rows stay together in memory. */
  const columns = new Float64Array(size * size);
  for (let column = 0; column < size; column++) {
    const at = column * size;
    columns[at + column] = 1 / lower[column * size + column]!;
    for (let i = column + 1; i < size; i++) {
      let rest = 0;
      for (let j = column; j < i; j++) rest -= lower[i * size + j]! * columns[at + j]!;
      columns[at + i] = rest / lower[i * size + i]!;
    }
  }
  const result = new Float64Array(size * size);
  for (let a = 0; a < size; a++)
    for (let b = a; b < size; b++) {
      let sum = 0;
      for (let k = b; k < size; k++) sum += columns[a * size + k]! * columns[b * size + k]!;
      result[a * size + b] = sum;
      result[b * size + a] = sum;
    }
  return result;
};

/** log det A. */
export const logDeterminant = ({ size, lower }: Cholesky): number => {
  let sum = 0;
  for (let i = 0; i < size; i++) sum += 2 * Math.log(lower[i * size + i]!);
  return sum;
};
