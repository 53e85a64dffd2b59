import { useId } from 'react';
import type { Field } from './field.ts';

const show = (value: unknown): string =>
  value === null || value === undefined ? '' : Array.isArray(value) ? value.join(', ') : String(value);

/** Numbers in a list are sent as a list; one number as itself. */
const textValue = (text: string): unknown => {
  const parts = text.split(',').map((part) => Number(part));
  if (parts.some(Number.isNaN)) return text;
  return parts.length > 1 ? parts : parts[0];
};

/** One setting, drawn from its declaration. `value` undefined: the default. */
export const SchemaField = (props: {
  readonly field: Field;
  readonly value: unknown;
  readonly error: string | null;
  readonly onChange: (value: unknown) => void;
}) => {
  const { field, value, error, onChange } = props;
  const id = useId();
  const hint = [field.description, field.range === '' ? '' : `${field.range}.`]
    .filter((part) => part !== '')
    .join(' ');
  if (field.kind === 'boolean')
    return (
      <label className="check" title={hint}>
        <input
          type="checkbox"
          checked={Boolean(value ?? field.usual)}
          onChange={(event) => onChange(event.target.checked)}
        />
        {field.title}
      </label>
    );
  if (field.kind === 'choice')
    return (
      <label className="label" title={hint}>
        {field.title}
        <select
          className="input"
          value={show(value ?? field.usual)}
          onChange={(event) => onChange(event.target.value)}
        >
          {field.choices.map((choice) => (
            <option key={choice}>{choice}</option>
          ))}
        </select>
      </label>
    );
  const change = (text: string) => {
    if (text.trim() === '') onChange(undefined);
    else onChange(textValue(text));
  };
  return (
    <label className="label" title={hint} htmlFor={id}>
      {field.title}
      <input
        id={id}
        className="input"
        inputMode="decimal"
        defaultValue={show(value)}
        placeholder={field.usual === null ? 'auto' : show(field.usual)}
        aria-invalid={error !== null}
        onChange={(event) => change(event.target.value)}
      />
      {error === null ? null : <span className="field-error">{error}</span>}
    </label>
  );
};
