/** Arrays in numpy's NPY format, one after the other in a stream of bytes. No more memory is taken than a reader asks for. */
import {
  AppError,
  maxNpyHeaderBytes,
  type NpyHeader,
  npyHeaderBounds,
  npyStartBytes,
  parseNpyHeader,
} from '@funnel/contracts';

/** The arrays of a request, in their order. */
export type ArrayName = 'labels' | 'images';

/** Refuses an array. `received`: what came instead; `hint`: what to write in the notebook. */
export const refuseArray = (name: ArrayName, expected: string, received: string, hint = ''): never => {
  const wayOut = hint === '' ? '' : `: ${hint}`;
  throw new AppError('INVALID_REQUEST', `In ${name}: expected ${expected}, but got ${received}${wayOut}`, {
    issues: [{ path: name, expected, received }],
  });
};

export type ArrayStream = {
  /** The header of the next array. Throws INVALID_REQUEST. */
  readonly header: (name: ArrayName) => Promise<NpyHeader>;
  /** The next bytes, exactly so many, as a copy. Throws INVALID_REQUEST if the stream ends before. */
  readonly take: (name: ArrayName, count: number) => Promise<Uint8Array<ArrayBuffer>>;
  /** Whether no byte is left. */
  readonly isAtEnd: () => Promise<boolean>;
};

/** `[100, 28, 28]`, as numpy's users read a shape. */
export const shapeText = (shape: readonly (number | string)[]): string => `[${shape.join(', ')}]`;

export const createArrayStream = (parts: AsyncIterable<Uint8Array>): ArrayStream => {
  const iterator = parts[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  let taken = 0;

  /** Makes sure that `rest` has a byte. False at the end of the stream. */
  const fill = async (): Promise<boolean> => {
    while (rest.length === 0) {
      const { value, done } = await iterator.next();
      if (done) return false;
      rest = value;
    }
    return true;
  };

  const take: ArrayStream['take'] = async (name, count) => {
    const bytes = new Uint8Array(count);
    for (let at = 0; at < count; ) {
      if (!(await fill()))
        return refuseArray(name, `${count - at} more bytes after byte ${taken}`, 'the end of the body');
      const part = rest.subarray(0, count - at);
      bytes.set(part, at);
      rest = rest.subarray(part.length);
      at += part.length;
      taken += part.length;
    }
    return bytes;
  };

  const header: ArrayStream['header'] = async (name) => {
    const expected = 'an array as numpy.save writes it';
    const start = await take(name, npyStartBytes);
    const bounds = npyHeaderBounds(start);
    if (!bounds) return refuseArray(name, expected, 'other bytes');
    const length = bounds.to - npyStartBytes;
    if (length < 0 || length > maxNpyHeaderBytes)
      return refuseArray(name, `a header of at most ${maxNpyHeaderBytes} bytes`, `${length} bytes`);
    const text = Buffer.concat([start.subarray(bounds.from), await take(name, length)]).toString('latin1');
    const found = parseNpyHeader(text);
    if (!found) return refuseArray(name, expected, 'another header');
    if (found.isFortran && found.shape.length > 1)
      return refuseArray(name, 'C order', 'Fortran order', 'save numpy.ascontiguousarray(array)');
    return found;
  };

  return { header, take, isAtEnd: async () => !(await fill()) };
};
