/** Sweep files, and the values that `--set` writes over them. */
import { AppError, type SweepInput, whyUnreadable } from '@funnel/contracts';
import { decodeText, readSweepYaml } from '@funnel/contracts/sweep-yaml';
import { InvalidArgumentError } from 'commander';
import { type Document, parseDocument } from 'yaml';
import { readBounded } from './bounded-file.ts';
import { Exit, exitCodes } from './exit.ts';

/** Reads the value after `=` on a command line as YAML: numbers are numbers, `[1, 2]` is a list. */
export const readYaml = (text: string): unknown => {
  const document = parseDocument(text);
  const [error] = document.errors;
  if (error) throw new InvalidArgumentError(`Expected a value in YAML, but got ${text}`);
  return document.toJS();
};

/** Reads `dataset.train=3000`, `seeds=2` or `space.filters=16-32`, and adds it to the earlier changes. */
export const readChange = (text: string, earlier: readonly Change[] = []): readonly Change[] => {
  const at = text.indexOf('=');
  const path = text.slice(0, Math.max(at, 0)).split('.');
  if (path.some((key) => key === ''))
    throw new InvalidArgumentError(`Expected PATH=VALUE, such as dataset.train=3000, but got ${text}`);
  // Such as of an unset variable in a script. A key without a value would silently have its default.
  if (text.slice(at + 1).trim() === '')
    throw new InvalidArgumentError(`Expected a value after ${text.slice(0, at + 1)}, but got none`);
  return [...earlier, { path, value: readYaml(text.slice(at + 1)) }];
};

export type Change = { readonly path: readonly string[]; readonly value: unknown };

/** Throws Exit when a part of the path is not a mapping: `seeds.x=1`, where `seeds` is a number. */
const writeOver = (document: Document, path: readonly string[], value: unknown): void => {
  try {
    document.setIn(path, value);
  } catch {
    throw new Exit(
      exitCodes.usage,
      `--set ${path.join('.')} cannot be applied: a part of this path is not a mapping in the file`,
    );
  }
};

const readBytes = (path: string): Uint8Array => {
  try {
    return readBounded(path);
  } catch (error) {
    throw new Exit(exitCodes.usage, `${path} cannot be read: ${whyUnreadable(error)}`);
  }
};

/**
 * Reads a sweep file in JSON or YAML (`-` is stdin) and writes `changes` over it. The API checks the sweep. Throws Exit when the file is not
 * readable.
 */
export const readSweepFile = (path: string, changes: readonly Change[] = []): SweepInput => {
  const bytes = readBytes(path);
  try {
    const sweep = readSweepYaml(decodeText(bytes), (document) => {
      for (const change of changes) writeOver(document, change.path, change.value);
    });
    if (sweep !== null) return sweep as SweepInput;
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw new Exit(exitCodes.usage, `${path}: ${error.message.replace(/^In the body, /, '')}`);
  }
  throw new Exit(exitCodes.usage, `${path} is empty: expected a sweep, such as examples/quickstart.yaml`);
};
