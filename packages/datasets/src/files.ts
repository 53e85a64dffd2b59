/** Files and folders of the user. Links are not followed, pipes and devices are not opened. */
import { constants } from 'node:fs';
import { type FileHandle, open, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { whyUnreadable } from '@funnel/contracts';
import { refuseFile } from './fault.ts';

/** More names than a data set within the limits has. */
const maxNames = 4_000_000;
/** Bytes that are read at a time. */
const blockBytes = 2 ** 20;

/** Files that systems put into folders. Names that begin with a dot are ignored too. */
const ignoredNames: readonly string[] = ['Thumbs.db', 'desktop.ini', '__MACOSX'];

export type Listing = {
  /** Names in the order of their characters. */
  readonly files: readonly string[];
  readonly folders: readonly string[];
};

/** The same letters may have several encodings; systems differ in the one that they give. */
const byName = (a: string, b: string): number => {
  const [first, second] = [a.normalize('NFC'), b.normalize('NFC')];
  return first < second ? -1 : first > second ? 1 : 0;
};

export const listFolder = async (folder: string): Promise<Listing> => {
  const files: string[] = [];
  const folders: string[] = [];
  for await (const entry of await opendir(folder, { bufferSize: 1024 })) {
    const { name } = entry;
    if (name.startsWith('.') || ignoredNames.includes(name)) continue;
    if (entry.isSymbolicLink())
      refuseFile(
        join(folder, name),
        'expected a file or a folder, but got a symbolic link, which is not followed: `cp -rL` copies what links point to',
      );
    if (!entry.isFile() && !entry.isDirectory())
      refuseFile(join(folder, name), 'expected a file or a folder, but got a pipe, a socket or a device');
    (entry.isFile() ? files : folders).push(name);
    if (files.length + folders.length > maxNames)
      refuseFile(folder, `expected at most ${maxNames} names in a folder, but got more`);
  }
  return { files: files.sort(byName), folders: folders.sort(byName) };
};

export type OpenFile = { readonly handle: FileHandle; readonly bytes: number };

/** Opens a file. The caller closes the handle. */
export const openFile = async (path: string): Promise<OpenFile> => {
  // O_NONBLOCK: opening a pipe would wait for its writer. Windows has neither flag.
  const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
  const handle = await open(path, flags).catch((error: unknown) =>
    refuseFile(path, `expected a file that can be read, but ${whyUnreadable(error)}`),
  );
  const stat = await handle.stat();
  if (stat.isFile()) return { handle, bytes: stat.size };
  await handle.close();
  return refuseFile(path, 'expected a file, but got something else');
};

/** Opens the file for the time of `use`. */
export const withFile = async <T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> => {
  const file = await openFile(path);
  try {
    return await use(file);
  } finally {
    await file.handle.close();
  }
};

/** `bytes` bytes from byte `at`. Throws DatasetFault if the file ends before. */
export const readExactly = async (
  path: string,
  { handle }: OpenFile,
  at: number,
  bytes: number,
): Promise<Buffer<ArrayBuffer>> => {
  const buffer = Buffer.allocUnsafeSlow(bytes); // has an ArrayBuffer of its own
  let done = 0;
  while (done < bytes) {
    const { bytesRead } = await handle.read(buffer, done, bytes - done, at + done);
    if (bytesRead === 0)
      refuseFile(path, `expected ${bytes} bytes from byte ${at}, but it ends after ${done} of them`);
    done += bytesRead;
  }
  return buffer;
};

/** The whole file. Throws DatasetFault if it has more than `maxBytes`. */
export const readWhole = (path: string, maxBytes: number): Promise<Buffer<ArrayBuffer>> =>
  withFile(path, (file) =>
    file.bytes > maxBytes
      ? refuseFile(path, `expected at most ${maxBytes} bytes, but got ${file.bytes}`)
      : readExactly(path, file, 0, file.bytes),
  );

/** The bytes from `from` up to `to` (exclusive; the end if left out) in blocks of at most 1 MiB. */
export async function* readBlocks(
  path: string,
  from = 0,
  to = Number.POSITIVE_INFINITY,
): AsyncGenerator<Buffer<ArrayBuffer>> {
  const file = await openFile(path);
  try {
    const end = Math.min(to, file.bytes);
    for (let at = from; at < end; at += blockBytes)
      yield await readExactly(path, file, at, Math.min(blockBytes, end - at));
  } finally {
    await file.handle.close();
  }
}
