/** The file of `--out`: checked before the work, and replaced whole, so that nobody reads half of a result. */
import { accessSync, constants, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { whyUnwritable } from '@funnel/contracts';
import { makeFolder } from '@funnel/contracts/make-folder';
import { Exit, exitCodes } from '../exit.ts';

/** A pipe or a device, such as /dev/stdout, can be written but not replaced. */
export const isOrdinary = (file: string): boolean =>
  statSync(file, { throwIfNoEntry: false })?.isFile() ?? true;

/** Makes the folder of the file. Throws Exit if a result could not be written to the file. */
export const checkOut = (file: string, option = '--out'): void => {
  const folder = dirname(file);
  try {
    makeFolder(folder);
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats?.isDirectory()) throw new Error('it is a folder');
    if (isOrdinary(file)) accessSync(folder, constants.W_OK);
    if (stats) accessSync(file, constants.W_OK);
  } catch (error) {
    throw new Exit(
      exitCodes.usage,
      `Expected a file that can be written after ${option}, but got ${file}: ${whyUnwritable(error)}`,
    );
  }
};

/** Replaces the whole file at once. Throws Exit if it cannot be written, such as to a full disk; then the old file stays. */
export const replaceFile = (file: string, content: string | Uint8Array): void => {
  const next = isOrdinary(file) ? `${file}.${process.pid}.part` : file;
  try {
    writeFileSync(next, content);
    if (next !== file) renameSync(next, file);
  } catch (error) {
    throw new Exit(exitCodes.failed, `${file} was not written: ${whyUnwritable(error)}`);
  } finally {
    if (next !== file) rmSync(next, { force: true });
  }
};
