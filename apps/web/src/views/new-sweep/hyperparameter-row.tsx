import {
  type HyperparameterName,
  hyperparameterDeclaration,
  hyperparameters,
  isNumeric,
} from '@funnel/contracts';
import { Prose } from '../../components/prose.tsx';
import { Segmented } from '../../components/segmented.tsx';
import { formatHyperparameter } from '../../format.ts';
import type { HyperparameterDraft } from './draft.ts';
import { type Field, fieldOf } from './field.ts';

type Change = (hyperparameter: HyperparameterDraft) => void;

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
  hyperparameter,
  title,
  onChange,
}: {
  readonly hyperparameter: HyperparameterDraft & { mode: 'range' };
  readonly title: string;
  readonly onChange: Change;
}) => {
  const input = (name: 'min' | 'max' | 'count', label: string, placeholder: string) => (
    <input
      className="input"
      inputMode="decimal"
      aria-label={`${title}: ${label}`}
      placeholder={placeholder}
      value={hyperparameter[name]}
      onChange={(event) => onChange({ ...hyperparameter, [name]: event.target.value })}
    />
  );
  return (
    <span className="hyperparameter-range">
      {input('min', 'from', 'from')}
      {input('max', 'to', 'to')}
      {input(
        'count',
        'number of values',
        hyperparameter.step === undefined ? 'how many' : `steps of ${hyperparameter.step}`,
      )}
      <select
        className="input"
        aria-label={`${title}: spacing`}
        value={hyperparameter.scale}
        onChange={(event) =>
          onChange({ ...hyperparameter, scale: event.target.value === 'log' ? 'log' : 'linear' })
        }
      >
        <option value="linear">linear</option>
        <option value="log">log</option>
      </select>
    </span>
  );
};

/** One hyperparameter of the search space: its default, some values, or a range. */
export const HyperparameterRow = (props: {
  readonly name: HyperparameterName;
  readonly hyperparameter: HyperparameterDraft;
  readonly error: string | null;
  readonly onChange: Change;
}) => {
  const { name, hyperparameter, error, onChange } = props;
  const field = fieldOf(hyperparameters[name]);
  const meta = hyperparameterDeclaration(name);
  const numeric = isNumeric(meta);
  const usual = String(meta.default);
  const range = `${field.range}${numeric && meta.unit ? ` ${meta.unit}` : ''}`;
  const modes = [
    { value: 'default', title: `Default ${formatHyperparameter(meta.default)}` },
    { value: 'values', title: 'Values' },
    ...(numeric ? [{ value: 'range', title: 'Range' } as const] : []),
  ] as const;
  const setMode = (mode: HyperparameterDraft['mode']) => {
    if (mode === 'default') onChange({ mode });
    else if (mode === 'values') onChange({ mode, text: usual });
    else onChange({ mode, min: usual, max: usual, count: '5', scale: numeric ? meta.scale : 'linear' });
  };
  return (
    <li className="hyperparameter" data-set={hyperparameter.mode === 'default' ? undefined : ''}>
      <div>
        <strong>{meta.title}</strong> <code className="muted small">{name}</code>
        <p className="muted small">
          <Prose text={meta.description} />{' '}
          {field.range === '' ? '' : `${range[0]!.toUpperCase()}${range.slice(1)}.`}
        </p>
      </div>
      <div className="hyperparameter-inputs">
        <Segmented
          label={`${meta.title}: how`}
          value={hyperparameter.mode}
          options={modes}
          onChange={setMode}
        />
        {hyperparameter.mode === 'values' ? (
          field.kind === 'choice' ? (
            <Choices field={field} text={hyperparameter.text} onChange={onChange} />
          ) : (
            <input
              className="input"
              aria-label={`${meta.title}: values`}
              aria-invalid={error !== null}
              placeholder="1, 5, 10"
              value={hyperparameter.text}
              onChange={(event) => onChange({ mode: 'values', text: event.target.value })}
            />
          )
        ) : null}
        {hyperparameter.mode === 'range' ? (
          <RangeInputs hyperparameter={hyperparameter} title={meta.title} onChange={onChange} />
        ) : null}
        {error === null ? null : <p className="field-error">{error}</p>}
      </div>
    </li>
  );
};
