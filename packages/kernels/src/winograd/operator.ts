/** Sparse linear maps between positions, with factors of ±1. */

export interface Term {
  readonly from: number;
  readonly factor: number;
}

/** For each position of the result, what it is the sum of. */
export type Operator = readonly (readonly Term[])[];

/** The map whose result at (i, j) sums over both axes: rows of `inner` positions each. */
export const product = (outer: Operator, inner: Operator, innerFrom: number): Operator =>
  outer.flatMap((rows) =>
    inner.map((columns) =>
      rows.flatMap((row) =>
        columns.map((column) => ({
          from: row.from * innerFrom + column.from,
          factor: row.factor * column.factor,
        })),
      ),
    ),
  );

/** The transpose: what goes to each of the `count` positions that the operator reads. */
export function transpose(operator: Operator, count: number): Operator {
  const transposed: Term[][] = Array.from({ length: count }, () => []);
  for (const [to, terms] of operator.entries())
    for (const { from, factor } of terms) transposed[from]!.push({ from: to, factor });
  return transposed;
}

const bits = (value: number): number => new Int32Array(new Float32Array([value]).buffer)[0]!;

/** The operator as a combination's table over positions of `stride` bytes. */
export const combinationTable = (operator: Operator, stride: number): number[] =>
  operator.flatMap((terms) => [
    terms.length,
    ...terms.flatMap(({ from, factor }) => [from * stride, bits(factor)]),
  ]);
