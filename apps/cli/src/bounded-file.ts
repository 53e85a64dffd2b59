/** Reads a small file of the user: a sweep file, or a list of indices. */
import { closeSync, openSync, readSync } from 'node:fs';

/** More than any such file needs. The API takes a body of 1 MiB. */
const maxBytes = 16 * 2 ** 20;

const readAll = (descriptor: number): Buffer => {
  const parts: Buffer[] = [];
  let bytes = 0;
  for (;;) {
    const part = Buffer.alloc(64 * 1024);
    const got = readSync(descriptor, part);
    if (got === 0) return Buffer.concat(parts);
    bytes += got;
    if (bytes > maxBytes) throw new Error(`Expected at most ${maxBytes} bytes, but got more`);
    parts.push(part.subarray(0, got));
  }
};

/**
 * The bytes of a file (`-` is stdin). A file may have no size, or no end, as a pipe or a device. Throws an Error if it has more than 16 MiB, or cannot be
 * read.
 */
export const readBounded = (path: string): Buffer => {
  if (path === '-') return readAll(0);
  const descriptor = openSync(path, 'r');
  try {
    return readAll(descriptor);
  } finally {
    closeSync(descriptor);
  }
};
