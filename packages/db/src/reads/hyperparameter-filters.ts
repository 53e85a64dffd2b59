/** `gamma:5`, `beta:0.01..0.1` and `gamma:5..Infinity` as conditions on scores. */
import {
  AppError,
  type HyperparameterName,
  hyperparameterDeclaration,
  hyperparameterNames,
  isNumeric,
} from '@funnel/contracts';

const refuse = (filter: string, expected: string): never => {
  throw new AppError('INVALID_REQUEST', `Expected ${expected}, but got ${JSON.stringify(filter)}`, {
    issues: [{ path: 'where', expected, received: filter }],
  });
};

const isHyperparameter = (name: string): name is HyperparameterName =>
  (hyperparameterNames as readonly string[]).includes(name);

const numberOf = (filter: string, text: string): number => {
  const value = Number(text);
  return text.trim() !== '' && !Number.isNaN(value)
    ? value
    : refuse(filter, 'a number, or two of them joined by ..');
};

/** Adds a value to a statement, and gives its `$n`. */
export type Parameter = (value: unknown) => string;

/** Scores `s` whose sweep agrees on such a value, or whose configuration has one. `match` is a condition on `number` or `word`. */
const condition = (hyperparameter: string, match: string): string =>
  `(s.sweep_id IN (SELECT sweep_id FROM sweep_hyperparameters WHERE hyperparameter = ${hyperparameter} AND ${match})
    OR (s.sweep_id, s.configuration_index) IN
      (SELECT sweep_id, configuration_index FROM configuration_hyperparameters WHERE hyperparameter = ${hyperparameter} AND ${match}))`;

/** `recipe` and `dataset` are told like hyperparameters. */
export const wordCondition = (
  hyperparameter: string,
  words: readonly string[],
  parameter: Parameter,
): string => condition(parameter(hyperparameter), `word = ANY(${parameter(words)})`);

/** Errors: INVALID_REQUEST. */
export const hyperparameterCondition = (filter: string, parameter: Parameter): string => {
  const [name = '', text = ''] = filter.split(':');
  if (!isHyperparameter(name))
    return refuse(
      filter,
      `a hyperparameter (one of ${hyperparameterNames.join(', ')}), a colon and a value or a range`,
    );
  if (!isNumeric(hyperparameterDeclaration(name))) return wordCondition(name, [text], parameter);
  const [from = '', to = from] = text.split('..');
  const range = [from, to].map((end) => `${parameter(numberOf(filter, end))}::float8`);
  return condition(parameter(name), `number BETWEEN ${range.join(' AND ')}`);
};
