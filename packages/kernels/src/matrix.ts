/**
 * Matrix products, with either factor transposed.
 */
import type { Address, Heap, Table } from './heap.ts';
import { type Contract, type LinearOrRelu, prepareContraction } from './passes.ts';
import { hasFusedMultiplyAdd, type Kernel } from './wasm/assembler.ts';
import { sumRows } from './wasm/elementwise.ts';
import { gather, packColumns, packRows, panelCount, panelRow } from './wasm/pack.ts';
import { correlation } from './wasm/products.ts';

/** The sizes of a matrix product [rows, depth] · [depth, columns]. */
export interface Sizes {
  readonly rows: number;
  readonly depth: number;
  readonly columns: number;
}

/** The size of a block of weights, in k and in columns. A block stays in the cache while all rows are multiplied with it. */
const depthBlock = 512;
const columnBlock = 64;
/** The number of rows of a transposed factor that are copied at once. */
const rowBlock = 64;

const blocks = (count: number, size: number): { readonly from: number; readonly length: number }[] =>
  Array.from({ length: Math.ceil(count / size) }, (_, i) => ({
    from: i * size,
    length: Math.min(size, count - i * size),
  }));

export interface Factors {
  readonly a: Address;
  readonly b: Address;
  readonly output: Address;
  readonly bias?: Address | undefined;
}

/** Which factor is stored transposed: A as [depth, rows], B as [columns, depth]. */
export interface Transposed {
  readonly a: boolean;
  readonly b: boolean;
}

/**
 * output [rows, columns] = activation(A · B + bias). Every sum runs over k in order, whatever the sizes, so a row has the same bits in any
 * batch. With a transposed A, bias and activation are not supported.
 */
export function multiply(
  heap: Heap,
  at: Factors,
  sizes: Sizes,
  transposed: Transposed,
  activation: LinearOrRelu = 'linear',
): void {
  const { rows, depth, columns } = sizes;
  const pack = heap.once(`pack ${depth} ${columns} ${transposed.b}`, () =>
    preparePack(heap, sizes, transposed.b),
  );
  const panels = pack(at.b);
  if (transposed.a) {
    correlatePanels(heap, at.a, panels, at.output, sizes);
    return;
  }
  const start = at.bias === undefined ? 'zero' : 'bias';
  const run = heap.once(`multiply ${depth} ${columns} ${start} ${activation}`, () =>
    prepareProduct(heap, sizes, start, activation),
  );
  run(rows, panels, at);
}

/** Packs B into panels of 8 columns in scratch space, [column / 8, depth, 8]. */
function preparePack(heap: Heap, { depth, columns }: Sizes, transposed: boolean): (b: Address) => Address {
  const panelStride = depth * panelRow;
  const kernel = heap.compile(
    transposed ? packColumns({ columns, depth, panelStride }) : packRows({ columns, panelStride }),
  );
  return (b) => {
    const target = heap.scratch('weights', panelCount(columns) * panelStride);
    kernel(b, target, depth);
    return target;
  };
}

/** A [rows, depth] times B in panels. */
function prepareProduct(
  heap: Heap,
  { depth, columns }: Sizes,
  start: 'zero' | 'bias',
  activation: LinearOrRelu,
): (rows: number, panels: Address, at: Factors) => void {
  const steps: { contract: Contract; table: Table; k: number; n: number }[] = [];
  for (const k of blocks(depth, depthBlock)) {
    const table = heap.table([0, 1, 0, 0, 4 * k.length]);
    const byWidth = new Map<number, Contract>();
    for (const n of blocks(columns, columnBlock)) {
      const contract =
        byWidth.get(n.length) ??
        prepareContraction(heap, {
          inputStride: 4 * depth,
          outputStride: 4 * columns,
          columns: n.length,
          panelStride: depth * panelRow,
          start: k.from > 0 ? 'output' : start,
          activation: k.from + k.length === depth ? activation : 'linear',
        });
      byWidth.set(n.length, contract);
      steps.push({ contract, table, k: k.from, n: n.from });
    }
  }
  return (rows, panels, { a, output, bias = 0 }) => {
    for (const { contract, table, k, n } of steps)
      contract(rows, {
        input: a + 4 * k,
        weights: panels + (n / 8) * depth * panelRow + k * panelRow,
        output: output + 4 * n,
        bias: bias + 4 * n,
        table,
      });
  };
}

/** Aᵀ · B, with A stored as [depth, rows] and B in panels. */
function correlatePanels(heap: Heap, a: Address, panels: Address, output: Address, sizes: Sizes): void {
  const { rows, depth, columns } = sizes;
  heap.zero(output, rows * columns);
  const { run, origin, bands } = heap.once(`correlate ${rows} ${depth} ${columns}`, () =>
    prepareCorrelation(heap, sizes),
  );
  for (const { from, copy, kernels } of bands) {
    let input = a + 4 * from;
    if (copy) {
      const packed = heap.scratch('rows', 4 * depth * rowBlock);
      copy(input, 0, packed, origin.start, origin.end, depth);
      input = packed;
    }
    for (const { kernel, n } of kernels)
      kernel(
        input,
        panels + (n / 8) * depth * panelRow,
        output + 4 * (from * columns + n),
        run.start,
        run.end,
      );
  }
}

/**
 * Many rows are copied to scratch space, a few at a time. For a power of two, such as the 4096 units of an 8×8 map, the values of one row are
 * a power of two apart, so they compete for the same lines of the cache.
 */
function prepareCorrelation(heap: Heap, { rows, depth, columns }: Sizes) {
  const panelStride = depth * panelRow;
  const isCopied = rows > rowBlock;
  const compiled = new Map<string, Kernel>();
  const compileOnce = (name: string, make: () => Kernel): Kernel => {
    const kernel = compiled.get(name) ?? make();
    compiled.set(name, kernel);
    return kernel;
  };
  const bands = blocks(rows, isCopied ? rowBlock : rows).map(({ from, length: height }) => ({
    from,
    copy: isCopied
      ? compileOnce(`copy ${height}`, () =>
          heap.compile(
            gather({ length: height, imageStride: 4 * rows, panelStride: undefined, masked: false }),
          ),
        )
      : undefined,
    kernels: blocks(columns, columnBlock).map(({ from: n, length: width }) => ({
      n,
      kernel: compileOnce(`${height} ${width}`, () =>
        heap.compile(
          correlation({
            fused: hasFusedMultiplyAdd(),
            rows: height,
            columns: width,
            resultStride: 4 * columns,
            inputStep: 4 * height,
            panelStride,
          }),
        ),
      ),
    })),
  }));
  return { run: heap.table([0, 0, panelStride]), origin: heap.table([0]), bands };
}

/**
 * The gradients of a dense layer: product [rows, columns] = Aᵀ · B for its kernel, and sums [columns] = Σ_k B for its bias. A is stored as
 * [depth, rows]. B [depth, columns] may be a gradient that first goes back through the ReLU whose output is `mask`.
 */
export function multiplyTransposed(
  heap: Heap,
  a: Address,
  b: { readonly values: Address; readonly mask: Address | undefined },
  to: { readonly product: Address; readonly sums: Address },
  sizes: Sizes,
): void {
  const { depth, columns } = sizes;
  const masked = b.mask !== undefined;
  const panelStride = depth * panelRow;
  const { copy, sum, origin } = heap.once(`transposed ${depth} ${columns} ${masked}`, () => ({
    copy: heap.compile(gather({ length: columns, imageStride: 4 * columns, panelStride, masked })),
    sum: heap.compile(sumRows({ columns, step: panelRow, blockStride: panelStride })),
    origin: heap.table([0]),
  }));
  const panels = heap.scratch('weights', panelCount(columns) * panelStride);
  copy(b.values, b.mask ?? 0, panels, origin.start, origin.end, depth);
  heap.zero(to.sums, columns);
  sum(panels, to.sums, depth);
  correlatePanels(heap, a, panels, to.product, sizes);
}
