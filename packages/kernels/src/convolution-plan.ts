import type { LinearOrRelu } from './contract-images.ts';
import type { Address } from './heap.ts';

/** How the sums of a convolution start and end: what its kernels are specialised to besides the geometry. */
export interface Ends {
  readonly start: 'zero' | 'bias';
  readonly activation: LinearOrRelu;
}

/** Packs the filter, and answers what takes images from input to output. */
export type Plan = (filter: Address, bias: Address | undefined) => Run;
export type Run = (input: Address, output: Address, images: number) => void;
