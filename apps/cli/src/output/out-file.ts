/** The file of `--out`: checked before the work, and replaced whole, so that nobody reads half of a result. */
import {
  accessSync,
  constants,
  existsSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { whyUnwritable } from '@funnel/contracts';
import { makeFolder } from '@funnel/contracts/make-folder';
import { Exit, exitCodes } from '../exit.ts';

/** A pipe or a device, such as /dev/stdout, can be written but not replaced. */
export const isOrdinary = (file: string): boolean =>
  statSync(file, { throwIfNoEntry: false })?.isFile() ?? true;

/** The outermost folder that has to be made for the file; null if all are there. */
const missingFolder = (file: string): string | null => {
  const folder = dirname(file);
  return existsSync(folder) ? null : (missingFolder(folder) ?? folder);
};

/** Removes these empty folders, from the inner one to the outer one. */
const removeFolders = (inner: string, outer: string): void => {
  try {
    rmdirSync(inner);
    if (inner !== outer) removeFolders(dirname(inner), outer);
  } catch {
    // Another process uses one of them by now.
  }
};

/**
 * Throws Exit if a result could not be written to the file. Returns the outermost folder that has to be made for it, or null. It makes the
 * folders for the check, and leaves none behind: the work may still be refused.
 */
export const checkOut = (file: string, option = '--out'): string | null => {
  const folder = dirname(file);
  const missing = missingFolder(file);
  try {
    makeFolder(folder);
    const stats = statSync(file, { throwIfNoEntry: false });
    if (stats?.isDirectory()) throw new Error('it is a folder');
    if (isOrdinary(file)) accessSync(folder, constants.W_OK);
    if (stats) accessSync(file, constants.W_OK);
    return missing;
  } catch (error) {
    throw new Exit(
      exitCodes.usage,
      `Expected a file that can be written after ${option}, but got ${file}: ${whyUnwritable(error)}`,
    );
  } finally {
    if (missing !== null) removeFolders(folder, missing);
  }
};

/** `Wrote rows.json and fooled.npy, and made the folder out.` `made`: what `checkOut` returned for each file. */
export const wroteText = (what: string, made: readonly (string | null)[]): string => {
  const folders = [...new Set(made)].filter((folder) => folder !== null);
  const ending =
    folders.length === 0
      ? ''
      : `, and made the ${folders.length === 1 ? 'folder' : 'folders'} ${folders.join(' and ')}`;
  return `Wrote ${what}${ending}.`;
};

/** Replaces the whole file at once, and makes its folder. Throws Exit if it cannot be written, such as to a full disk; then the old file stays. */
export const replaceFile = (file: string, content: string | Uint8Array): void => {
  const next = isOrdinary(file) ? `${file}.${process.pid}.part` : file;
  try {
    makeFolder(dirname(file));
    writeFileSync(next, content);
    if (next !== file) renameSync(next, file);
  } catch (error) {
    throw new Exit(exitCodes.failed, `${file} was not written: ${whyUnwritable(error)}`);
  } finally {
    if (next !== file) rmSync(next, { force: true });
  }
};
