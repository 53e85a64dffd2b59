import type { Address, Heap, Table } from './heap.ts';
import { perCount } from './per-count.ts';
import { hasFusedMultiplyAdd } from './wasm/arithmetic.ts';
import { type Contraction, contraction } from './wasm/contract.ts';
import { type DotProducts, dotProducts } from './wasm/dot.ts';
import type { Module } from './wasm/module.ts';

export type LinearOrRelu = 'linear' | 'relu';

/** Weights are packed in panels of 8 columns: bytes of one k in a panel, and how many panels there are. */
export const panelRow = 32;
export const panelCount = (columns: number): number => Math.ceil(columns / 8);

/** Where a contraction reads and writes. */
export interface Operands {
  readonly input: Address;
  readonly weights: Address;
  readonly output: Address;
  readonly bias: Address | undefined;
  readonly table: Table;
}

/** Runs a contraction over so many images. */
export type Contract = (images: number, at: Operands) => void;

/** Four images at once, then those that are left. */
function inFours(
  heap: Heap,
  strides: { inputStride: number; outputStride: number },
  write: (images: number) => Module,
): Contract {
  const kernelFor = perCount((images) => heap.compile(write(images)));
  return (images, { input, weights, output, bias = 0, table }) => {
    const left = images % 4;
    const whole = images - left;
    if (whole > 0) kernelFor(4)(input, weights, output, bias, table.start, table.end, whole / 4);
    if (left === 0) return;
    const [from, to] = [input + whole * strides.inputStride, output + whole * strides.outputStride];
    kernelFor(left)(from, weights, to, bias, table.start, table.end, 1);
  };
}

type Shape<Spec> = Omit<Spec, 'images' | 'fused'>;

export function prepareContraction(heap: Heap, shape: Shape<Contraction>): Contract {
  const fused = hasFusedMultiplyAdd();
  return inFours(heap, shape, (images) => contraction({ ...shape, fused, images }));
}

export function prepareDotProducts(heap: Heap, shape: Shape<DotProducts>): Contract {
  const fused = hasFusedMultiplyAdd();
  return inFours(heap, shape, (images) => dotProducts({ ...shape, fused, images }));
}
