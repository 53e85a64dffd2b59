import { InvalidArgumentError } from 'commander';
import { parseDocument } from 'yaml';

/** The value behind `=` on a command line, as YAML: numbers are numbers, `[1, 2]` is a list. */
export const readYaml = (text: string): unknown => {
  const document = parseDocument(text);
  const [fault] = document.errors;
  if (fault) throw new InvalidArgumentError(`Expected a value in YAML, but got ${text}`);
  return document.toJS();
};
