import { setFlagsFromString } from 'node:v8';

/**
 * A small assembler: kernels are written as expressions and become the bytes of a WebAssembly module when they are first needed.
 *
 * Each kernel is specialised to the shape of a layer. Strides are then immediate offsets, and V8 keeps a 4 × 8 tile of sums in registers
 * (measured: 42–50 GFLOP/s; with strides in variables 20). Opcodes: WebAssembly Core 2.0, §5.4.
 */
export type Code = readonly number[];

/** Unsigned LEB128, of any 32-bit pattern. */
export function unsigned(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >>> 0;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest ? low | 0x80 : low);
  } while (rest);
  return bytes;
}

/** Signed LEB128. */
function signed(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value | 0; ; rest >>= 7) {
    const low = rest & 0x7f;
    const last = rest >> 6 === 0 || rest >> 6 === -1;
    bytes.push(last ? low : low | 0x80);
    if (last) return bytes;
  }
}

/** A local variable: `get` reads it, `set` assigns it. */
export interface Local {
  readonly index: number;
}

export const get = (local: Local): Code => [0x20, ...unsigned(local.index)];
export const set = (local: Local, value: Code): Code => [...value, 0x21, ...unsigned(local.index)];
export const seq = (...parts: Code[]): Code => parts.flat();

const binary =
  (opcode: number) =>
  (a: Code, b: Code): Code => [...a, ...b, opcode];

/** 32-bit integers: addresses and counters. The byte offset of a load or store costs no time. */
export const i32 = {
  const: (value: number): Code => [0x41, ...signed(value)],
  load: (address: Code, offset = 0): Code => [...address, 0x28, 2, ...unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    0x36,
    2,
    ...unsigned(offset),
  ],
  add: binary(0x6a),
  sub: binary(0x6b),
  mul: binary(0x6c),
  and: binary(0x71),
  shiftRight: binary(0x76),
  lessThan: binary(0x49), // unsigned, like shifts
};

const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const lanewise =
  (opcode: number) =>
  (a: Code, b: Code): Code => [...a, ...b, ...simd(opcode)];

/** Four 32-bit floats. */
export const f32x4 = {
  zero: [...simd(0x0c), ...new Array<number>(16).fill(0)] as Code,
  load: (address: Code, offset = 0): Code => [...address, ...simd(0x00), 2, ...unsigned(offset)],
  /** One float, in all four lanes. */
  loadSplat: (address: Code, offset = 0): Code => [...address, ...simd(0x09), 2, ...unsigned(offset)],
  /** Four bytes, unsigned, as floats. */
  loadBytes: (address: Code, offset = 0): Code => [
    ...f32x4.loadLow(address, offset),
    ...simd(0x89), // to 16 bits
    ...simd(0xa9), // to 32 bits
    ...simd(0xfb), // to floats
  ],
  /** One float in lane 0, zeros in the others. */
  loadLow: (address: Code, offset = 0): Code => [...address, ...simd(0x5c), 2, ...unsigned(offset)],
  store: (address: Code, value: Code, offset = 0): Code => [
    ...address,
    ...value,
    ...simd(0x0b),
    2,
    ...unsigned(offset),
  ],
  /** `value` with one lane from memory. */
  loadLane: (address: Code, value: Code, lane: number, offset = 0): Code => [
    ...address,
    ...value,
    ...simd(0x56),
    2,
    ...unsigned(offset),
    lane,
  ],
  storeLane: (address: Code, value: Code, lane: number, offset = 0): Code => [
    ...address,
    ...value,
    ...simd(0x5a),
    2,
    ...unsigned(offset),
    lane,
  ],
  splat: (value: number): Code => {
    const bytes = new Uint8Array(new Float32Array([value, value, value, value]).buffer);
    return [...simd(0x0c), ...bytes];
  },
  splatOf: (scalar: Code): Code => [...scalar, ...simd(0x13)],
  /** Lanes of `a` (0–3) and `b` (4–7) in the order that `lanes` gives. */
  shuffle: (a: Code, b: Code, lanes: readonly [number, number, number, number]): Code => [
    ...a,
    ...b,
    ...simd(0x0d),
    ...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
  ],
  sqrt: (a: Code): Code => [...a, ...simd(0xe3)],
  nearest: (a: Code): Code => [...a, ...simd(0x6a)],
  toInteger: (a: Code): Code => [...a, ...simd(0xf8)],
  add: lanewise(0xe4),
  sub: lanewise(0xe5),
  mul: lanewise(0xe6),
  div: lanewise(0xe7),
  /** max: a < b ? b : a. min: b < a ? b : a. One instruction each; a NaN in `a` stays. */
  max: lanewise(0xeb),
  min: lanewise(0xea),
  equal: lanewise(0x41),
  greater: lanewise(0x44),
  and: lanewise(0x4e),
  or: lanewise(0x50),
  andNot: lanewise(0x4f),
  xor: lanewise(0x51),
  /** 1 when a bit is set, else 0: a condition. */
  anyBit: (a: Code): Code => [...a, ...simd(0x53)],
};

/** a · b + c, rounded once with `fused` (relaxed SIMD), else twice. See `hasFusedMultiplyAdd`. */
export const multiplyAdd = (fused: boolean, a: Code, b: Code, c: Code): Code =>
  fused ? [...a, ...b, ...c, ...simd(0x105)] : f32x4.add(c, f32x4.mul(a, b));

/** Runs the body, then again while the condition holds. */
export const doWhile = (body: Code, condition: Code): Code => [
  0x03,
  0x40,
  ...body,
  ...condition,
  0x0d,
  0,
  0x0b,
];

export const when = (condition: Code, body: Code): Code => [...condition, 0x04, 0x40, ...body, 0x0b];

/** Runs the body `count` times. The count is known when the kernel is written. `counter` counts down. */
export const times = (counter: Local, count: number, body: Code): Code => {
  if (count < 2) return count === 1 ? body : [];
  const repeated = seq(body, set(counter, i32.sub(get(counter), i32.const(1))));
  return seq(set(counter, i32.const(count)), doWhile(repeated, get(counter)));
};

/** local += bytes */
export const advance = (local: Local, bytes: number): Code =>
  bytes === 0 ? [] : set(local, i32.add(get(local), i32.const(bytes)));

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;

/** The bytes of a WebAssembly module with one exported function, `run`. */
export type Module = Uint8Array<ArrayBuffer>;

/** A compiled kernel: takes addresses, counts and floats, and writes to the heap. */
export type Kernel = (...args: number[]) => void;

/** A list of locals, to destructure. */
type LocalTuple = readonly [Local, Local, Local, Local, Local, Local, Local, Local];

/** Creates the locals of one function, in any order. */
export interface Locals {
  i32(count: number): LocalTuple;
  v128(): Local;
}

const section = (id: number, body: Code): Code => [id, ...unsigned(body.length), ...body];
const text = (name: string): Code => [...unsigned(name.length), ...new TextEncoder().encode(name)];

/** A module whose `run` takes `integers` addresses or counts, then `floats` numbers; its memory is imported as `heap.memory`. */
export function assemble(
  integers: number,
  body: (parameters: LocalTuple, locals: Locals, floats: LocalTuple) => Code,
  floats = 0,
): Module {
  const parameters = [...new Array<number>(integers).fill(I32), ...new Array<number>(floats).fill(F32)];
  const declared: number[] = [];
  const allot = (type: number): Local => ({ index: parameters.length + declared.push(type) - 1 });
  // The tuple type may be longer than the list. Using a local that was not requested throws when the kernel is written.
  const asTuple = (locals: Local[]): LocalTuple => locals as unknown as LocalTuple;
  const parameter = parameters.map((_, index) => ({ index }));
  const code = body(
    asTuple(parameter.slice(0, integers)),
    { i32: (count) => asTuple(Array.from({ length: count }, () => allot(I32))), v128: () => allot(V128) },
    asTuple(parameter.slice(integers)),
  );
  const locals = declared.flatMap((type) => [1, type]);
  const run: Code = [...unsigned(declared.length), ...locals, ...code, 0x0b];
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, ...unsigned(parameters.length), ...parameters, 0]),
    ...section(2, [1, ...text('heap'), ...text('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text('run'), 0, 0]),
    ...section(10, [1, ...unsigned(run.length), ...run]),
  ]);
}

/** Compiles a module. Its kernel works on `memory`. */
export function instantiate(module: Module, memory: WebAssembly.Memory): Kernel {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module), { heap: { memory } });
  return instance.exports.run as Kernel; // assemble() exports exactly this
}

let fused: boolean | undefined;

/**
 * Whether this machine rounds a · b + c once (one instruction on every x86-64 since 2013 and on every arm64) or twice. The last bits of a
 * trained model depend on it, so it is part of a backend's description.
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
  // Relaxed SIMD is on by default from V8 11.4 (Node 21). Node 20 has it behind a flag.
  if (!WebAssembly.validate(bytes)) setFlagsFromString('--experimental-wasm-relaxed-simd');
  if (!WebAssembly.validate(bytes)) return false;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const floats = new Float32Array(memory.buffer);
  const [above, below] = [1 + 2 ** -23, 1 - 2 ** -23]; // their product is 1 − 2⁻⁴⁶, which rounds to 1
  floats.fill(above, 0, 4).fill(below, 4, 8).fill(-1, 8, 12);
  instantiate(bytes, memory)(0);
  return floats[0] === -(2 ** -46);
}
