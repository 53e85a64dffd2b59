/** The header of an array in numpy's NPY format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */

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
