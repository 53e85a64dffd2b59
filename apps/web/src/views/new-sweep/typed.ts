/** What a user typed: numbers, lists, and values of hyperparameters. A wrong text stays a text, which the schema then refuses at its path. */
import { hyperparameterDeclaration, hyperparameterNames, isNumeric } from '@funnel/contracts';

export const numberOf = (text: string): number | string =>
  text.trim() !== '' && !Number.isNaN(Number(text)) ? Number(text) : text;

const nonEmpty = (parts: readonly string[]): string[] =>
  parts.map((part) => part.trim()).filter((part) => part !== '');

/** The parts between commas. */
export const listOf = (text: string): string[] => nonEmpty(text.split(','));

export const linesOf = (text: string): string[] => nonEmpty(text.split('\n'));

/** A value of a hyperparameter. A name that is no hyperparameter, such as `recipe`, has texts as values. */
export const hyperparameterValueOf = (name: string, text: string): number | string | boolean => {
  const known = hyperparameterNames.find((each) => each === name);
  if (known === undefined) return text;
  const declared = hyperparameterDeclaration(known);
  if (isNumeric(declared)) return numberOf(text);
  return declared.kind === 'boolean' && (text === 'true' || text === 'false') ? text === 'true' : text;
};
