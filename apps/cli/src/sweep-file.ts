import { readFileSync } from 'node:fs';
import type { SweepInput } from '@funnel/contracts';
import { parseDocument } from 'yaml';
import { Exit, exitCodes } from './exit-codes.ts';

/** Reads a sweep file, JSON or YAML (`-` is stdin). What is in it is for the API to judge; what is not readable ends here. */
export const readSweepFile = (path: string): SweepInput => {
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
  if (fault) throw new Exit(exitCodes.usage, `${path} is neither JSON nor YAML: ${fault.message}`);
  return document.toJS();
};
