/**
 * The heap of tfjs-wasm: where kernels find tensors, scratch space and tables.
 */
import * as tf from '@tensorflow/tfjs';
import { instantiate, type Kernel, type Module } from './wasm/assembler.ts';

/** A byte offset on the heap of tfjs-wasm. */
export type Address = number;

/** The inputs of a kernel by name. The type of tfjs does not list the names. */
export type Tensors<Name extends string> = Readonly<Record<Name, tf.TensorInfo>>;

/** A table of 32-bit integers on the heap, which a kernel reads from start to end. */
export interface Table {
  readonly start: Address;
  readonly end: Address;
}

/**
 * The part of tfjs-wasm's backend that kernels use. Its own type is in `@tensorflow/tfjs-backend-wasm`, which a user of `@funnel/attacks` on another
 * backend does not install.
 */
type BackendWasm = {
  readonly wasm: unknown;
  readonly dataIdMap: { get(dataId: tf.TensorInfo['dataId']): { readonly memoryOffset: Address } };
  makeOutput(shape: number[], dtype: 'float32'): tf.TensorInfo;
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array;
  disposeData(dataId: tf.TensorInfo['dataId']): boolean;
};

/** The heap of tfjs-wasm for kernels: tensors by address, scratch space, and kernels compiled onto the same memory. */
export interface Heap {
  /** A new tensor with undefined values. */
  allocate(shape: readonly number[]): tf.TensorInfo;
  address(tensor: tf.TensorInfo): Address;
  /** A view of a tensor's values. It is invalid after the next allocation. */
  floats(tensor: tf.TensorInfo): Float32Array;
  /** A view of bytes. It is invalid after the next allocation. */
  bytes(address: Address, count: number): Uint8Array;
  free(tensor: tf.TensorInfo): void;
  /** The integer at an address. */
  integer(address: Address): number;
  zero(address: Address, floats: number): void;
  copy(from: Address, to: Address, floats: number): void;
  /** Scratch space of at least `bytes` bytes. It is valid until the next call with the same name. */
  scratch(name: string, bytes: number): Address;
  /** Copies integers to the heap and never frees them. */
  table(integers: readonly number[]): Table;
  compile(module: Module): Kernel;
  /** The result of `make`, which is called once for each heap and name. */
  once<T>(name: string, make: () => T): T;
}

/** The part of the Emscripten module that we use and that its published type lacks. */
interface Emscripten {
  readonly asm: { readonly memory: WebAssembly.Memory };
  _malloc(bytes: number): number;
  _free(address: number): void;
}

/** Bytes past the end of scratch space to which kernels may write, because they work on whole vectors. */
const slack = 64;

const heaps = new WeakMap<BackendWasm, Heap>();

/** The heap of the backend that tfjs passes to a kernel. */
export function heapOf(backend: unknown): Heap {
  const wasm = backend as BackendWasm; // tfjs calls a kernel of 'wasm' with this backend
  const known = heaps.get(wasm);
  if (known) return known;
  const heap = createHeap(wasm);
  heaps.set(wasm, heap);
  return heap;
}

function createHeap(backend: BackendWasm): Heap {
  const module = backend.wasm as Emscripten;
  const { memory } = module.asm;
  const malloc = (bytes: number): Address => {
    const address = module._malloc(bytes) >>> 0; // Emscripten returns a signed number
    if (address === 0)
      throw new Error(`The wasm heap (4 GiB at most) has no room for ${bytes} bytes: use smaller batches.`);
    return address;
  };
  const spaces = new Map<string, { address: Address; bytes: number }>();
  const made = new Map<string, unknown>();
  const once = <T>(name: string, make: () => T): T => {
    if (!made.has(name)) made.set(name, make());
    return made.get(name) as T; // `make` of the same caller made it
  };
  return {
    once,
    allocate: (shape) => backend.makeOutput([...shape], 'float32'),
    address: (tensor) => backend.dataIdMap.get(tensor.dataId).memoryOffset,
    floats: (tensor) => backend.typedArrayFromHeap(tensor),
    bytes: (address, count) => new Uint8Array(memory.buffer, address, count),
    free: (tensor) => {
      backend.disposeData(tensor.dataId);
    },
    integer: (address) => new Uint32Array(memory.buffer, address, 1)[0]!,
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

/** The part of the wasm backend that code outside of kernels may use. Views are invalid after the next allocation. */
export type HeapBackend = {
  readonly makeOutput: (shape: number[], dtype: 'float32') => tf.TensorInfo;
  readonly typedArrayFromHeap: (tensor: tf.TensorInfo) => Float32Array;
};

/** The current backend, or undefined if it has no heap. Works without an import of the wasm backend. */
export const heapBackend = (): HeapBackend | undefined => {
  const backend = tf.backend() as Partial<HeapBackend>; // only the wasm backend has these functions
  return backend.makeOutput && backend.typedArrayFromHeap ? (backend as HeapBackend) : undefined;
};

/** Calls `make` once for each count. For kernels and tables that depend on the number of images. */
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
