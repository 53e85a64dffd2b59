import {
  AttackName,
  attackNames,
  attacks,
  DatasetSlug,
  datasetNames,
  datasets,
  EvaluationMetricName,
  evaluationMetricNames,
  evaluationMetrics,
  HyperparameterFilter,
  type LeaderboardQuery,
  type Ranking,
  RecipeName,
  recipeNames,
  recipes,
  type SweepDefinition,
  usualMetricOf,
  usualRankings,
} from '@funnel/contracts';
import { type ReactNode, useState } from 'react';
import { Segmented } from '../../components/controls.tsx';
import { href, navigate, useAddressQuery } from '../../router.ts';

export type BoardQuery = Omit<LeaderboardQuery, 'limit' | 'cursor'>;

const worstOfAll = 'worst';

const groups = ['trial', 'configuration'] as const;
const places = ['last', 'equal', 'hide'] as const;
const oneOf = <V extends string>(values: readonly V[], value: string | null): V | undefined =>
  values.find((v) => v === value);

/** The ranking of the address, or else the default ranking. */
const readRanking = (query: URLSearchParams, definition: SweepDefinition | undefined): Ranking => {
  const [first] = usualRankings(definition);
  const text = query.get('attack');
  const metric = EvaluationMetricName.safeParse(query.get('metric')).data;
  if (text === null) return { attack: first.attack, metric: metric ?? first.metric };
  const attack = text === worstOfAll ? undefined : (AttackName.safeParse(text).data ?? first.attack);
  return { attack, metric: metric ?? usualMetricOf(attack) };
};

/** The query of the address without its invalid parts. `definition` belongs to the sweep that the address names. */
export const readBoardQuery = (query: URLSearchParams, definition?: SweepDefinition): BoardQuery => ({
  ...readRanking(query, definition),
  recipe: query.getAll('recipe').flatMap((name) => RecipeName.safeParse(name).data ?? []),
  dataset: DatasetSlug.safeParse(query.get('dataset')).data,
  sweep: query.get('sweep') ?? undefined,
  where: (query.get('where') ?? '').split(' ').filter((part) => HyperparameterFilter.safeParse(part).success),
  group: oneOf(groups, query.get('group')) ?? 'configuration',
  masked: oneOf(places, query.get('masked')) ?? 'last',
});

type SetBoard = (name: keyof BoardQuery, value: string | undefined) => void;

export const useLeaderboardQuery = (definition: SweepDefinition | undefined) => {
  const query = useAddressQuery();
  const set: SetBoard = (name, value) => {
    navigate(href(['leaderboard'], { ...Object.fromEntries(query), [name]: value }), { replace: true });
  };
  const [, next] = usualRankings(definition);
  /** Switches to the next default ranking, if the first has no runs. Null if the address names a ranking. */
  const fallBack =
    next && !query.has('attack')
      ? () =>
          navigate(
            href(['leaderboard'], { ...Object.fromEntries(query), attack: next.attack ?? worstOfAll }),
            {
              replace: true,
            },
          )
      : null;
  const reset = () => navigate(href(['leaderboard']));
  return { query: readBoardQuery(query, definition), set, reset, fallBack };
};

const Select = (props: {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly children: ReactNode;
}) => (
  <label className="label">
    {props.label}
    <select className="input" value={props.value} onChange={(event) => props.onChange(event.target.value)}>
      {props.children}
    </select>
  </label>
);

const Option = ({ value, title }: { readonly value: string; readonly title: string }) => (
  <option value={value}>{title}</option>
);

/** A text field whose filters take effect once all of them are valid. */
const WhereField = ({ where, set }: { readonly where: readonly string[]; readonly set: SetBoard }) => {
  const [text, setText] = useState(where.join(' '));
  const parts = text.split(/\s+/).filter((part) => part !== '');
  const fault = parts.find((part) => !HyperparameterFilter.safeParse(part).success);
  const type = (value: string) => {
    setText(value);
    const now = value.split(/\s+/).filter((part) => part !== '');
    if (now.every((part) => HyperparameterFilter.safeParse(part).success)) set('where', now.join(' '));
  };
  return (
    <label className="label board-where">
      Hyperparameters
      <input
        className="input"
        data-search
        placeholder="gamma:1..5"
        value={text}
        aria-invalid={fault !== undefined}
        onChange={(event) => type(event.target.value)}
      />
    </label>
  );
};

export const LeaderboardFilters = ({
  query,
  set,
}: {
  readonly query: BoardQuery;
  readonly set: SetBoard;
}) => (
  <div className="board-filters">
    <Select label="Attack" value={query.attack ?? worstOfAll} onChange={(value) => set('attack', value)}>
      <Option value={worstOfAll} title="Worst case over all attacks" />
      {attackNames.map((name) => (
        <Option key={name} value={name} title={attacks[name].title} />
      ))}
    </Select>
    <Select label="Metric" value={query.metric} onChange={(value) => set('metric', value)}>
      {evaluationMetricNames.map((name) => (
        <Option key={name} value={name} title={evaluationMetrics[name].title} />
      ))}
    </Select>
    <Select label="Recipe" value={query.recipe[0] ?? ''} onChange={(value) => set('recipe', value)}>
      <Option value="" title="All" />
      {recipeNames.map((name) => (
        <Option key={name} value={name} title={recipes[name].title} />
      ))}
    </Select>
    <Select label="Data set" value={query.dataset ?? ''} onChange={(value) => set('dataset', value)}>
      <Option value="" title="All" />
      {datasetNames.map((name) => (
        <Option key={name} value={name} title={datasets[name].title} />
      ))}
    </Select>
    <div className="label">
      Rows
      <Segmented
        label="Rows"
        value={query.group}
        options={[
          { value: 'configuration', title: 'Mean over seeds' },
          { value: 'trial', title: 'Each trial' },
        ]}
        onChange={(value) => set('group', value)}
      />
    </div>
    <div className="label">
      Masked runs
      <Segmented
        label="Masked runs"
        value={query.masked}
        options={[
          { value: 'last', title: 'Last' },
          { value: 'equal', title: 'As measured' },
          { value: 'hide', title: 'Hidden' },
        ]}
        onChange={(value) => set('masked', value)}
      />
    </div>
    <WhereField where={query.where} set={set} />
    {query.sweep === undefined ? null : (
      <div className="label">
        Sweep
        <span className="chip board-sweep">
          <a href={href(['sweeps', query.sweep])}>
            <code>{query.sweep}</code>
          </a>
          <button type="button" aria-label="All sweeps" onClick={() => set('sweep', undefined)}>
            ×
          </button>
        </span>
      </div>
    )}
  </div>
);
