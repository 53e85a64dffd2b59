import { setFlagsFromString } from 'node:v8';
import { f32x4, get, multiplyAdd } from './assembler.ts';
import { assemble, instantiate } from './module.ts';

let fused: boolean | undefined;

/**
 * Whether a · b + c is rounded once (one instruction on every x86-64 since 2013 and every arm64) or twice.
 * It decides the last bits of a trained model, so it is part of a backend's description.
 */
export function hasFusedMultiplyAdd(): boolean {
  fused ??= probe();
  return fused;
}

function probe(): boolean {
  const bytes = assemble(1, ([at]) =>
    f32x4.store(
      get(at),
      multiplyAdd(true, f32x4.load(get(at)), f32x4.load(get(at), 16), f32x4.load(get(at), 32)),
    ),
  );
  // Relaxed SIMD is on by default from V8 11.4 (Node 21); in Node 20 it is there, behind a flag.
  if (!WebAssembly.validate(bytes)) setFlagsFromString('--experimental-wasm-relaxed-simd');
  if (!WebAssembly.validate(bytes)) return false;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const floats = new Float32Array(memory.buffer);
  const [above, below] = [1 + 2 ** -23, 1 - 2 ** -23]; // their product is 1 − 2⁻⁴⁶, which rounds to 1
  floats.fill(above, 0, 4).fill(below, 4, 8).fill(-1, 8, 12);
  instantiate(bytes, memory)(0);
  return floats[0] === -(2 ** -46);
}
