/** NPY files of the user: opens them, reads rows of images and labels, and writes rows of float32. */
import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { npyElements, whyUnreadable } from '@funnel/contracts';
import {
  DatasetFault,
  maxHeaderBytes,
  type NpyArray,
  openNpyArray,
  refuseFile,
  sizeOf,
} from '@funnel/datasets';

export type NpyFile = NpyArray & { readonly path: string };

const readAt = (fd: number, at: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  const got = readSync(fd, buffer, 0, bytes, at);
  return buffer.subarray(0, got);
};

/** Opens the file for the time of `use`. Throws DatasetFault if it cannot be read. */
const withFile = <Result>(path: string, use: (fd: number, bytes: number) => Result): Result => {
  let fd: number | undefined;
  try {
    const stat = statSync(path); // before opening: a pipe would wait for its writer
    if (!stat.isFile()) return refuseFile(path, 'expected an NPY file, but got something that is no file');
    fd = openSync(path, 'r');
    return use(fd, stat.size);
  } catch (error) {
    if (error instanceof DatasetFault) throw error;
    return refuseFile(path, `expected an NPY file, but ${whyUnreadable(error)}`);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
};

/** Reads the header. Throws DatasetFault for a file that is no array of numbers in C order, or whose size does not fit its shape. */
export const openNpy = (path: string): NpyFile =>
  withFile(path, (fd, bytes) => ({ path, ...openNpyArray(path, readAt(fd, 0, maxHeaderBytes), bytes) }));

/** Reads rows by their indices into `into`, row after row. `into` has room for all of them. */
export const readRows = (
  { path, type, shape, offset }: NpyFile,
  rows: readonly number[],
  into: Float32Array | Float64Array,
): void =>
  withFile(path, (fd) => {
    const { bytes, read } = npyElements[type]!;
    const width = sizeOf(shape.slice(1));
    rows.forEach((row, i) => {
      const values = readAt(fd, offset + row * width * bytes, width * bytes);
      if (values.length < width * bytes) refuseFile(path, 'the file has become shorter while it was read');
      const view = new DataView(values.buffer, values.byteOffset, values.byteLength);
      for (let k = 0; k < width; k++) into[i * width + k] = read(view, k * bytes);
    });
  });

/** The header's bytes, so many that every number of rows fits into them. */
const headerBytes = 192;

const header = (shape: readonly number[]): Buffer => {
  const dictionary = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const text = `${dictionary.padEnd(headerBytes - 11)}\n`;
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, 0, 0]);
  start.writeUInt16LE(text.length, 8);
  return Buffer.concat([start, Buffer.from(text, 'latin1')]);
};

/**
 * Writes a file of float32 rows of this shape: `[rows, ...shape]`. After each call of `append` the file is complete.
 * Throws an error of the operating system, as for a full disk.
 */
export const createNpy = (path: string, shape: readonly number[]) => {
  const fd = openSync(path, 'w');
  const width = sizeOf(shape);
  let rows = 0;
  const writeAll = (bytes: Uint8Array, at: number): void => {
    for (let done = 0; done < bytes.length; )
      done += writeSync(fd, bytes, done, bytes.length - done, at + done);
  };
  writeAll(header([0, ...shape]), 0);
  return {
    /** The number of rows so far. */
    rows: (): number => rows,
    append: (values: Float32Array): void => {
      const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength); // every Node runs on little endian
      writeAll(bytes, headerBytes + rows * width * Float32Array.BYTES_PER_ELEMENT);
      rows += values.length / width;
      writeAll(header([rows, ...shape]), 0);
    },
    close: (): void => closeSync(fd),
  };
};
