/** The places in a sweep file, or on the command line, of the mistakes that the API found. */
import { readFileSync } from 'node:fs';
import { isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import type { Change } from './sweep-file.ts';

type Step = { readonly start: unknown; readonly value: unknown };

/** One step along a path: where the member begins, and its value. Undefined where the file does not write it, as after an alias. */
const member = (node: unknown, part: string): Step | undefined => {
  if (isSeq(node)) return { start: node.items[Number(part)], value: node.items[Number(part)] };
  const pair = isMap(node)
    ? node.items.find(({ key }) => isScalar(key) && String(key.value) === part)
    : undefined;
  return pair && { start: pair.key, value: pair.value };
};

/** `space.gamma[1]` → space, gamma, 1 */
const partsOf = (path: string): readonly string[] => path.match(/[^.[\]]+/g) ?? [];

/** Where a value of a sweep stands: the number of a line in the file, or an option of the command line. Null: unknown. */
export type Place = number | `--set ${string}` | null;

const isStartOf = (start: readonly string[], parts: readonly string[]): boolean =>
  start.every((part, i) => parts[i] === part);

/** A function from paths such as `space.gamma[1]` to their places in this text, which is valid YAML, or among `changes`. */
export const placesIn = (text: string, changes: readonly Change[] = []) => {
  const { contents } = parseDocument(text, { logLevel: 'silent' });
  return (path: string): Place => {
    const parts = partsOf(path);
    const optionOf = (concerns: (change: Change) => boolean): Place => {
      const change = changes.findLast(concerns);
      return change ? `--set ${change.path.join('.')}` : null;
    };
    const option = optionOf((change) => isStartOf(change.path, parts));
    if (option !== null) return option;
    let node: unknown = contents;
    let at: number | null = null;
    for (const part of parts) {
      const step = member(node, part);
      if (!step || !isNode(step.start) || !step.start.range) break;
      at = step.start.range[0];
      node = step.value;
    }
    if (at !== null) return text.slice(0, at).split('\n').length;
    // An option wrote a member of something that the file does not have.
    return parts.length === 0 ? null : optionOf((change) => isStartOf(parts, change.path));
  };
};

/** As `placesIn` for a file. Nothing in stdin has a line, because it is read only once. */
export const placesInFile = (file: string, changes?: readonly Change[]) =>
  placesIn(file === '-' ? '' : readFileSync(file, 'utf8'), changes);
