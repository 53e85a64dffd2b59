/** Writes a file whole or not at all, also if the machine loses its power: no reader sees a part under the name of the file. */
import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The end of the name of a file that is being written. */
export const partSuffix = '.part';

/** `write` gets the file under another name in the same folder. When it throws, nothing is left behind. */
export const writeWhole = async (path: string, write: (file: FileHandle) => Promise<void>): Promise<void> => {
  const part = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}${partSuffix}`);
  try {
    const file = await open(part, 'wx');
    try {
      await write(file);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
};
