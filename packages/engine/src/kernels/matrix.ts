import { contract, type LinearOrRelu, panelCount, panelRow } from './contract-images.ts';
import type { Address, Heap } from './heap.ts';
import { hasFusedMultiplyAdd } from './wasm/arithmetic.ts';
import { correlation } from './wasm/correlate.ts';
import { sumRows } from './wasm/elementwise.ts';
import { gather, packColumns, packRows } from './wasm/pack.ts';

/** A matrix product's sizes: [rows, depth] · [depth, columns], either operand stored transposed. */
export interface Product {
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Weights of this many k and columns stay in the cache while all rows pass by. */
const depthBlock = 512;
const columnBlock = 64;

const range = (count: number, step: number): number[] =>
  Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);

/** The right operand in panels of 8 columns, [column / 8, depth, 8]; at a scratch address. */
function packed(heap: Heap, b: Address, { depth, columns, transposeB }: Product): Address {
  const panelStride = depth * panelRow;
  const target = heap.scratch('weights', panelCount(columns) * panelStride);
  const name = `${columns} ${depth}`;
  if (transposeB)
    heap.kernel(`packColumns ${name}`, () => packColumns({ columns, depth, panelStride }))(b, target);
  else heap.kernel(`packRows ${name}`, () => packRows({ columns, panelStride }))(b, target, depth);
  return target;
}

/** A · B with the rows of A as they lie: output = activation(A · B + bias). */
function forwards(
  heap: Heap,
  a: Address,
  weights: Address,
  output: Address,
  product: Product,
  bias: Address | undefined,
  activation: LinearOrRelu,
): void {
  const { rows, depth, columns } = product;
  const panelStride = depth * panelRow;
  for (const k of range(depth, depthBlock)) {
    const length = Math.min(depthBlock, depth - k);
    const table = heap.once(`stretch ${length}`, () => heap.table([0, 1, 0, 0, 4 * length]));
    for (const n of range(columns, columnBlock)) {
      const spec = {
        fused: hasFusedMultiplyAdd(),
        inputStride: 4 * depth,
        outputStride: 4 * columns,
        columns: Math.min(columnBlock, columns - n),
        panelStride,
        start: k > 0 ? 'output' : bias === undefined ? 'zero' : 'bias',
        activation: k + length === depth ? activation : 'linear',
      } as const;
      contract(heap, spec, rows, {
        input: a + 4 * k,
        weights: weights + (n / 8) * panelStride + k * panelRow,
        output: output + 4 * n,
        bias: (bias ?? 0) + 4 * n,
        table,
      });
    }
  }
}

/** Aᵀ · B with A stored [depth, rows] and B in panels. */
function correlated(
  heap: Heap,
  a: Address,
  panels: Address,
  output: Address,
  { rows, depth, columns }: Pick<Product, 'rows' | 'depth' | 'columns'>,
): void {
  heap.zero(output, rows * columns);
  const panelStride = depth * panelRow;
  const run = heap.once(`run ${depth}`, () => heap.table([0, 0, panelStride]));
  for (const n of range(columns, columnBlock)) {
    const spec = {
      fused: hasFusedMultiplyAdd(),
      rows,
      columns: Math.min(columnBlock, columns - n),
      resultStride: 4 * columns,
      inputStep: 4 * rows,
      panelStride,
    };
    const kernel = heap.kernel(`correlate ${Object.values(spec).join(' ')}`, () => correlation(spec));
    kernel(a, panels + (n / 8) * panelStride, output + 4 * n, run.start, run.end);
  }
}

/**
 * output [rows, columns] = activation(A · B + bias). Every sum runs over k in order, whatever the sizes around it.
 * A transposed A takes neither bias nor activation.
 */
export function multiply(
  heap: Heap,
  at: {
    readonly a: Address;
    readonly b: Address;
    readonly output: Address;
    readonly bias?: Address | undefined;
  },
  product: Product,
  activation: LinearOrRelu = 'linear',
): void {
  const weights = packed(heap, at.b, product);
  if (product.transposeA) correlated(heap, at.a, weights, at.output, product);
  else forwards(heap, at.a, weights, at.output, product, at.bias, activation);
}

/**
 * product [rows, columns] = Aᵀ · B and sums [columns] = Σ_k B, where A is stored [depth, rows] and B, [depth, columns], may be a
 * gradient that goes back through the ReLU whose output is `mask`: what a dense layer's kernel and bias need.
 */
export function multiplyTransposed(
  heap: Heap,
  a: Address,
  b: { readonly values: Address; readonly mask: Address | undefined },
  to: { readonly product: Address; readonly sums: Address },
  sizes: { readonly rows: number; readonly depth: number; readonly columns: number },
): void {
  const { depth, columns } = sizes;
  const panelStride = depth * panelRow;
  const panels = heap.scratch('weights', panelCount(columns) * panelStride);
  const spec = { length: columns, imageStride: 4 * columns, panelStride, masked: b.mask !== undefined };
  const { start, end } = heap.once('origin', () => heap.table([0]));
  const copy = heap.kernel(`gather ${Object.values(spec).join(' ')}`, () => gather(spec));
  copy(b.values, b.mask ?? 0, panels, start, end, depth);
  heap.zero(to.sums, columns);
  addRows(heap, panels, to.sums, { columns, rows: depth, step: panelRow, blockStride: panelStride });
  correlated(heap, a, panels, to.product, sizes);
}

/** to [columns] += the sum of `rows` rows, in order. Columns lie in blocks of 8. */
export function addRows(
  heap: Heap,
  from: Address,
  to: Address,
  layout: {
    readonly columns: number;
    readonly rows: number;
    readonly step: number;
    readonly blockStride: number;
  },
): void {
  const { rows, ...spec } = layout;
  heap.kernel(`sumRows ${spec.columns} ${spec.step} ${spec.blockStride}`, () => sumRows(spec))(
    from,
    to,
    rows,
  );
}
