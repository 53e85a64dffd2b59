/** What the gradient of a convolution's filter is made from, and where it goes. */
import type { Address } from './heap.ts';

/** One side of a convolution: values, or a gradient that goes back through the ReLU whose output is `mask`. */
export interface Side {
  readonly values: Address;
  readonly mask?: Address | undefined;
}

export type SideName = 'image' | 'map';

/** Where the sums go; `bias` only where one side is named as the gradient that it is the sum of. */
export interface Results {
  readonly filter: Address;
  readonly bias: Address;
}
