/** The fields of the form: each has a title, a control, and the error of its path. */
import type { ReactNode } from 'react';

export const Labelled = (props: {
  readonly title: string;
  readonly error: string | null;
  readonly children: ReactNode;
  readonly hint?: string;
}) => (
  // biome-ignore lint/a11y/noLabelWithoutControl: the control is the child
  <label className="label" title={props.hint}>
    {props.title}
    {props.children}
    {props.error === null ? null : <span className="field-error">{props.error}</span>}
  </label>
);

type TextProps = {
  readonly title: string;
  readonly value: string;
  readonly error: string | null;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly onChange: (text: string) => void;
};

/** One line of text: a number, or a short list. */
export const TextField = ({ title, hint, error, onChange, ...input }: TextProps) => (
  <Labelled title={title} hint={hint} error={error}>
    <input
      className="input"
      inputMode="decimal"
      aria-invalid={error !== null}
      onChange={(event) => onChange(event.target.value)}
      {...input}
    />
  </Labelled>
);

/** Several lines of text. */
export const LinesField = ({ title, hint, error, onChange, ...input }: TextProps) => (
  <Labelled title={title} hint={hint} error={error}>
    <textarea
      className="input mono"
      rows={2}
      spellCheck={false}
      aria-invalid={error !== null}
      onChange={(event) => onChange(event.target.value)}
      {...input}
    />
  </Labelled>
);

export const ChoiceField = <V extends string>(props: {
  readonly title: string;
  readonly value: V;
  readonly options: readonly { readonly value: V; readonly title: string }[];
  readonly error: string | null;
  readonly hint?: string;
  readonly onChange: (value: V) => void;
}) => (
  <Labelled title={props.title} hint={props.hint} error={props.error}>
    <select
      className="input"
      value={props.value}
      aria-invalid={props.error !== null}
      onChange={({ target }) => {
        const chosen = props.options.find(({ value }) => value === target.value);
        if (chosen) props.onChange(chosen.value);
      }}
    >
      {props.options.map(({ value, title }) => (
        <option key={value} value={value}>
          {title}
        </option>
      ))}
    </select>
  </Labelled>
);
