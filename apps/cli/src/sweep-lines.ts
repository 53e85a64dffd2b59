/** The lines of a sweep file that the API complains about. */
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

/**
 * A function from paths such as `space.gamma[1]` to lines of this text, which is valid YAML. Null for a path that the text does not write, and
 * for one that `changes` write.
 */
export const linesOf = (text: string, changes: readonly Change[] = []) => {
  const { contents } = parseDocument(text, { logLevel: 'silent' });
  return (path: string): number | null => {
    const parts = partsOf(path);
    if (changes.some((change) => change.path.every((part, i) => parts[i] === part))) return null;
    let node: unknown = contents;
    let at: number | null = null;
    for (const part of parts) {
      const step = member(node, part);
      if (!step || !isNode(step.start) || !step.start.range) break;
      at = step.start.range[0];
      node = step.value;
    }
    return at === null ? null : text.slice(0, at).split('\n').length;
  };
};

/** As `linesOf` for a file. No path has a line in stdin, which is read only once. */
export const linesOfFile = (file: string, changes?: readonly Change[]) =>
  file === '-' ? () => null : linesOf(readFileSync(file, 'utf8'), changes);
