import type { StageKind } from '@funnel/contracts';

/** Which stages something happens to: those that match all that is given. */
type StageMatch = { readonly kind?: StageKind; readonly seed?: number; readonly epoch?: number };

export type SimulatedFault = StageMatch & {
  /**
   * `throw`: an error in the training code. `exit`, `abort`: the process ends, plainly or by a native abort. `memory`: V8's heap runs full.
   * `buffers`: memory outside of that heap is taken until there is none. `wasm`: a WebAssembly memory grows beyond what it may.
   * `trap`: WebAssembly reaches for memory that it has not, as TensorFlow.js does when it gets none.
   * `block`: a step never returns and no signal handler runs. `idle`: training waits for ever. `diverge`, `collapse`: the result is one.
   */
  readonly fault:
    | 'throw'
    | 'exit'
    | 'abort'
    | 'memory'
    | 'buffers'
    | 'wasm'
    | 'trap'
    | 'block'
    | 'idle'
    | 'diverge'
    | 'collapse';
};

/** How the stand-in trainer behaves; its results depend on the stage alone and not on any of this, but for their size. */
export type SimulationOptions = {
  /** (Default: 4) */
  readonly stepsPerEpoch?: number;
  /** (Default: 0) */
  readonly stepMilliseconds?: number;
  /** What goes wrong, at the first step of the epochs that match. (Default: nothing) */
  readonly faults?: readonly SimulatedFault[];
  /** Of a network's weights, a multiple of 4: real ones have 5 to 11 MB. (Default: 32) */
  readonly weightBytes?: number;
  /** A file that every step is noted in as it begins, a line `epoch step` each: what a trainer does is seen without being told. (Default: none) */
  readonly journal?: string | null;
};
