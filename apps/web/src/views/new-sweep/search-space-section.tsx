import {
  type HyperparameterName,
  hyperparameterDeclaration,
  hyperparameters,
  hyperparametersOf,
  isNumeric,
  type NumericHyperparameter,
  type Recipe,
  type RecipeName,
  recipes,
} from '@funnel/contracts';
import { useState } from 'react';
import { Panel, Prose, Segmented } from '../../components/controls.tsx';
import { formatHyperparameter } from '../../format.ts';
import type { Draft, HyperparameterDraft } from './draft.ts';
import { Labelled } from './fields.tsx';
import { type Field, fieldOf, type Issues, issueAt } from './schema.ts';
import { usualRange } from './usual-range.ts';

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
  usualCount,
  errorOf,
  onChange,
}: {
  readonly hyperparameter: HyperparameterDraft & { mode: 'range' };
  readonly title: string;
  readonly usualCount: string;
  readonly errorOf: (end: string) => string | null;
  readonly onChange: Change;
}) => {
  const input = (name: 'min' | 'max' | 'count', label: string, placeholder?: string) => (
    <Labelled title={label} error={errorOf(name)}>
      <input
        className="input"
        inputMode="decimal"
        aria-label={`${title}: ${name === 'count' ? 'number of values' : label.toLowerCase()}`}
        aria-invalid={errorOf(name) !== null}
        placeholder={placeholder}
        value={hyperparameter[name]}
        onChange={(event) => onChange({ ...hyperparameter, [name]: event.target.value })}
      />
    </Labelled>
  );
  const noCount = usualCount === '' ? 'all values' : undefined;
  return (
    <span className="hyperparameter-range">
      {input('min', 'From')}
      {input('max', 'To')}
      {input(
        'count',
        'Values',
        hyperparameter.step === undefined ? noCount : `steps of ${hyperparameter.step}`,
      )}
      <Labelled title="Spacing" error={errorOf('scale')}>
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
      </Labelled>
    </span>
  );
};

/** The ends of a range that have an input of their own, which shows their error. */
const rangeEnds = ['min', 'max', 'count', 'scale'];

const rangeTexts = (declaration: NumericHyperparameter) => {
  const { min, max } = usualRange(declaration);
  return { min: String(min), max: String(max), scale: declaration.scale };
};

/** One hyperparameter of the search space: the default, a list of values, or a range. */
const HyperparameterRow = (props: {
  readonly name: HyperparameterName;
  readonly hyperparameter: HyperparameterDraft;
  readonly issues: Issues;
  /** A range proposes this number of values; empty: all values. */
  readonly usualCount: string;
  readonly onChange: Change;
}) => {
  const { name, hyperparameter, issues, usualCount, onChange } = props;
  const error = issueAt(issues, `space.${name}`);
  const errorOf = (end: string) => issueAt(issues, `space.${name}.${end}`);
  const isShownAtEnd = hyperparameter.mode === 'range' && rangeEnds.some((end) => errorOf(end) === error);
  const field = fieldOf(hyperparameters[name]);
  const meta = hyperparameterDeclaration(name);
  const numeric = isNumeric(meta);
  const defaultText = String(meta.default);
  const range = `${field.range}${numeric && meta.unit ? ` ${meta.unit}` : ''}`;
  const modes = [
    { value: 'default', title: `Default ${formatHyperparameter(meta.default)}` },
    { value: 'values', title: 'Values' },
    ...(numeric ? [{ value: 'range', title: 'Range' } as const] : []),
  ] as const;
  const setMode = (mode: HyperparameterDraft['mode']) => {
    if (mode === 'default') onChange({ mode });
    else if (mode === 'values') onChange({ mode, text: defaultText });
    else
      onChange({
        mode,
        ...(numeric ? rangeTexts(meta) : { min: defaultText, max: defaultText, scale: 'linear' }),
        count: usualCount,
      });
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
          label={`${meta.title}: default, values or range`}
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
          <RangeInputs
            hyperparameter={hyperparameter}
            title={meta.title}
            usualCount={usualCount}
            errorOf={errorOf}
            onChange={onChange}
          />
        ) : null}
        {error === null || isShownAtEnd ? null : <p className="field-error">{error}</p>}
      </div>
    </li>
  );
};

/** The hyperparameters of the recipes, grouped by the first kind of stage that reads them. */
const groupsOf = (
  names: readonly RecipeName[],
): { readonly kind: string; readonly hyperparameters: readonly HyperparameterName[] }[] => {
  const seen = new Set<HyperparameterName>();
  const groups = new Map<string, HyperparameterName[]>();
  for (const name of names) {
    const recipe: Recipe = recipes[name];
    for (const { kind, reads, lengthOf } of recipe.stages)
      for (const hyperparameter of [...lengthOf, ...reads]) {
        if (seen.has(hyperparameter)) continue;
        seen.add(hyperparameter);
        groups.set(kind, [...(groups.get(kind) ?? []), hyperparameter]);
      }
  }
  return [...groups].map(([kind, hyperparameters]) => ({ kind, hyperparameters }));
};

const notes: Record<string, string> = {
  initialise: 'Each value of these needs its own initialisation.',
  optimise: 'Trials that differ only here share their initialisation.',
  classify: 'Trials that differ only here share their auto-encoder.',
};

export const HyperparametersSection = (props: {
  readonly draft: Draft;
  readonly issues: Issues;
  readonly onHyperparameter: (name: HyperparameterName, hyperparameter: HyperparameterDraft) => void;
}) => {
  const { draft, issues, onHyperparameter } = props;
  const [search, setSearch] = useState('');
  const ofSpace = issues.get('space');
  const wanted = search.trim().toLowerCase();
  const total = new Set(draft.recipes.flatMap((recipe) => hyperparametersOf(recipe))).size;
  const set = Object.values(draft.hyperparameters).filter(
    (hyperparameter) => hyperparameter.mode !== 'default',
  ).length;
  return (
    <Panel
      title="Search space"
      note={`${set} of ${total} hyperparameters are set; the others keep their defaults.`}
      actions={
        <input
          className="input"
          type="search"
          aria-label="Find a hyperparameter"
          placeholder="Find a hyperparameter"
          data-search
          value={search}
          onChange={(event) => setSearch(event.target.value)}
        />
      }
    >
      <div className="hyperparameter-groups">
        {groupsOf(draft.recipes).map(({ kind, hyperparameters }) => {
          const shown = hyperparameters.filter(
            (name) => wanted === '' || name.toLowerCase().includes(wanted),
          );
          if (shown.length === 0) return null;
          return (
            <section key={kind}>
              <h3>
                {kind}{' '}
                <span className="muted" style={{ fontWeight: 400 }}>
                  {notes[kind]}
                </span>
              </h3>
              <ul>
                {shown.map((name) => (
                  <HyperparameterRow
                    key={name}
                    name={name}
                    hyperparameter={draft.hyperparameters[name] ?? { mode: 'default' }}
                    issues={issues}
                    usualCount={draft.search.strategy === 'grid' ? '5' : ''}
                    onChange={(hyperparameter) => onHyperparameter(name, hyperparameter)}
                  />
                ))}
              </ul>
            </section>
          );
        })}
      </div>
      {ofSpace === undefined ? null : <p className="field-error">{ofSpace}</p>}
    </Panel>
  );
};
