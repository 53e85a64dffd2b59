/** The search: the strategy, and the fields that its declaration has. Titles and explanations come from the contracts. */
import {
  fidelitiesOf,
  type RecipeName,
  Sampler,
  type SearchName,
  searchHints,
  searchTitles,
} from '@funnel/contracts';
import { Panel, Prose } from '../../components/controls.tsx';
import { hyperparameterTitle } from '../../format.ts';
import type { Draft } from './draft.ts';
import { ChoiceField, LinesField, TextField } from './fields.tsx';
import { fieldOf, type Issues, issueAt } from './schema.ts';
import {
  isDecidedName,
  isPromotingName,
  type SearchDraft,
  type StopRule,
  searchShape,
} from './search-draft.ts';

type Props = {
  readonly search: SearchDraft;
  readonly issues: Issues;
  readonly onChange: (change: Partial<SearchDraft>) => void;
};

const strategyNames = Object.keys(searchHints) as SearchName[]; // the record has every name

const Strategies = (props: Pick<Props, 'search'> & { readonly onChoose: (name: SearchName) => void }) => (
  <fieldset className="recipes">
    <legend className="hidden-visually">Strategy</legend>
    {strategyNames.map((name) => (
      <label key={name} className="check">
        <input
          type="radio"
          name="strategy"
          checked={props.search.strategy === name}
          onChange={() => props.onChoose(name)}
        />
        <span>
          <strong>{searchTitles[name]}</strong> <span className="muted small">{searchHints[name]}</span>
        </span>
      </label>
    ))}
  </fieldset>
);

/** Title and explanation of a field of the strategy, and its error. */
const declared = ({ search, issues }: Pick<Props, 'search' | 'issues'>, name: string) => {
  const { title, description } = fieldOf(searchShape(search.strategy)[name]!);
  return { title, hint: description, error: issueAt(issues, `search.${name}`) };
};

const Texts = (props: Props & { readonly names: readonly ('trials' | 'seed' | 'parallelism' | 'eta')[] }) =>
  props.names.map((name) => (
    <TextField
      key={name}
      {...declared(props, name)}
      value={props.search[name]}
      onChange={(text) => props.onChange({ [name]: text })}
    />
  ));

/** A choice between the words that the declaration lists. */
const Words = (props: Props & { readonly name: 'order' | 'masked' }) => {
  const { choices } = fieldOf(searchShape(props.search.strategy)[props.name]!);
  return (
    <ChoiceField
      {...declared(props, props.name)}
      value={props.search[props.name] as string}
      options={choices.map((value) => ({ value, title: value }))}
      // The choices are those of the declaration.
      onChange={(value) => props.onChange({ [props.name]: value } as Partial<SearchDraft>)}
    />
  );
};

const PromotionFields = (props: Props & { readonly recipes: readonly RecipeName[] }) => {
  const { search, issues, onChange } = props;
  const { fidelity } = search;
  const possible: readonly string[] = fidelitiesOf(props.recipes);
  const names = possible.includes(fidelity.hyperparameter)
    ? possible
    : [fidelity.hyperparameter, ...possible];
  const set = (change: Partial<SearchDraft['fidelity']>) =>
    onChange({ fidelity: { ...fidelity, ...change } });
  return (
    <div className="form-row">
      <ChoiceField
        {...declared(props, 'sampler')}
        value={search.sampler}
        options={Sampler.options.map((value) => ({ value, title: searchTitles[value] }))}
        onChange={(sampler) => onChange({ sampler })}
      />
      <ChoiceField
        title="Fidelity"
        hint="A hyperparameter that counts epochs. Each rung trains more of them."
        value={fidelity.hyperparameter}
        options={names.map((value) => ({
          value,
          title: value === '' ? 'choose' : `${hyperparameterTitle(value)} (${value})`,
        }))}
        error={issueAt(issues, 'search.fidelity.hyperparameter')}
        onChange={(hyperparameter) => set({ hyperparameter })}
      />
      <TextField
        title="Epochs of the lowest rung"
        value={fidelity.min}
        error={issueAt(issues, 'search.fidelity.min')}
        onChange={(min) => set({ min })}
      />
      <TextField
        title="Epochs of the highest rung"
        value={fidelity.max}
        error={issueAt(issues, 'search.fidelity.max')}
        onChange={(max) => set({ max })}
      />
      <Texts {...props} names={['eta']} />
    </div>
  );
};

const stopTitles: Readonly<Record<StopRule, string>> = {
  epochs: 'Stop after epochs',
  hours: 'Stop after hours',
  decisionsWithoutImprovement: 'Stop after decisions without a better value',
};

const DecidedFields = (props: Props) => {
  const { search, issues, onChange } = props;
  return (
    <>
      <div className="form-row">
        <LinesField
          {...declared(props, 'constraints')}
          value={search.constraints}
          placeholder="cleanAccuracy >= 0.95"
          onChange={(constraints) => onChange({ constraints })}
        />
        <LinesField
          {...declared(props, 'try')}
          value={search.try}
          placeholder="gamma: 5, beta: 0.01"
          onChange={(points) => onChange({ try: points })}
        />
        <Words {...props} name="masked" />
      </div>
      <div className="form-row">
        <TextField
          {...declared(props, 'from')}
          value={search.from}
          placeholder="ids or names of sweeps"
          onChange={(from) => onChange({ from })}
        />
        {(Object.keys(stopTitles) as StopRule[]).map((rule) => (
          <TextField
            key={rule}
            title={stopTitles[rule]}
            value={search.stop[rule]}
            placeholder="never"
            error={issueAt(issues, `search.stop.${rule}`)}
            onChange={(text) => onChange({ stop: { ...search.stop, [rule]: text } })}
          />
        ))}
      </div>
    </>
  );
};

export const SearchSection = (props: {
  readonly draft: Draft;
  readonly issues: Issues;
  readonly onChange: (change: Partial<Draft>) => void;
}) => {
  const { draft, issues } = props;
  const { search, recipes } = draft;
  const { strategy } = search;
  const onChange = (change: Partial<SearchDraft>) => props.onChange({ search: { ...search, ...change } });
  const choose = (next: SearchName) => {
    const [first = ''] = fidelitiesOf(recipes);
    const { fidelity } = search;
    onChange({
      strategy: next,
      ...(isPromotingName(next) &&
        fidelity.hyperparameter === '' && { fidelity: { ...fidelity, hyperparameter: first } }),
    });
  };
  const fields = { search, issues, onChange };
  const isDecided = isDecidedName(strategy);
  return (
    <Panel title="Search" note="Which points of the search space become trials.">
      <div className="stack">
        <Strategies search={search} onChoose={choose} />
        {strategy === 'grid' ? null : (
          <div className="form-row">
            <Texts {...fields} names={['trials', 'seed', ...(isDecided ? (['parallelism'] as const) : [])]} />
            {isDecided ? <Words {...fields} name="order" /> : null}
          </div>
        )}
        {isDecided && search.order === 'asynchronous' ? (
          <p className="muted small">
            <Prose text={fieldOf(searchShape(strategy).order!).description} />
          </p>
        ) : null}
        {isPromotingName(strategy) ? <PromotionFields {...fields} recipes={recipes} /> : null}
        {isDecided ? <DecidedFields {...fields} /> : null}
      </div>
    </Panel>
  );
};
