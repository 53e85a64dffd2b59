/** The errors of files: a file, the place in it, what was expected, what came, and a way out. */

/** A file or an option of the user that cannot be used. Its message is for the user as it is. */
export class DatasetFault extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DatasetFault';
  }
}

export const refuseFile = (path: string, why: string): never => {
  throw new DatasetFault(`${path}: ${why}`);
};

/** An error of the system, of a decoder or of zlib as part of a sentence. A decoder that stumbles over damaged bytes has no words for them. */
export const reasonOf = (error: unknown): string =>
  error instanceof TypeError ||
  error instanceof RangeError ||
  error instanceof SyntaxError ||
  (error instanceof Error && error.message === 'Unknown error')
    ? 'it is damaged'
    : (error instanceof Error ? error.message : String(error)).split('\n')[0]!.trim().replace(/[.:]$/, '');

/** Runs a decoder. Its errors become faults of the file: `path: expected a whole … (reason)`. */
export const decoding = async <T>(
  path: string,
  expected: string,
  decode: () => T | Promise<T>,
): Promise<T> => {
  try {
    return await decode();
  } catch (error) {
    if (error instanceof DatasetFault || (error instanceof Error && 'syscall' in error)) throw error;
    return refuseFile(path, `expected ${expected}, but it cannot be read (${reasonOf(error)})`);
  }
};
