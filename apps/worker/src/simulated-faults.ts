import { appendFileSync } from 'node:fs';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { StageKind, StageSpec } from '@funnel/contracts';
import type { StageEnd } from './messages.ts';

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

const matches = (fault: SimulatedFault, spec: StageSpec, epoch: number): boolean =>
  (fault.kind ?? spec.kind) === spec.kind &&
  (fault.seed ?? spec.seed) === spec.seed &&
  (fault.epoch ?? epoch) === epoch;

const block = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
};

const fillMemory = (): never => {
  const hoard: number[][] = [];
  for (;;) hoard.push(Array.from({ length: 1e5 }, Math.random));
};

const bufferBytes = 16 * 2 ** 20;

/** One at a time, so that whoever limits this process sees it grow; filled, so that its pages are really there. */
const takeMemory = async (): Promise<never> => {
  const hoard: Buffer[] = [];
  for (;;) {
    hoard.push(Buffer.alloc(bufferBytes, 1));
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
  (exports.f as () => void)(); // what the module above exports
  throw new Error('Expected WebAssembly to trap, but it did not');
};

const faults: Record<SimulatedFault['fault'], () => StageEnd | Promise<StageEnd>> = {
  throw: () => {
    throw new Error('The stand-in was told to throw');
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
  diverge: () => ({ status: 'diverged', message: 'The stand-in was told to diverge' }),
  collapse: () => ({ status: 'collapsed', message: 'The stand-in was told to collapse' }),
};

/** Takes as long as a step, and does what the options want to happen at this one. */
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
