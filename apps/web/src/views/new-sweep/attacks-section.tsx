import {
  AttackName,
  AttackSpec,
  attackNames,
  attacks,
  budgetsOfChoice,
  expandAttacks,
  normTitles,
  PresetName,
  presetNames,
  presets,
} from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { useId } from 'react';
import type { z } from 'zod';
import { Panel, Prose, Segmented } from '../../components/controls.tsx';
import { datasetsQuery } from '../../data/queries.ts';
import { attackLabel, formatNumber } from '../../format.ts';
import type { AttackDraft, Draft } from './draft.ts';
import { ObjectiveFields } from './objective-fields.tsx';
import { type Field, fieldOf, type Issues, issueAt } from './schema.ts';

const show = (value: unknown): string =>
  value === null || value === undefined ? '' : Array.isArray(value) ? value.join(', ') : String(value);

/** One number, a list of numbers separated by commas, or else the text. */
const textValue = (text: string): unknown => {
  const parts = text.split(',').map((part) => Number(part));
  if (parts.some(Number.isNaN)) return text;
  return parts.length > 1 ? parts : parts[0];
};

/** The input of one setting, drawn from its declaration. An undefined `value` means the default. */
const SchemaField = (props: {
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
          checked={Boolean(value ?? field.defaultValue)}
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
          value={show(value ?? field.defaultValue)}
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
        placeholder={field.defaultValue === null ? 'auto' : show(field.defaultValue)}
        aria-invalid={error !== null}
        onChange={(event) => change(event.target.value)}
      />
      {error === null ? null : <span className="field-error">{error}</span>}
    </label>
  );
};

const AttackRow = (props: {
  readonly attack: AttackDraft;
  readonly at: number;
  readonly issues: Issues;
  readonly onChange: (attack: AttackDraft | null) => void;
}) => {
  const { attack, at, issues, onChange } = props;
  const declared = attacks[attack.attack];
  const shape: Readonly<Record<string, z.ZodType>> = declared.settings.shape;
  const set = (name: string, value: unknown) => {
    const { [name]: _, ...rest } = attack.settings;
    onChange({ ...attack, settings: value === undefined ? rest : { ...rest, [name]: value } });
  };
  return (
    <li className="attack">
      <div className="row" style={{ justifyContent: 'space-between' }}>
        <strong>{declared.title}</strong>
        <button
          type="button"
          className="button"
          data-size="small"
          data-kind="quiet"
          onClick={() => onChange(null)}
          aria-label={`Remove ${declared.title}`}
        >
          Remove
        </button>
      </div>
      <p className="muted small">
        <Prose text={declared.description} />
      </p>
      <div className="attack-settings">
        {Object.entries(shape).map(([name, schema]) => (
          <SchemaField
            key={`${attack.attack}/${name}`}
            field={fieldOf(schema)}
            value={attack.settings[name]}
            error={
              issueAt(issues, `attacks[${at}].settings.${name}`) ?? issueAt(issues, `attacks[${at}].${name}`)
            }
            onChange={(value) => set(name, value)}
          />
        ))}
      </div>
    </li>
  );
};

export const AttacksSection = (props: {
  readonly draft: Draft;
  readonly issues: Issues;
  readonly onChange: (change: Partial<Draft>) => void;
}) => {
  const { draft, issues, onChange } = props;
  const { data } = useQuery(datasetsQuery);
  const entry = data?.items.find(({ name }) => name === draft.dataset.name);
  const budgets = entry?.budgets ?? budgetsOfChoice({ name: draft.dataset.name });
  const isOwnList = draft.preset === null;
  const expanded = draft.preset === null ? [] : expandAttacks({ preset: draft.preset }, { budgets });
  const replace = (at: number, attack: AttackDraft | null) =>
    onChange({ attacks: draft.attacks.flatMap((other, i) => (i === at ? (attack ?? []) : other)) });
  const names = isOwnList ? draft.attacks.map(({ attack }) => attack) : expanded.map(({ attack }) => attack);
  // Without the attacks whose settings are wrong.
  const runs = isOwnList
    ? draft.attacks.flatMap((attack) => AttackSpec.safeParse(attack).data ?? [])
    : expanded;
  const ofList = issues.get('attacks') ?? issues.get('attacks.preset') ?? null;

  return (
    <Panel
      title="Attacks"
      note={
        isOwnList ? (
          'Your own list of attacks with their settings.'
        ) : (
          <Prose text={presets[draft.preset!].description} />
        )
      }
      actions={
        <Segmented
          label="Attacks"
          value={draft.preset ?? 'own'}
          options={[
            ...presetNames.map((name) => ({ value: name as string, title: presets[name].title })),
            { value: 'own', title: 'Own list' },
          ]}
          onChange={(value) => {
            const preset = PresetName.safeParse(value).data ?? null;
            // An own list starts with the attacks of the preset that was chosen before.
            const attacks =
              preset === null && draft.attacks.length === 0
                ? expanded.map(({ attack, settings }) => ({ attack, settings }))
                : draft.attacks;
            onChange({ preset, attacks });
          }}
        />
      }
    >
      {isOwnList ? (
        <ul className="attacks">
          {draft.attacks.map((attack, at) => (
            <AttackRow
              key={at}
              attack={attack}
              at={at}
              issues={issues}
              onChange={(changed) => replace(at, changed)}
            />
          ))}
          <li>
            <select
              className="input"
              aria-label="Add an attack"
              value=""
              onChange={(event) =>
                onChange({
                  attacks: [...draft.attacks, { attack: AttackName.parse(event.target.value), settings: {} }],
                })
              }
            >
              <option value="" disabled>
                Add an attack
              </option>
              {attackNames.map((name) => (
                <option key={name} value={name}>
                  {attacks[name].title}
                </option>
              ))}
            </select>
          </li>
        </ul>
      ) : (
        <>
          <p className="small">
            The usual ε of this data set: {normTitles.linf} {formatNumber(budgets.linf)}, {normTitles.l2}{' '}
            {formatNumber(budgets.l2)}. To change a number, choose <em>Own list</em>: it begins with these
            attacks.
          </p>
          <ul className="preset">
            {expanded.map((spec) => (
              <li key={attackLabel(spec)} className="small">
                {attackLabel(spec)}
              </li>
            ))}
          </ul>
        </>
      )}
      {ofList === null ? null : <p className="field-error">{ofList}</p>}
      <ObjectiveFields
        objectives={draft.objectives}
        runs={runs}
        names={[...new Set(names)]}
        issues={issues}
        onChange={(objectives) => onChange({ objectives })}
      />
    </Panel>
  );
};
