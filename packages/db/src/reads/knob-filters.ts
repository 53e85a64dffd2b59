/** `gamma:5`, `beta:0.01..0.1` and `gamma:5..Infinity` as conditions on scores. */
import {
  AppError,
  type HyperparameterName,
  hyperparameterNames,
  isNumeric,
  knobMeta,
} from '@funnel/contracts';

const refuse = (filter: string, expected: string): never => {
  throw new AppError('INVALID_REQUEST', `Expected ${expected}, but got ${JSON.stringify(filter)}`, {
    issues: [{ path: 'where', expected, received: filter }],
  });
};

const isKnob = (name: string): name is HyperparameterName =>
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
const condition = (knob: string, match: string): string =>
  `(s.sweep_id IN (SELECT sweep_id FROM sweep_knobs WHERE knob = ${knob} AND ${match})
    OR (s.sweep_id, s.configuration_index) IN
      (SELECT sweep_id, configuration_index FROM configuration_knobs WHERE knob = ${knob} AND ${match}))`;

/** `recipe` and `dataset` are told like knobs. */
export const wordCondition = (knob: string, words: readonly string[], parameter: Parameter): string =>
  condition(parameter(knob), `word = ANY(${parameter(words)})`);

/** Errors: INVALID_REQUEST. */
export const knobCondition = (filter: string, parameter: Parameter): string => {
  const [name = '', text = ''] = filter.split(':');
  if (!isKnob(name))
    return refuse(
      filter,
      `a knob (one of ${hyperparameterNames.join(', ')}), a colon and a value or a range`,
    );
  if (!isNumeric(knobMeta(name))) return wordCondition(name, [text], parameter);
  const [from = '', to = from] = text.split('..');
  const range = [from, to].map((end) => `${parameter(numberOf(filter, end))}::float8`);
  return condition(parameter(name), `number BETWEEN ${range.join(' AND ')}`);
};
