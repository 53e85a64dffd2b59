import type { Address, Heap } from './heap.ts';
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
  readonly table: { readonly start: Address; readonly end: Address };
}

type Strides = { readonly inputStride: number; readonly outputStride: number };

/** Four images at once, then those that are left. */
function inFours<Spec extends Strides>(
  heap: Heap,
  write: (spec: Spec & { readonly images: number }) => Module,
  spec: Spec,
  images: number,
  { input, weights, output, bias, table }: Operands,
): void {
  const run = (atOnce: number, done: number, times: number): void => {
    if (atOnce * times === 0) return;
    const name = `${write.name} ${atOnce} ${Object.values(spec).join(' ')}`;
    const kernel = heap.kernel(name, () => write({ ...spec, images: atOnce }));
    const [from, to] = [input + done * spec.inputStride, output + done * spec.outputStride];
    kernel(from, weights, to, bias ?? 0, table.start, table.end, times);
  };
  const left = images % 4;
  run(4, 0, (images - left) / 4);
  run(left, images - left, 1);
}

export function contract(heap: Heap, spec: Omit<Contraction, 'images'>, images: number, at: Operands): void {
  inFours(heap, contraction, spec, images, at);
}

export function contractByDots(
  heap: Heap,
  spec: Omit<DotProducts, 'images'>,
  images: number,
  at: Operands,
): void {
  inFours(heap, dotProducts, spec, images, at);
}
