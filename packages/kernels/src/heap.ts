import * as tf from '@tensorflow/tfjs';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { instantiate, type Kernel, type Module } from './wasm/assembler.ts';

/** A byte offset on the heap of tfjs-wasm. */
export type Address = number;

/** What tfjs hands a kernel under these names; its own type loses that they are there. */
export type Tensors<Name extends string> = Readonly<Record<Name, tf.TensorInfo>>;

/** Where integers lie that a kernel walks through. */
export interface Table {
  readonly start: Address;
  readonly end: Address;
}

/** The heap of tfjs-wasm as kernels see it: tensors by address, scratch space, and kernels compiled onto the same memory. */
export interface Heap {
  readonly backend: BackendWasm;
  /** A new tensor; its values are whatever lay there. */
  allocate(shape: readonly number[]): tf.TensorInfo;
  address(tensor: tf.TensorInfo): Address;
  /** A view, stale as soon as the heap grows: allocate first, view after. */
  floats(tensor: tf.TensorInfo): Float32Array;
  free(tensor: tf.TensorInfo): void;
  zero(address: Address, floats: number): void;
  copy(from: Address, to: Address, floats: number): void;
  /** At least that many bytes, the same for all who use the name: valid until the next request under that name. */
  scratch(name: string, bytes: number): Address;
  /** Integers that stay where they are for good. */
  table(integers: readonly number[]): Table;
  compile(module: Module): Kernel;
  /** Whatever `make` gives, made once per heap and name. */
  once<T>(name: string, make: () => T): T;
}

/** The parts of the emscripten module that its published type leaves out. */
interface Emscripten {
  readonly asm: { readonly memory: WebAssembly.Memory };
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/** Bytes past the end that a kernel may write to when it works on whole vectors. */
const slack = 64;

const heaps = new WeakMap<BackendWasm, Heap>();

/** The heap of the backend that a wasm kernel was handed. */
export function heapOf(backend: unknown): Heap {
  const wasm = backend as BackendWasm; // a kernel registered for 'wasm' is only ever handed that backend
  const known = heaps.get(wasm);
  if (known) return known;
  const heap = createHeap(wasm);
  heaps.set(wasm, heap);
  return heap;
}

function createHeap(backend: BackendWasm): Heap {
  const module = backend.wasm as unknown as Emscripten;
  const { memory } = module.asm;
  const malloc = (bytes: number): Address => {
    const address = module._malloc(bytes) >>> 0; // signed in emscripten's eyes
    if (address === 0)
      throw new Error(`The wasm heap (4 GiB at most) has no ${bytes} bytes left: use smaller batches.`);
    return address;
  };
  const spaces = new Map<string, { address: Address; bytes: number }>();
  const made = new Map<string, unknown>();
  const once = <T>(name: string, make: () => T): T => {
    if (!made.has(name)) made.set(name, make());
    return made.get(name) as T; // set under this name just now, or by the same caller
  };
  return {
    backend,
    once,
    allocate: (shape) => backend.makeOutput([...shape], 'float32'),
    address: (tensor) => backend.dataIdMap.get(tensor.dataId).memoryOffset,
    floats: (tensor) => backend.typedArrayFromHeap(tensor) as Float32Array,
    free: (tensor) => {
      backend.disposeData(tensor.dataId);
    },
    zero: (address, floats) => {
      new Float32Array(memory.buffer, address, floats).fill(0);
    },
    copy: (from, to, floats) => {
      new Float32Array(memory.buffer).copyWithin(to / 4, from / 4, from / 4 + floats);
    },
    scratch: (name, wanted) => {
      const bytes = wanted + slack;
      const space = spaces.get(name);
      if (space && space.bytes >= bytes) return space.address;
      if (space) module._free(space.address);
      const address = malloc(bytes);
      spaces.set(name, { address, bytes });
      return address;
    },
    table: (integers) => {
      const start = malloc(4 * integers.length);
      new Int32Array(memory.buffer, start, integers.length).set(integers);
      return { start, end: start + 4 * integers.length };
    },
    compile: (module) => instantiate(module, memory),
  };
}

/** tfjs-wasm's own heap, without importing the backend: this package runs on any. */

/** The parts of the wasm backend that are used here. Views are stale once another tensor is made. */
export type HeapBackend = {
  readonly makeOutput: (shape: number[], dtype: 'float32') => tf.TensorInfo;
  readonly typedArrayFromHeap: (tensor: tf.TensorInfo) => Float32Array;
};

/** The backend in use, where it is one with a heap. */
export const heapBackend = (): HeapBackend | undefined => {
  const backend = tf.backend() as Partial<HeapBackend>; // asked for what it has
  return backend.makeOutput && backend.typedArrayFromHeap ? (backend as HeapBackend) : undefined;
};

/** Remembers what `make` gives for each small number: kernels and tables that differ by how many images they take. */
export function perCount<T>(make: (count: number) => T): (count: number) => T {
  const made: T[] = [];
  return (count) => {
    const known = made[count];
    if (known !== undefined) return known;
    const fresh = make(count);
    made[count] = fresh;
    return fresh;
  };
}
