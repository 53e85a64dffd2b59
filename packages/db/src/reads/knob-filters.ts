/** `gamma:5` and `beta:0.01..0.1` as conditions on a trial's hyperparameters. */
import { AppError, type HyperparameterName, hyperparameterNames } from '@funnel/contracts';

const refuse = (filter: string, expected: string): never => {
  throw new AppError('INVALID_REQUEST', `Expected ${expected}, but got ${JSON.stringify(filter)}`, {
    issues: [{ path: 'where', expected, received: filter }],
  });
};

const isKnob = (name: string): name is HyperparameterName =>
  (hyperparameterNames as readonly string[]).includes(name);

const numberOf = (filter: string, text: string): number => {
  const value = Number(text);
  return text.trim() !== '' && Number.isFinite(value)
    ? value
    : refuse(filter, 'numbers at both ends of a range');
};

export type Conditions = { readonly sql: string; readonly values: readonly unknown[] };

/** `first` is the number of the first free parameter. Errors: INVALID_REQUEST. */
export const knobConditions = (filters: readonly string[], first: number): Conditions => {
  const values: unknown[] = [];
  const parameter = (value: unknown) => `$${first + values.push(value) - 1}`;
  const sql = filters.map((filter) => {
    const [name = '', text = ''] = filter.split(':');
    if (!isKnob(name))
      return refuse(
        filter,
        `a knob (one of ${hyperparameterNames.join(', ')}), a colon and a value or a range`,
      );
    const [from, to] = text.split('..');
    const knob = `t.hyperparameters ->> ${parameter(name)}`;
    // Only numbers are cast: other texts in the same place would be an error.
    const number = `CASE WHEN jsonb_typeof(t.hyperparameters -> $${first + values.length - 1}) = 'number' THEN (${knob})::float8 END`;
    if (to !== undefined)
      return `${number} BETWEEN ${parameter(numberOf(filter, from!))}::float8 AND ${parameter(numberOf(filter, to))}::float8`;
    const value = Number(text);
    return Number.isFinite(value) && text.trim() !== ''
      ? `${number} = ${parameter(value)}::float8`
      : `${knob} = ${parameter(text)}`;
  });
  return { sql: sql.map((condition) => ` AND ${condition}`).join(''), values };
};
