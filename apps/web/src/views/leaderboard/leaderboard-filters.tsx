import {
  attackNames,
  attacks,
  datasetNames,
  datasetTitle,
  evaluationMetricNames,
  evaluationMetrics,
  HyperparameterFilter,
  recipeNames,
  recipes,
  SweepTag,
} from '@funnel/contracts';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { z } from 'zod';
import { Segmented } from '../../components/controls.tsx';
import { datasetsQuery } from '../../data/queries.ts';
import { href } from '../../router.ts';
import { type BoardQuery, type SetBoard, worstOfAll } from './leaderboard-query.ts';

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

/** A text field of words, which take effect once all of them are valid. `separator`: between two words of the address. */
const WordsField = (props: {
  readonly label: string;
  readonly placeholder: string;
  readonly words: readonly string[];
  readonly separator: ' ' | ',';
  readonly word: z.ZodType<unknown, string>;
  readonly onChange: (value: string) => void;
}) => {
  const { words, separator, word, onChange } = props;
  const [text, setText] = useState(words.join(separator));
  const wordsOf = (typed: string) => typed.split(/[\s,]+/).filter((part) => part !== '');
  const isValid = (typed: string) => wordsOf(typed).every((part) => word.safeParse(part).success);
  return (
    <label className="label board-words">
      {props.label}
      <input
        className="input"
        data-search
        placeholder={props.placeholder}
        value={text}
        aria-invalid={!isValid(text)}
        onChange={({ target: { value } }) => {
          setText(value);
          if (isValid(value)) onChange(wordsOf(value).join(separator));
        }}
      />
    </label>
  );
};

/** The data sets that a sweep may name now, and the chosen one, which may have lost its name. */
const DatasetSelect = ({ chosen, set }: { readonly chosen: string; readonly set: SetBoard }) => {
  const { data } = useQuery(datasetsQuery);
  const names = data?.items.map(({ name }) => name) ?? datasetNames;
  return (
    <Select label="Data set" value={chosen} onChange={(value) => set('dataset', value)}>
      <Option value="" title="All" />
      {[...new Set([...names, ...(chosen === '' ? [] : [chosen])])].map((name) => (
        <Option key={name} value={name} title={datasetTitle(name)} />
      ))}
    </Select>
  );
};

type Props = {
  readonly query: BoardQuery;
  /** A row has a rung: its sweep promotes configurations. */
  readonly hasRungs: boolean;
  readonly set: SetBoard;
};

const MoreFilters = ({ query, hasRungs, set }: Props) => (
  <>
    <Select label="Recipe" value={query.recipe[0] ?? ''} onChange={(value) => set('recipe', value)}>
      <Option value="" title="All" />
      {recipeNames.map((name) => (
        <Option key={name} value={name} title={recipes[name].title} />
      ))}
    </Select>
    <DatasetSelect chosen={query.dataset ?? ''} set={set} />
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
      Doubtful runs
      <Segmented
        label="Doubtful runs: masked, untrained, or with too few images"
        value={query.masked}
        options={[
          { value: 'last', title: 'Last' },
          { value: 'equal', title: 'As measured' },
          { value: 'hide', title: 'Hidden' },
        ]}
        onChange={(value) => set('masked', value)}
      />
    </div>
    {hasRungs || query.rungs === 'all' ? (
      <div className="label">
        Rungs
        <Segmented
          label="Rungs"
          value={query.rungs}
          options={[
            { value: 'highest', title: 'Each at its highest' },
            { value: 'all', title: 'All together' },
          ]}
          onChange={(value) => set('rungs', value)}
        />
      </div>
    ) : null}
    <WordsField
      label="Hyperparameters"
      placeholder="gamma:1..5"
      words={query.where}
      separator=" "
      word={HyperparameterFilter}
      onChange={(value) => set('where', value)}
    />
    <WordsField
      label="Tags of sweeps"
      placeholder="baseline, paper/v2"
      words={query.tag}
      separator=","
      word={SweepTag}
      onChange={(value) => set('tag', value)}
    />
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
  </>
);

/** On a phone the ranking comes first: a button shows the filters other than attack and metric. */
export const LeaderboardFilters = (props: Props) => {
  const { query, set } = props;
  const [isOpen, setOpen] = useState(false);
  return (
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
      <button
        type="button"
        className="button board-more-button"
        aria-expanded={isOpen}
        aria-controls="board-more"
        onClick={() => setOpen(!isOpen)}
      >
        {isOpen ? 'Fewer filters' : 'More filters'}
      </button>
      <div id="board-more" className="board-more" data-open={isOpen}>
        <MoreFilters {...props} />
      </div>
    </div>
  );
};
