/** The places in a sweep file, or on the command line, of the mistakes that the API found. */
import { readFileSync } from 'node:fs';
import { linesIn, partsOf } from '@funnel/contracts/sweep-lines';
import type { Change } from './sweep-file.ts';

/** Where a value of a sweep stands: the number of a line in the file, or an option of the command line. Null: unknown. */
export type Place = number | `--set ${string}` | null;

const isStartOf = (start: readonly string[], parts: readonly string[]): boolean =>
  start.every((part, i) => parts[i] === part);

/** A function from paths such as `space.gamma[1]` to their places in this text, which is valid YAML, or among `changes`. */
export const placesIn = (text: string, changes: readonly Change[] = []) => {
  const lineOf = linesIn(text);
  return (path: string): Place => {
    const parts = partsOf(path);
    const optionOf = (concerns: (change: Change) => boolean): Place => {
      const change = changes.findLast(concerns);
      return change ? `--set ${change.path.join('.')}` : null;
    };
    const written = optionOf((change) => isStartOf(change.path, parts));
    // An option wrote a member of the value, which has a rule about several members.
    const inside = parts.length === 0 ? null : optionOf((change) => isStartOf(parts, change.path));
    return written ?? inside ?? lineOf(path);
  };
};

/** As `placesIn` for a file. Nothing in stdin has a line, because it is read only once. */
export const placesInFile = (file: string, changes?: readonly Change[]) =>
  placesIn(file === '-' ? '' : readFileSync(file, 'utf8'), changes);
