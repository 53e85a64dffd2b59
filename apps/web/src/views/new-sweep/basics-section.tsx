import { DatasetSpec, datasetTitle, recipeNames, recipes } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { Panel, Segmented } from '../../components/controls.tsx';
import { datasetsQuery } from '../../data/queries.ts';
import { changeDataset, type Draft } from './draft.ts';
import { fieldOf, type Issues, issueAt } from './schema.ts';

type Change = (change: Partial<Draft>) => void;

const Labelled = (props: {
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

/** A line of text of the draft. `path`: of the value in the definition, whose issues the field shows. */
const Field = (props: {
  readonly title: string;
  readonly path: string;
  readonly value: string;
  readonly issues: Issues;
  readonly onChange: (text: string) => void;
  readonly hint?: string;
  /** Phones show digits first. (Default: true) */
  readonly numeric?: boolean;
}) => {
  const error = issueAt(props.issues, props.path);
  return (
    <Labelled title={props.title} error={error} hint={props.hint}>
      <input
        className="input"
        inputMode={props.numeric === false ? undefined : 'numeric'}
        value={props.value}
        aria-invalid={error !== null}
        onChange={(event) => props.onChange(event.target.value)}
      />
    </Labelled>
  );
};

const sizes = ['train', 'test', 'attack'] as const;

const DatasetSelect = ({
  draft: { dataset },
  issues,
  onChange,
}: {
  readonly draft: Draft;
  readonly issues: Issues;
  readonly onChange: Change;
}) => {
  const { data, error } = useQuery(datasetsQuery);
  const entries = data?.items ?? [];
  const isListed = entries.some(({ name }) => name === dataset.name);
  const choose = (name: string) => {
    const [before, next] = [dataset.name, name].map((wanted) =>
      entries.find((entry) => entry.name === wanted),
    );
    onChange({ dataset: next ? changeDataset(dataset, before, next) : { ...dataset, name } });
  };
  return (
    <Labelled
      title="Data set"
      error={
        issueAt(issues, 'dataset.name') ?? (error ? `The data sets cannot be listed: ${error.message}` : null)
      }
    >
      <select className="input" value={dataset.name} onChange={(event) => choose(event.target.value)}>
        {isListed ? null : <option value={dataset.name}>{datasetTitle(dataset.name)}</option>}
        {entries.map(({ name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </Labelled>
  );
};

const DatasetFields = ({
  draft,
  issues,
  onChange,
}: {
  readonly draft: Draft;
  readonly issues: Issues;
  readonly onChange: Change;
}) => (
  <div className="form-row">
    <DatasetSelect draft={draft} issues={issues} onChange={onChange} />
    {sizes.map((size) => {
      const field = fieldOf(DatasetSpec.shape[size]);
      return (
        <Field
          key={size}
          title={field.title}
          hint={field.description}
          path={`dataset.${size}`}
          value={draft.dataset[size]}
          issues={issues}
          onChange={(text) => onChange({ dataset: { ...draft.dataset, [size]: text } })}
        />
      );
    })}
  </div>
);

const SearchFields = ({
  draft,
  issues,
  onChange,
}: {
  readonly draft: Draft;
  readonly issues: Issues;
  readonly onChange: Change;
}) => (
  <div className="form-row">
    <div className="label">
      Search
      <Segmented
        label="Search"
        value={draft.strategy}
        options={[
          { value: 'grid', title: 'Every point' },
          { value: 'random', title: 'Random points' },
        ]}
        onChange={(strategy) => onChange({ strategy })}
      />
    </div>
    {draft.strategy === 'random' ? (
      <>
        <Field
          title="Points"
          path="search.trials"
          value={draft.randomTrials}
          issues={issues}
          onChange={(randomTrials) => onChange({ randomTrials })}
        />
        <Field
          title="Seed of the search"
          path="search.seed"
          value={draft.randomSeed}
          issues={issues}
          onChange={(randomSeed) => onChange({ randomSeed })}
        />
      </>
    ) : null}
    <Field
      title="Seeds per point"
      hint="A number of seeds (0, 1, …), or a list such as 3, 7."
      path="seeds"
      value={draft.seeds}
      issues={issues}
      onChange={(seeds) => onChange({ seeds })}
      numeric={false}
    />
    <Field
      title="Priority, 0 to 99"
      path="priority"
      value={draft.priority}
      issues={issues}
      onChange={(priority) => onChange({ priority })}
    />
    <Field
      title="Stages at once"
      hint="At most this many stages of this sweep run at once. Empty: no limit."
      path="maxRunning"
      value={draft.maxRunning}
      issues={issues}
      onChange={(maxRunning) => onChange({ maxRunning })}
    />
  </div>
);

export const BasicsSection = (props: {
  readonly draft: Draft;
  readonly issues: Issues;
  readonly onChange: Change;
  readonly submitted: boolean;
}) => {
  const { draft, issues, onChange } = props;
  const toggle = (name: (typeof recipeNames)[number]) => {
    const next = recipeNames.filter((other) =>
      other === name ? !draft.recipes.includes(name) : draft.recipes.includes(other),
    );
    onChange({ recipes: next });
  };
  return (
    <Panel title="Basics">
      <div className="stack">
        {/* An empty name is an error only after an attempt to submit. */}
        <Labelled title="Name" error={props.submitted || draft.name !== '' ? issueAt(issues, 'name') : null}>
          <input
            className="input"
            name="name"
            value={draft.name}
            onChange={(event) => onChange({ name: event.target.value })}
          />
        </Labelled>
        <Labelled title="What should this sweep show? (optional)" error={issueAt(issues, 'description')}>
          <textarea
            className="input"
            rows={2}
            value={draft.description}
            onChange={(event) => onChange({ description: event.target.value })}
          />
        </Labelled>
        <fieldset className="recipes">
          <legend className="label">Recipes</legend>
          {recipeNames.map((name) => (
            <label key={name} className="check">
              <input type="checkbox" checked={draft.recipes.includes(name)} onChange={() => toggle(name)} />
              <span>
                <strong>{recipes[name].title}</strong>{' '}
                <span className="muted small">{recipes[name].description}</span>
              </span>
            </label>
          ))}
          {issueAt(issues, 'recipes') === null ? null : (
            <p className="field-error">{issueAt(issues, 'recipes')}</p>
          )}
        </fieldset>
        <DatasetFields draft={draft} issues={issues} onChange={onChange} />
        <SearchFields draft={draft} issues={issues} onChange={onChange} />
      </div>
    </Panel>
  );
};
