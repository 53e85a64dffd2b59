/**
 * numpy's NPY format: the header, and the types of the elements. An array is checked by its header and its size before memory is taken. The
 * format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 */
import {
  maxNpyHeaderBytes,
  npyElements,
  npyHeaderBounds,
  npyStartBytes,
  parseNpyHeader,
} from '@funnel/contracts';
import { refuseFile } from '../fault.ts';

/** No header is longer. */
export const maxHeaderBytes = npyStartBytes + maxNpyHeaderBytes;

export type NpyArray = {
  /** numpy's name, such as `<f4`; a key of `npyElements`. */
  readonly type: string;
  readonly isFloat: boolean;
  /** `[rows, ...]`: at least one axis. */
  readonly shape: readonly number[];
  /** Where the first element lies. */
  readonly offset: number;
};

export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, 1);

/** `[100, 28, 28]`, as numpy's users read a shape. */
export const shapeText = (shape: readonly (number | string)[]): string => `[${shape.join(', ')}]`;

/** The text of the header, a Python dictionary, and the place of the data. */
const textOf = (path: string, start: Buffer): { readonly text: string; readonly offset: number } => {
  if (start.subarray(0, 2).toString('latin1') === 'PK')
    refuseFile(path, 'expected one array (np.save), but got an archive of arrays (np.savez)');
  const bounds = npyHeaderBounds(start);
  if (bounds === null)
    return refuseFile(path, 'expected an NPY file, as np.save writes it, but its first bytes are others');
  const { from, to } = bounds;
  if (to - from > maxNpyHeaderBytes)
    refuseFile(path, `expected a header of at most ${maxNpyHeaderBytes} bytes, but got ${to - from}`);
  return { text: start.toString('latin1', from, to), offset: to };
};

/** Labels that are words, as fixed text or as Python objects. */
const wordsToNumbers =
  'np.unique(Y.astype(str), return_inverse=True) gives the names of the classes, and the labels as numbers';

const badType = (path: string, text: string): never => {
  if (/^\|?O/.test(text))
    return refuseFile(
      path,
      `expected an array of numbers, but got Python objects, which are not unpickled: save X.astype('uint8'); ${wordsToNumbers}`,
    );
  if (/^[<>|]?[US]\d/.test(text))
    return refuseFile(path, `expected an array of numbers, but got text, ${text}: ${wordsToNumbers}`);
  const got = text.startsWith('>') ? `${text}, which is big endian` : text;
  return refuseFile(
    path,
    `expected uint8, float32, float64 or whole numbers in little endian, but got ${got}: save X.astype('float32'), or labels as Y.astype('int64')`,
  );
};

/**
 * Reads a header. `start`: the first bytes, at least `maxHeaderBytes` of them or all. `bytes`: the size of the whole array with its header.
 * Throws DatasetFault for what is no array of numbers in C order, or whose size does not fit its shape.
 */
export const openNpyArray = (path: string, start: Buffer, bytes: number): NpyArray => {
  const { text, offset } = textOf(path, start);
  const header = parseNpyHeader(text);
  if (header === null)
    return refuseFile(
      path,
      'expected the header of an array of numbers with at most 32 axes, with descr, fortran_order and shape',
    );
  const { type, shape, isFortran } = header;
  const element = npyElements[type] ?? badType(path, type);
  if (shape.length === 0) refuseFile(path, 'expected an array with at least one axis, but got one number');
  if (isFortran && shape.length > 1)
    refuseFile(path, 'expected C order, but got Fortran order: save np.ascontiguousarray(X)');
  const expected = sizeOf(shape) * element.bytes;
  if (expected !== bytes - offset)
    refuseFile(
      path,
      `expected ${expected} bytes for the shape ${shapeText(shape)}, but got ${bytes - offset}: the file is cut off or holds more than one array`,
    );
  return { type, isFloat: element.isFloat ?? false, shape, offset };
};

const isChannels = (size: number | undefined): boolean => size === 1 || size === 3 || size === 4;

/**
 * The shape of an image as attacks and training see it, height, width, channels. `[1, 28, 28]` and `[3, 32, 32]` have their channels first, as in
 * PyTorch, `[28, 28]` has one grey channel, and `[n]` is a row that is no image.
 */
export const layoutOf = (path: string, shape: readonly number[]) => {
  const [first, second, third] = shape;
  if (shape.length === 1) return { image: shape, isChannelsFirst: false };
  if (shape.length === 2) return { image: [first!, second!, 1], isChannelsFirst: false };
  if (shape.length !== 3)
    return refuseFile(
      path,
      `expected images [n, height, width, channels], [n, channels, height, width], [n, height, width] or rows [n, values], but got ${shapeText(['n', ...shape])}`,
    );
  const isChannelsFirst = isChannels(first) && !isChannels(third);
  return { image: isChannelsFirst ? [second!, third!, first!] : shape, isChannelsFirst };
};
