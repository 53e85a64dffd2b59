/** Makes folders. Needs Node, so the index does not export it: browsers run the rest of this package. */
import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';

/**
 * As `mkdir -p`. Node's own `recursive` never ends where the system says that a parent is missing which is there, as below /proc. Throws
 * the error of the system, such as ENOENT, EACCES or EROFS.
 */
export const makeFolder = (folder: string): void => {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (parent !== folder) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    if (!existsSync(folder)) throw error; // else another process has made it
  }
};
