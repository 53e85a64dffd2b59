import type { HyperparameterValue } from '@funnel/contracts';
import { useMemo, useState } from 'react';
import { HyperparameterImportanceBars } from '../../charts/hyperparameter-importance-bars.tsx';
import { LevelMeansPlot } from '../../charts/level-means-plot.tsx';
import { Panel } from '../../components/panel.tsx';
import { Prose } from '../../components/prose.tsx';
import {
  formatCount,
  formatPercent,
  hyperparameterDescription,
  hyperparameterTitle,
  inSentence,
} from '../../format.ts';
import { type Hyperparameter, hyperparameterImportance } from '../../statistics/hyperparameter-importance.ts';
import { levelMeans } from '../../statistics/level-means.ts';
import type { Objective, Result } from './objective.ts';

type Column = Hyperparameter & { readonly objective: readonly number[] };

/** A column per hyperparameter, over the measured trials within the brushes that read it: what a recipe does not read it cannot be judged by. */
const columnsOf = (
  results: readonly Result[],
  hyperparameters: readonly string[],
  active: Uint8Array,
): Column[] => {
  const kept = results.filter(({ value }, row) => value !== null && active[row] === 1);
  const column = (name: string, read: (result: Result) => HyperparameterValue | undefined): Column => {
    const readers = kept.filter((result) => read(result) !== undefined);
    return {
      name,
      values: readers.map((result) => read(result)!),
      objective: readers.map(({ value }) => value!),
    };
  };
  return [
    column('recipe', ({ trial }) => trial.recipe),
    ...hyperparameters.map((name) => column(name, ({ trial }) => trial.hyperparameters[name])),
  ];
};

export const ImportancePanel = (props: {
  readonly results: readonly Result[];
  readonly hyperparameters: readonly string[];
  readonly objective: Objective;
  readonly active: Uint8Array;
}) => {
  const { results, hyperparameters, objective, active } = props;
  const [picked, setPicked] = useState<string | null>(null);
  const columns = useMemo(
    () => columnsOf(results, hyperparameters, active),
    [results, hyperparameters, active],
  );
  const rows = useMemo(
    () =>
      columns
        .flatMap((column) => hyperparameterImportance([column], column.objective))
        .sort((a, b) => b.importance - a.importance),
    [columns],
  );
  const measured = columns[0]!.values.length;
  const name = rows.some((row) => row.name === picked) ? picked : (rows[0]?.name ?? null);
  const column = columns.find((candidate) => candidate.name === name);
  const levels = useMemo(() => (column ? levelMeans(column.values, column.objective) : []), [column]);
  // Shares add up only where all hyperparameters are judged by the same trials.
  const comparable = columns.every(({ values }) => values.length === measured);
  const explained = rows.reduce((sum, row) => sum + row.importance, 0);
  const ranked = columns[0]!.objective.some((value) => !Number.isFinite(value));
  const title = name === 'recipe' ? 'Recipe' : hyperparameterTitle(name ?? '');

  return (
    <Panel
      title="Which hyperparameters matter"
      note={`Share of the variance of ${ranked ? 'the ranks by ' : ''}${inSentence(objective.title)} that each hyperparameter explains alone, over ${formatCount(measured)} trials${comparable ? '' : ', of which each hyperparameter is judged by those that read it'}. The mark is what chance reaches in one of twenty shuffles.${ranked ? ' Some values are ∞, which have ranks but no variance.' : ''}`}
    >
      {rows.length === 0 || name === null ? (
        <p className="muted" style={{ minHeight: 200 }}>
          {measured < 4
            ? 'Four measured trials are needed.'
            : 'No hyperparameter varies, or nothing varies with it.'}
        </p>
      ) : (
        <div className="columns">
          <div className="stack" style={{ alignContent: 'start' }}>
            <HyperparameterImportanceBars rows={rows} selected={name} onSelect={setPicked} />
            {comparable ? (
              <p className="muted small">
                {formatPercent(Math.max(0, 1 - explained), 0)} is left to interactions, seeds and noise.
              </p>
            ) : null}
          </div>
          <div>
            <LevelMeansPlot
              hyperparameter={name}
              title={title}
              objective={objective.title}
              levels={levels}
              format={objective.format}
            />
            <p className="muted small">
              <Prose text={hyperparameterDescription(name)} />
            </p>
          </div>
        </div>
      )}
    </Panel>
  );
};
