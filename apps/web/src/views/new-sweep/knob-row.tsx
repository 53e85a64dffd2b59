import { type HyperparameterName, hyperparameters, isNumeric, knobMeta } from '@funnel/contracts';
import { Prose } from '../../components/prose.tsx';
import { Segmented } from '../../components/segmented.tsx';
import { formatKnob } from '../../format.ts';
import type { KnobDraft } from './draft.ts';
import { type Field, fieldOf } from './field.ts';

type Change = (knob: KnobDraft) => void;

const Choices = ({
  field,
  text,
  onChange,
}: {
  readonly field: Field;
  readonly text: string;
  readonly onChange: Change;
}) => {
  const chosen = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const toggle = (choice: string) => {
    const next = field.choices.filter((other) =>
      other === choice ? !chosen.includes(choice) : chosen.includes(other),
    );
    onChange({ mode: 'values', text: next.join(', ') });
  };
  return (
    <span className="row">
      {field.choices.map((choice) => (
        <label key={choice} className="check">
          <input type="checkbox" checked={chosen.includes(choice)} onChange={() => toggle(choice)} />
          {choice}
        </label>
      ))}
    </span>
  );
};

const RangeInputs = ({
  knob,
  title,
  onChange,
}: {
  readonly knob: KnobDraft & { mode: 'range' };
  readonly title: string;
  readonly onChange: Change;
}) => {
  const input = (name: 'min' | 'max' | 'count', label: string, placeholder: string) => (
    <input
      className="input"
      inputMode="decimal"
      aria-label={`${title}: ${label}`}
      placeholder={placeholder}
      value={knob[name]}
      onChange={(event) => onChange({ ...knob, [name]: event.target.value })}
    />
  );
  return (
    <span className="knob-range">
      {input('min', 'from', 'from')}
      {input('max', 'to', 'to')}
      {input('count', 'number of values', knob.step === undefined ? 'how many' : `steps of ${knob.step}`)}
      <select
        className="input"
        aria-label={`${title}: spacing`}
        value={knob.scale}
        onChange={(event) => onChange({ ...knob, scale: event.target.value === 'log' ? 'log' : 'linear' })}
      >
        <option value="linear">linear</option>
        <option value="log">log</option>
      </select>
    </span>
  );
};

/** One knob of the search space: its default, some values, or a range. */
export const KnobRow = (props: {
  readonly name: HyperparameterName;
  readonly knob: KnobDraft;
  readonly error: string | null;
  readonly onChange: Change;
}) => {
  const { name, knob, error, onChange } = props;
  const field = fieldOf(hyperparameters[name]);
  const meta = knobMeta(name);
  const numeric = isNumeric(meta);
  const usual = String(meta.default);
  const range = `${field.range}${numeric && meta.unit ? ` ${meta.unit}` : ''}`;
  const modes = [
    { value: 'default', title: `Default ${formatKnob(meta.default)}` },
    { value: 'values', title: 'Values' },
    ...(numeric ? [{ value: 'range', title: 'Range' } as const] : []),
  ] as const;
  const setMode = (mode: KnobDraft['mode']) => {
    if (mode === 'default') onChange({ mode });
    else if (mode === 'values') onChange({ mode, text: usual });
    else onChange({ mode, min: usual, max: usual, count: '5', scale: numeric ? meta.scale : 'linear' });
  };
  return (
    <li className="knob" data-set={knob.mode === 'default' ? undefined : ''}>
      <div>
        <strong>{meta.title}</strong> <code className="muted small">{name}</code>
        <p className="muted small">
          <Prose text={meta.description} />{' '}
          {field.range === '' ? '' : `${range[0]!.toUpperCase()}${range.slice(1)}.`}
        </p>
      </div>
      <div className="knob-inputs">
        <Segmented label={`${meta.title}: how`} value={knob.mode} options={modes} onChange={setMode} />
        {knob.mode === 'values' ? (
          field.kind === 'choice' ? (
            <Choices field={field} text={knob.text} onChange={onChange} />
          ) : (
            <input
              className="input"
              aria-label={`${meta.title}: values`}
              aria-invalid={error !== null}
              placeholder="1, 5, 10"
              value={knob.text}
              onChange={(event) => onChange({ mode: 'values', text: event.target.value })}
            />
          )
        ) : null}
        {knob.mode === 'range' ? <RangeInputs knob={knob} title={meta.title} onChange={onChange} /> : null}
        {error === null ? null : <p className="field-error">{error}</p>}
      </div>
    </li>
  );
};
