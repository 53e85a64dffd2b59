/** The lines of a sweep file in which the parts of the sweep stand, to say where a mistake is. */
import { isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import type { ProblemIssue } from './errors.ts';
import { mistakeText } from './mistake-text.ts';

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
export const partsOf = (path: string): readonly string[] => path.match(/[^.[\]]+/g) ?? [];

/** A function from paths such as `space.gamma[1]` to the numbers of their lines in this text, which is valid YAML; null where it has none. */
export const linesIn = (text: string): ((path: string) => number | null) => {
  const { contents } = parseDocument(text, { logLevel: 'silent' });
  return (path) => {
    let node: unknown = contents;
    let at: number | null = null;
    for (const part of partsOf(path)) {
      const step = member(node, part);
      if (!step || !isNode(step.start) || !step.start.range) break;
      at = step.start.range[0];
      node = step.value;
    }
    return at === null ? null : text.slice(0, at).split('\n').length;
  };
};

/** The mistakes of a sweep file, one a line, in the order of the file; those of parts that it does not write come last. */
export const mistakesIn = (text: string, issues: readonly ProblemIssue[]): readonly string[] => {
  const lineOf = linesIn(text);
  return issues
    .map((issue) => ({ issue, line: lineOf(issue.path) }))
    .sort((a, b) => (a.line ?? Number.MAX_SAFE_INTEGER) - (b.line ?? Number.MAX_SAFE_INTEGER))
    .map(({ issue, line }) =>
      mistakeText(
        issue.path === 'body' ? { ...issue, path: 'the file' } : issue,
        line === null ? '' : `line ${line}, `,
      ),
    );
};
