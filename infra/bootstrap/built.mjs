/**
 * Whether what was built still follows from its inputs. A build notes size, time and hash of every file that it read in `inputs.json` of its
 * folder. Size and time are compared first: that takes milliseconds for hundreds of files. A file with another time is read and hashed, because
 * a checkout, a copy or an image gives an unchanged file a new time.
 */
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './process.mjs';

const hashOf = (content) => createHash('sha256').update(content).digest('hex');

/** Reads a file, given by its path from the root. The time is taken before the content: a change in between shows later. */
export const readInput = (path) => {
  const { size, mtimeMs } = statSync(join(root, path));
  const content = readFileSync(join(root, path));
  return { content, note: { size, mtimeMs, hash: hashOf(content) } };
};

/** Writes the notes of a build, path → note, so that a reader sees all of them or those of the build before. */
export const writeNotes = (folder, notes) => {
  const file = join(folder, 'inputs.json');
  writeFileSync(`${file}.${process.pid}`, JSON.stringify(notes));
  renameSync(`${file}.${process.pid}`, file);
};

const readNotes = (folder) => {
  try {
    return JSON.parse(readFileSync(join(folder, 'inputs.json'), 'utf8'));
  } catch {
    return null;
  }
};

/** Returns false when nothing was built, or when an input has changed or is gone. */
export const isCurrent = (folder) => {
  const notes = readNotes(folder);
  if (notes === null) return false;
  let touched = false;
  for (const [path, { size, mtimeMs, hash }] of Object.entries(notes)) {
    const status = statSync(join(root, path), { throwIfNoEntry: false });
    if (status?.size !== size) return false;
    if (status.mtimeMs === mtimeMs) continue;
    const { note } = readInput(path);
    if (note.hash !== hash) return false;
    notes[path] = note;
    touched = true;
  }
  if (touched)
    try {
      writeNotes(folder, notes);
    } catch {
      // The folder may belong to somebody else, or to an image. Then the next call hashes again.
    }
  return true;
};
