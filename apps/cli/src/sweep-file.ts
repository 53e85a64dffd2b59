import { readFileSync } from 'node:fs';
import type { SweepInput } from '@funnel/contracts';
import { InvalidArgumentError } from 'commander';
import { type Document, parseDocument } from 'yaml';
import { Exit, exitCodes } from './exit.ts';

/** The value behind `=` on a command line, as YAML: numbers are numbers, `[1, 2]` is a list. */
export const readYaml = (text: string): unknown => {
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault) throw new InvalidArgumentError(`Expected a value in YAML, but got ${text}`);
  return document.toJS();
};

/** `dataset.train=3000`, `seeds=2`, `space.filters=16-32`: the value is read as YAML. */
export const readChange = (text: string, earlier: readonly Change[] = []): readonly Change[] => {
  const at = text.indexOf('=');
  const path = text.slice(0, Math.max(at, 0)).split('.');
  if (path.some((key) => key === ''))
    throw new InvalidArgumentError(`Expected PATH=VALUE, such as dataset.train=3000, but got ${text}`);
  return [...earlier, { path, value: readYaml(text.slice(at + 1)) }];
};

export type Change = { readonly path: readonly string[]; readonly value: unknown };

/** Only what holds keys takes one: `seeds.x=1` where seeds is a number is a mistake. */
const writeOver = (document: Document, path: readonly string[], value: unknown): void => {
  try {
    document.setIn(path, value);
  } catch {
    throw new Exit(
      exitCodes.usage,
      `--set ${path.join('.')} cannot be written over the file: something on that path holds no keys`,
    );
  }
};

/**
 * Reads a sweep file, JSON or YAML (`-` is stdin), with `changes` written over it. What is in it is for the API to judge; what is not
 * readable ends here.
 */
export const readSweepFile = (path: string, changes: readonly Change[] = []): SweepInput => {
  let text: string;
  try {
    text = readFileSync(path === '-' ? 0 : path, 'utf8');
  } catch (error) {
    throw new Exit(
      exitCodes.usage,
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  // JSON is YAML; a key given twice is a mistake in both.
  const document = parseDocument(text, { uniqueKeys: true });
  const [fault] = document.errors;
  if (fault) throw new Exit(exitCodes.usage, `${path} is neither JSON nor YAML: ${fault.message.trimEnd()}`);
  if (document.contents === null)
    throw new Exit(exitCodes.usage, `${path} is empty: expected a sweep, such as examples/quickstart.yaml`);
  for (const { path: where, value } of changes) writeOver(document, where, value);
  return document.toJS();
};
