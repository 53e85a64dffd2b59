/** Files of this machine, for Node. Browsers get `files-browser.ts` in its place (`imports` in package.json). */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

export const hasFiles = true;

export const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => null))?.isDirectory() ?? false;

export const isFile = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => null))?.isFile() ?? false;

/** Throws when the file is larger than `maxBytes`, or cannot be read. */
export const readBytes = async (path: string, maxBytes: number): Promise<Uint8Array> => {
  const { size } = await stat(path);
  if (size > maxBytes) throw new Error(`it has ${size} bytes, and at most ${maxBytes} are read`);
  return readFile(path);
};

export const joinPath = (folder: string, name: string): string => join(folder, name);
