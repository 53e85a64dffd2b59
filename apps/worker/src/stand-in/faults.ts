import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import type { StageSpec } from '@funnel/contracts';
import type { StageEnd } from '../messages.ts';
import type { StandInFault, StandInOptions } from './options.ts';

const matches = (fault: StandInFault, spec: StageSpec, epoch: number): boolean =>
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

const faults: Record<StandInFault['fault'], () => StageEnd | Promise<StageEnd>> = {
  throw: () => {
    throw new Error('The stand-in was told to throw');
  },
  exit: () => process.exit(3),
  abort: () => process.abort(),
  memory: fillMemory,
  buffers: takeMemory,
  wasm: growMemory,
  block: () => {
    block(Number.POSITIVE_INFINITY);
    return { status: 'stopped' };
  },
  idle: () => new Promise<never>(() => {}),
  diverge: () => ({ status: 'diverged', message: 'The stand-in was told to diverge' }),
  collapse: () => ({ status: 'collapsed', message: 'The stand-in was told to collapse' }),
};

/** Takes as long as a step, and does what the options want to happen at this one. */
export const suffer = async (
  spec: StageSpec,
  epoch: number,
  step: number,
  options: Required<StandInOptions>,
): Promise<StageEnd | undefined> => {
  await sleep(options.stepMilliseconds);
  if (step !== 0) return undefined;
  const fault = options.faults.find((candidate) => matches(candidate, spec, epoch));
  return fault && faults[fault.fault]();
};
