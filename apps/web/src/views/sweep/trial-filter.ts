/** The table's filter: `gamma>=5 recipe:funn status:completed 17`, every part of which must hold. */
import type { Result } from './objective.ts';

export type TrialFilter = (result: Result) => boolean;

/** A filter, or what is wrong with the text. */
export type ParsedFilter =
  | { readonly keep: TrialFilter; readonly fault: null }
  | { readonly keep: null; readonly fault: string };

type Operator = ':' | '=' | '!=' | '>' | '>=' | '<' | '<=';

const columnValue = (result: Result, name: string): unknown => {
  const { trial } = result;
  if (name === 'value') return result.value;
  if (name === 'clean') return result.clean;
  if (name === 'number' || name === 'seed' || name === 'status' || name === 'recipe' || name === 'verdict')
    return trial[name];
  return trial.hyperparameters[name];
};

const fixedNames = ['value', 'clean', 'number', 'seed', 'status', 'recipe', 'verdict'];

const holds = (actual: unknown, operator: Operator, wanted: string): boolean => {
  if (actual === null || actual === undefined) return operator === '!=';
  const number =
    wanted === '∞'
      ? Number.POSITIVE_INFINITY
      : wanted.endsWith('%')
        ? Number(wanted.slice(0, -1)) / 100
        : Number(wanted);
  if (typeof actual === 'number' && !Number.isNaN(number)) {
    if (operator === '>') return actual > number;
    if (operator === '>=') return actual >= number;
    if (operator === '<') return actual < number;
    if (operator === '<=') return actual <= number;
    return (actual === number) === (operator !== '!=');
  }
  return (String(actual).toLowerCase() === wanted.toLowerCase()) === (operator !== '!=');
};

/** `hyperparameters`: the names that may stand before an operator besides the fixed ones. */
export const parseFilter = (text: string, hyperparameters: readonly string[]): ParsedFilter => {
  const tests: TrialFilter[] = [];
  const names = [...fixedNames, ...hyperparameters];
  for (const part of text.split(/\s+/).filter((word) => word !== '')) {
    const match = /^([a-z]+)(>=|<=|!=|[:=<>])(.+)$/i.exec(part);
    if (!match) {
      const word = part.toLowerCase();
      tests.push(
        ({ trial }) =>
          String(trial.number) === word || trial.recipe.includes(word) || trial.status.includes(word),
      );
      continue;
    }
    const [, typed = '', operator, wanted = ''] = match;
    const name = names.find((known) => known.toLowerCase() === typed.toLowerCase());
    if (name === undefined)
      return { keep: null, fault: `There is no column ${typed}. There are: ${names.join(', ')}.` };
    tests.push((result) => holds(columnValue(result, name), operator as Operator, wanted)); // one of the pattern's
  }
  return { keep: (result) => tests.every((test) => test(result)), fault: null };
};
