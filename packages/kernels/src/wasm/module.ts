import { type Code, type Local, unsigned } from './assembler.ts';

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;

/** The bytes of a WebAssembly module with one exported function, `run`. */
export type Module = Uint8Array<ArrayBuffer>;

/** A kernel takes numbers (addresses, counts, floats) and writes to the heap. */
export type Kernel = (...args: number[]) => void;

/** As many locals as are taken from it by destructuring. */
type Some = readonly [Local, Local, Local, Local, Local, Local, Local, Local];

/** Hands out the locals of one function, in any order. */
export interface Locals {
  i32(count: number): Some;
  v128(): Local;
}

const section = (id: number, body: Code): Code => [id, ...unsigned(body.length), ...body];
const text = (name: string): Code => [...unsigned(name.length), ...new TextEncoder().encode(name)];

/** A module whose `run` takes `integers` addresses or counts, then `floats` numbers; its memory is imported as `heap.memory`. */
export function assemble(
  integers: number,
  body: (parameters: Some, locals: Locals, floats: Some) => Code,
  floats = 0,
): Module {
  const parameters = [...new Array<number>(integers).fill(I32), ...new Array<number>(floats).fill(F32)];
  const declared: number[] = [];
  const allot = (type: number): Local => ({ index: parameters.length + declared.push(type) - 1 });
  // The tuple promises more than may be there: using a local that was not asked for throws when the kernel is written.
  const some = (locals: Local[]): Some => locals as unknown as Some;
  const parameter = parameters.map((_, index) => ({ index }));
  const code = body(
    some(parameter.slice(0, integers)),
    { i32: (count) => some(Array.from({ length: count }, () => allot(I32))), v128: () => allot(V128) },
    some(parameter.slice(integers)),
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

/** Compiles a module onto a heap. */
export function instantiate(module: Module, memory: WebAssembly.Memory): Kernel {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(module), { heap: { memory } });
  return instance.exports.run as Kernel; // assemble() exports exactly this
}
