import { appendFileSync } from 'node:fs';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { AppError, type StageKind, type StageSpec } from '@funnel/contracts';
import type { StageEnd } from './messages.ts';

/** Selects stages by all fields that are given. */
type StageMatch = { readonly kind?: StageKind; readonly seed?: number; readonly epoch?: number };

export type SimulatedFault = StageMatch & {
  /**
   * `throw`: an error in the training code. `exit`, `abort`: the process exits, or ends by a native abort. `memory`: V8's heap runs full.
   * `buffers`: the process takes memory outside of that heap until none is left. `wasm`: a WebAssembly memory grows beyond its limit.
   * `trap`: WebAssembly accesses memory out of bounds, as TensorFlow.js does after a failed allocation.
   * `block`: a step never returns, and no signal handler runs. `idle`: training waits for ever. `diverge`, `collapse`: the stage
   * ends as diverged or collapsed. `data`: the data set is not there.
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
    | 'collapse'
    | 'data';
};

/** How the simulated trainer behaves. Its results depend on the stage alone; only their size depends on these options. */
export type SimulationOptions = {
  /** (Default: 4) */
  readonly stepsPerEpoch?: number;
  /** (Default: 0) */
  readonly stepMilliseconds?: number;
  /** Faults, at the first step of the epochs that match. (Default: none) */
  readonly faults?: readonly SimulatedFault[];
  /** Bytes of a network's weights, a multiple of 4. Real networks have 5 to 11 MiB. (Default: 32) */
  readonly weightBytes?: number;
  /** A file that gets a line `epoch step` at the beginning of every step, so that tests see the steps without messages. (Default: none) */
  readonly journal?: string | null;
};

const matches = (fault: SimulatedFault, spec: StageSpec, epoch: number): boolean =>
  (fault.kind ?? spec.kind) === spec.kind &&
  (fault.seed ?? spec.seed) === spec.seed &&
  (fault.epoch ?? epoch) === epoch;

const block = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
};

const fillMemory = (): never => {
  const held: number[][] = [];
  for (;;) held.push(Array.from({ length: 1e5 }, Math.random));
};

const bufferBytes = 16 * 2 ** 20;

/** Takes one buffer after the other, so that a limit on this process can act. Fills each, so that the system must provide its pages. */
const takeMemory = async (): Promise<never> => {
  const held: Buffer[] = [];
  for (;;) {
    held.push(Buffer.alloc(bufferBytes, 1));
    await setImmediate();
  }
};

const growMemory = (): never => {
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 2 });
  for (;;) memory.grow(1);
};

/** (module (memory 1) (func (export "f") (drop (i32.load (i32.const -1))))) */
const trapping = [
  ...[
    0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x04, 0x01, 0x60, 0x00, 0x00, 0x03, 0x02, 0x01,
    0x00,
  ],
  ...[0x05, 0x03, 0x01, 0x00, 0x01, 0x07, 0x05, 0x01, 0x01, 0x66, 0x00, 0x00],
  ...[0x0a, 0x0a, 0x01, 0x08, 0x00, 0x41, 0x7f, 0x28, 0x02, 0x00, 0x1a, 0x0b],
];

const trap = (): never => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(trapping)));
  (exports.f as () => void)(); // `trapping` exports the function `f`
  throw new Error('Expected WebAssembly to trap, but it did not');
};

const faults: Record<SimulatedFault['fault'], () => StageEnd | Promise<StageEnd>> = {
  throw: () => {
    throw new Error('The simulated trainer was told to throw');
  },
  exit: () => process.exit(3),
  abort: () => process.abort(),
  memory: fillMemory,
  buffers: takeMemory,
  wasm: growMemory,
  trap,
  block: () => {
    block(Number.POSITIVE_INFINITY);
    return { status: 'stopped' };
  },
  idle: () => new Promise<never>(() => {}),
  diverge: () => ({ status: 'diverged', message: 'The simulated trainer was told to diverge' }),
  data: () => {
    throw new AppError('DATASET_MISSING', 'The simulated trainer was told to have no data');
  },
  collapse: () => ({ status: 'collapsed', message: 'The simulated trainer was told to collapse' }),
};

/** Waits as long as a step takes. Then injects the fault that `options` has for this step, if any. */
export const injectFault = async (
  spec: StageSpec,
  epoch: number,
  step: number,
  options: Required<SimulationOptions>,
): Promise<StageEnd | undefined> => {
  if (options.journal !== null) appendFileSync(options.journal, `${epoch} ${step}\n`);
  await sleep(options.stepMilliseconds);
  if (step !== 0) return undefined;
  const fault = options.faults.find((candidate) => matches(candidate, spec, epoch));
  return fault && faults[fault.fault]();
};
