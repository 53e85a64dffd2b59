/**
 * Tells whether a build is current. A build notes size, time and hash of every file that it read in `inputs.json` of its folder. A check
 * compares size and time first, which takes milliseconds for hundreds of files. It reads and hashes a file of which only the time differs,
 * because a checkout, a copy or an image gives an unchanged file a new time.
 */
import { createHash } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './process.mjs';

const hashOf = (content) => createHash('sha256').update(content).digest('hex');

/** Reads a file, given by its path from the root. Takes the time before the content, so that the next check sees a change in between. */
export const readInput = (path) => {
  const { size, mtimeMs } = statSync(join(root, path));
  const content = readFileSync(join(root, path));
  return { content, note: { size, mtimeMs, hash: hashOf(content) } };
};

/** Writes the notes of a build, path → note. A reader sees either all of them or the notes of the build before. */
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
      // This user may not be allowed to write to the folder. The next call then hashes again.
    }
  return true;
};
