import { DatasetSpec, datasetTitle, type Plan, recipeNames, recipes } from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { Panel, Prose } from '../../components/controls.tsx';
import { datasetsQuery } from '../../data/queries.ts';
import { changeDataset, type Draft } from './draft.ts';
import { Labelled, TextField } from './fields.tsx';
import { fieldOf, type Issues, issueAt } from './schema.ts';
import { SizeAdvice } from './size-advice.tsx';

type Change = (change: Partial<Draft>) => void;

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
        <TextField
          key={size}
          title={field.title}
          hint={field.description}
          value={draft.dataset[size]}
          error={issueAt(issues, `dataset.${size}`)}
          onChange={(text) => onChange({ dataset: { ...draft.dataset, [size]: text } })}
        />
      );
    })}
  </div>
);

/** How often, how soon and how widely the sweep runs. */
const RunFields = ({
  draft,
  issues,
  onChange,
}: {
  readonly draft: Draft;
  readonly issues: Issues;
  readonly onChange: Change;
}) => (
  <div className="form-row">
    <TextField
      title="Seeds per point"
      hint="A number of seeds (0, 1, …), or a list such as 3, 7."
      value={draft.seeds}
      error={issueAt(issues, 'seeds')}
      onChange={(seeds) => onChange({ seeds })}
    />
    <TextField
      title="Priority, 0 to 99"
      value={draft.priority}
      error={issueAt(issues, 'priority')}
      onChange={(priority) => onChange({ priority })}
    />
    <TextField
      title="Stages at once"
      hint="At most this many stages of this sweep run at once. Empty: no limit."
      value={draft.maxRunning}
      error={issueAt(issues, 'maxRunning')}
      onChange={(maxRunning) => onChange({ maxRunning })}
    />
  </div>
);

export const BasicsSection = (props: {
  readonly draft: Draft;
  readonly issues: Issues;
  readonly onChange: Change;
  readonly submitted: boolean;
  readonly plan: Plan | undefined;
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
                <span className="muted small">
                  <Prose text={recipes[name].description} />
                </span>
              </span>
            </label>
          ))}
          {issueAt(issues, 'recipes') === null ? null : (
            <p className="field-error">{issueAt(issues, 'recipes')}</p>
          )}
        </fieldset>
        <DatasetFields draft={draft} issues={issues} onChange={onChange} />
        <SizeAdvice dataset={draft.dataset} plan={props.plan} onChange={(dataset) => onChange({ dataset })} />
        <RunFields draft={draft} issues={issues} onChange={onChange} />
      </div>
    </Panel>
  );
};
