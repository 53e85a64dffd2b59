/**
 * Arrays in numpy's NPY format: reads rows of images and labels, writes rows of float32. A file is checked by its header and its size
 * before memory is taken. The format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { Exit, exitCodes } from '../exit.ts';

type ElementType = {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
  readonly isFloat?: true;
};

/** numpy's names of the types that can be read: u unsigned, i signed, f float, then the number of bytes; `<` is little endian. */
const elementTypes: Readonly<Record<string, ElementType>> = {
  '|u1': { bytes: 1, read: (view, at) => view.getUint8(at) },
  '|i1': { bytes: 1, read: (view, at) => view.getInt8(at) },
  '<u2': { bytes: 2, read: (view, at) => view.getUint16(at, true) },
  '<i2': { bytes: 2, read: (view, at) => view.getInt16(at, true) },
  '<u4': { bytes: 4, read: (view, at) => view.getUint32(at, true) },
  '<i4': { bytes: 4, read: (view, at) => view.getInt32(at, true) },
  '<u8': { bytes: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  '<i8': { bytes: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  '<f4': { bytes: 4, read: (view, at) => view.getFloat32(at, true), isFloat: true },
  '<f8': { bytes: 8, read: (view, at) => view.getFloat64(at, true), isFloat: true },
};

export type NpyFile = {
  readonly path: string;
  /** numpy's name, such as `<f4`; a key of `elementTypes`. */
  readonly type: string;
  readonly isFloat: boolean;
  /** `[rows, ...]`: at least one axis. */
  readonly shape: readonly number[];
  /** Where the first element lies. */
  readonly offset: number;
};

const maxHeaderBytes = 65_536;
const maxAxes = 32;

export const refuseFile = (path: string, why: string): never => {
  throw new Exit(exitCodes.usage, `${path}: ${why}`);
};

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);

/** `[100, 28, 28]`, as numpy's users read a shape. */
export const shapeText = (shape: readonly (number | string)[]): string => `[${shape.join(', ')}]`;

const readAt = (fd: number, at: number, bytes: number): Buffer => {
  const buffer = Buffer.alloc(bytes);
  const got = readSync(fd, buffer, 0, bytes, at);
  return buffer.subarray(0, got);
};

/** Opens the file for the time of `use`. Throws Exit if it cannot be read. */
const withFile = <Result>(path: string, use: (fd: number, bytes: number) => Result): Result => {
  let fd: number | undefined;
  try {
    const stat = statSync(path); // before opening: a pipe would wait for its writer
    if (!stat.isFile()) return refuseFile(path, 'expected an NPY file, but got something that is no file');
    fd = openSync(path, 'r');
    return use(fd, stat.size);
  } catch (error) {
    if (error instanceof Exit) throw error;
    return refuseFile(path, error instanceof Error ? error.message : String(error));
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
};

/** The text of the header, a Python dictionary, and the place of the data. */
const readHeader = (path: string, fd: number): { readonly text: string; readonly offset: number } => {
  const start = readAt(fd, 0, 12);
  if (start.subarray(0, 2).toString('latin1') === 'PK')
    refuseFile(path, 'expected one array (np.save), but got an archive of arrays (np.savez)');
  if (start.length < 12 || start.subarray(0, 6).toString('latin1') !== '\x93NUMPY')
    refuseFile(path, 'expected an NPY file, as np.save writes it, but its first bytes are others');
  const isFirstVersion = start[6] === 1;
  const bytes = isFirstVersion ? start.readUInt16LE(8) : start.readUInt32LE(8);
  if (bytes > maxHeaderBytes)
    refuseFile(path, `expected a header of at most ${maxHeaderBytes} bytes, but got ${bytes}`);
  const from = isFirstVersion ? 10 : 12;
  return { text: readAt(fd, from, bytes).toString('latin1'), offset: from + bytes };
};

const badType = (path: string, text: string): never => {
  const got = text.startsWith('>') ? `${text}, which is big endian` : text;
  return refuseFile(
    path,
    `expected uint8, float32, float64 or whole numbers in little endian, but got ${got}: save X.astype('float32'), or labels as Y.astype('int64')`,
  );
};

/** Reads the header. Throws Exit for a file that is no array of numbers in C order, or whose size does not fit its shape. */
export const openNpy = (path: string): NpyFile =>
  withFile(path, (fd, fileBytes) => {
    const { text, offset } = readHeader(path, fd);
    const type = /'descr':\s*('[^']*'|\[[^\]]*\])/.exec(text)?.[1]?.replaceAll("'", '');
    const fortran = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
    const axes = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1]?.match(/\d+/g) ?? null;
    if (type === undefined || fortran === undefined || !/'shape'/.test(text))
      return refuseFile(path, 'expected the header of an NPY file, with descr, fortran_order and shape');
    const element = elementTypes[type] ?? badType(path, type);
    if (axes === null || axes.length > maxAxes)
      return refuseFile(path, `expected an array with 1 to ${maxAxes} axes, but got ${axes?.length ?? 0}`);
    const shape = axes.map(Number);
    if (fortran === 'True' && shape.length > 1)
      refuseFile(path, 'expected C order, but got Fortran order: save np.ascontiguousarray(X)');
    const bytes = sizeOf(shape) * element.bytes;
    if (bytes !== fileBytes - offset)
      refuseFile(
        path,
        `expected ${bytes} bytes for the shape ${shapeText(shape)}, but got ${fileBytes - offset}: the file is cut off or holds more than one array`,
      );
    return { path, type, isFloat: element.isFloat ?? false, shape, offset };
  });

/** Reads rows by their indices into `into`, row after row. `into` has room for all of them. */
export const readRows = (
  { path, type, shape, offset }: NpyFile,
  rows: readonly number[],
  into: Float32Array | Float64Array,
): void =>
  withFile(path, (fd) => {
    const { bytes, read } = elementTypes[type]!;
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
