/** Filters of the leaderboard by hyperparameter: `gamma:5`, `beta:0.01..0.1`, `filters:16-32`. They become conditions of SQL. */
import {
  AppError,
  didYouMean,
  type HyperparameterName,
  hyperparameterDeclaration,
  hyperparameterNames,
  isNumeric,
} from '@funnel/contracts';

/** Adds a value to the statement, and returns its `$n`. */
export type AddParameter = (value: unknown) => string;

const refuseFilter = (filter: string, expected: string): never => {
  throw new AppError('INVALID_REQUEST', `Expected ${expected}, but got ${JSON.stringify(filter)}`, {
    issues: [{ path: 'where', expected, received: filter }],
  });
};

const isHyperparameter = (name: string): name is HyperparameterName =>
  (hyperparameterNames as readonly string[]).includes(name);

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/**
 * Accepts decimal digits, or an infinity as a word. Refuses a number that overflows to infinity, such as 1e999: it is probably a mistake.
 */
const numberOf = (filter: string, text: string): number => {
  const value = Number(text);
  return /^[+-]?Infinity$/.test(text) || (decimal.test(text) && Number.isFinite(value))
    ? value
    : refuseFilter(filter, 'a number in decimal digits, or two numbers joined by ..');
};

/** Tables show a number with this many significant digits. */
const shownDigits = 4;
/** A number with fewer digits, such as 0.1, is more likely exact than rounded. */
const fewestRounded = 3;

/**
 * Half a unit in the last digit of a number as it was typed. A table shows 0.0046416 as 0.004642, and a user who copies that looks for the row.
 * So a number stands for every number that rounds to it.
 */
const halfUnit = (text: string, value: number): number => {
  if (value === 0 || !Number.isFinite(value)) return 0;
  const digits = text.replace(/e.*$/i, '').replace(/\D/g, '').replace(/^0+/, '').length;
  const rounded = digits < fewestRounded ? shownDigits : digits;
  return 0.5 * 10 ** (Math.floor(Math.log10(Math.abs(value))) - rounded + 1);
};

/** The smallest and the largest number that fulfil a filter. `isWhole`: numbers stand for themselves alone. */
const rangeOf = (filter: string, text: string, isWhole: boolean): readonly [number, number] => {
  const [from = '', to = from, ...more] = text.split('..');
  const [min, max] = [numberOf(filter, from), numberOf(filter, to)];
  if (more.length > 0 || min > max)
    refuseFilter(filter, 'the smaller number first, and the larger one after ..');
  return isWhole ? [min, max] : [min - halfUnit(from, min), max + halfUnit(to, max)];
};

/**
 * Selects the scores `s` for which the sweep or the configuration has a value of this hyperparameter that fulfils `match`. `match`: a
 * condition on `number` or `word`.
 */
const valueCondition = (hyperparameter: string, match: string): string =>
  `(s.sweep_id IN (SELECT sweep_id FROM sweep_hyperparameters WHERE hyperparameter = ${hyperparameter} AND ${match})
    OR (s.sweep_id, s.configuration_index) IN
      (SELECT sweep_id, configuration_index FROM configuration_hyperparameters WHERE hyperparameter = ${hyperparameter} AND ${match}))`;

/**
 * Selects the scores `s` whose sweep and configuration have no value of this hyperparameter: a later version added it, and they have its
 * default (decision 18).
 */
const absentCondition = (hyperparameter: string): string =>
  `(s.sweep_id NOT IN (SELECT sweep_id FROM sweep_hyperparameters WHERE hyperparameter = ${hyperparameter})
    AND (s.sweep_id, s.configuration_index) NOT IN
      (SELECT sweep_id, configuration_index FROM configuration_hyperparameters WHERE hyperparameter = ${hyperparameter}))`;

/** `hyperparameter`: its name, or `recipe` or `dataset`, which are stored in the same way. */
export const wordCondition = (hyperparameter: string, words: readonly string[], add: AddParameter): string =>
  valueCondition(add(hyperparameter), `word = ANY(${add(words)})`);

/** A filter such as `gamma:5`, `beta:0.01..0.1` or `gamma:5..Infinity`. Errors: INVALID_REQUEST. */
export const hyperparameterCondition = (filter: string, add: AddParameter): string => {
  const [name = '', text = ''] = filter.split(':');
  if (!isHyperparameter(name))
    return refuseFilter(
      filter,
      `a hyperparameter (${didYouMean(name, hyperparameterNames) ?? `one of ${hyperparameterNames.join(', ')}`}), a colon and a value or a range`,
    );
  const declaration = hyperparameterDeclaration(name);
  const { default: standard, since } = declaration;
  const orAbsent = (condition: string, fulfils: boolean): string =>
    since !== undefined && fulfils ? `(${condition} OR ${absentCondition(add(name))})` : condition;
  if (!isNumeric(declaration)) return orAbsent(wordCondition(name, [text], add), text === standard);
  const [min, max] = rangeOf(filter, text, declaration.kind === 'whole');
  const range = `number BETWEEN ${add(min)}::float8 AND ${add(max)}::float8`;
  return orAbsent(valueCondition(add(name), range), min <= Number(standard) && Number(standard) <= max);
};
