/** The header and the types of the elements of an array in numpy's NPY format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */

/** Bytes from which `npyHeaderBounds` reads where the header lies. */
export const npyStartBytes = 12;
/** The largest header that a reader takes. */
export const maxNpyHeaderBytes = 65_536;
const maxAxes = 32;

export type NpyHeader = {
  /** numpy's name of the type of the elements, such as `<f4`. */
  readonly type: string;
  /** The first axis comes last in memory. */
  readonly isFortran: boolean;
  readonly shape: readonly number[];
};

/**
 * Where the header's text lies, in bytes from the beginning; the data follow it. Null if `start` is not how an NPY file begins. The caller
 * checks the length (`maxNpyHeaderBytes`) before it takes memory.
 */
export const npyHeaderBounds = (start: Uint8Array): { readonly from: number; readonly to: number } | null => {
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY
  if (start.length < npyStartBytes || magic.some((byte, i) => start[i] !== byte)) return null;
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  // Version 1 has a length of two bytes, later versions one of four.
  return start[6] === 1
    ? { from: 10, to: 10 + view.getUint16(8, true) }
    : { from: 12, to: 12 + view.getUint32(8, true) };
};

/** Reads the header's text, a Python dictionary. Null if it is none, or an array of records, or has more than 32 axes. */
export const parseNpyHeader = (text: string): NpyHeader | null => {
  const type = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const order = /'fortran_order':\s*(True|False)/.exec(text)?.[1];
  const axes = /'shape':\s*\(([\d,\s]*)\)/.exec(text)?.[1];
  if (type === undefined || order === undefined || axes === undefined) return null;
  const shape = (axes.match(/\d+/g) ?? []).map(Number);
  return shape.length > maxAxes ? null : { type, isFortran: order === 'True', shape };
};

export type NpyElement = {
  readonly bytes: number;
  readonly read: (view: DataView, at: number) => number;
  readonly isFloat?: true;
};

/** numpy's names of the types that can be read: u unsigned, i signed, f float, then the number of bytes; `<` is little endian. */
export const npyElements: Readonly<Record<string, NpyElement>> = {
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

/** A float stands for a byte k if 255 times the float is k up to this: the rounding of float16 and of a division by 255 is smaller. */
const pixelTolerance = 1e-3;

/** The byte k of the pixel k/255; null for a float that is no such pixel, also for NaN. */
export const byteOfFloat = (value: number): number | null => {
  const scaled = 255 * value;
  const byte = Math.round(scaled);
  return byte >= 0 && byte <= 255 && Math.abs(scaled - byte) <= pixelTolerance ? byte : null;
};
