import type { ReactNode } from 'react';
import { IntervalMark } from '../../charts/interval-mark.tsx';
import { Status } from '../../components/status.tsx';
import { Verdict } from '../../components/verdict.tsx';
import {
  formatHyperparameter,
  formatPercent,
  hyperparameterDescription,
  hyperparameterTitle,
} from '../../format.ts';
import { href } from '../../router.ts';
import { infinityPlace } from '../../statistics/infinity-place.ts';
import type { Objective, Result } from './objective.ts';

export type Column = {
  readonly key: string;
  readonly title: string;
  readonly description?: string;
  readonly number?: boolean;
  /** What the column sorts by; null sorts last either way. */
  readonly sort: (result: Result) => number | string | null;
  readonly cell: (result: Result) => ReactNode;
};

const hyperparameterColumn = (name: string): Column => ({
  key: name,
  title: hyperparameterTitle(name),
  description: hyperparameterDescription(name),
  number: true,
  sort: ({ trial }) => {
    const value = trial.hyperparameters[name];
    return value === undefined ? null : typeof value === 'number' ? value : String(value);
  },
  cell: ({ trial }) => formatHyperparameter(trial.hyperparameters[name]),
});

const valueColumn = (results: readonly Result[], objective: Objective): Column => {
  const values = results.flatMap(({ value, interval }) =>
    value === null ? [] : [value, ...(interval ?? [])],
  );
  const place = infinityPlace(values);
  const [low, high] = [place?.low ?? 0, place?.infinity ?? place?.high ?? 1];
  return {
    key: 'value',
    title: objective.title,
    number: true,
    sort: ({ value }) => value,
    cell: ({ value, interval, masked }) =>
      value === null ? (
        <span className="muted">–</span>
      ) : (
        <>
          <IntervalMark
            value={value}
            interval={interval}
            low={low}
            high={high}
            hollow={masked}
            label={
              interval
                ? `95% interval ${objective.format(interval[0])} to ${objective.format(interval[1])}`
                : objective.format(value)
            }
          />{' '}
          {objective.format(value)}
        </>
      ),
  };
};

export const columnsOf = (
  results: readonly Result[],
  hyperparameters: readonly string[],
  objective: Objective,
  severalSeeds: boolean,
): Column[] => {
  const recipes = new Set(results.map(({ trial }) => trial.recipe));
  const columns: (Column | null)[] = [
    {
      key: 'number',
      title: 'Trial',
      sort: ({ trial }) => trial.number,
      cell: ({ trial }) => <a href={href(['trials', trial.id])}>{trial.number}</a>,
    },
    {
      key: 'status',
      title: 'Status',
      sort: ({ trial }) => trial.status,
      cell: ({ trial }) => <Status status={trial.status} />,
    },
    recipes.size > 1
      ? {
          key: 'recipe',
          title: 'Recipe',
          sort: ({ trial }) => trial.recipe,
          cell: ({ trial }) => trial.recipe,
        }
      : null,
    ...hyperparameters.map(hyperparameterColumn),
    severalSeeds
      ? {
          key: 'seed',
          title: 'Seed',
          number: true,
          sort: ({ trial }) => trial.seed,
          cell: ({ trial }) => trial.seed,
        }
      : null,
    {
      key: 'clean',
      title: 'Clean accuracy',
      number: true,
      sort: ({ clean }) => clean,
      cell: ({ clean }) => formatPercent(clean),
    },
    objective.metric === 'cleanAccuracy' ? null : valueColumn(results, objective),
    {
      key: 'verdict',
      title: 'Checks',
      sort: ({ trial }) => trial.verdict,
      cell: ({ trial }) => <Verdict verdict={trial.verdict} />,
    },
  ];
  return columns.filter((column) => column !== null);
};

/** Stable; missing values last whichever way. */
export const sortResults = (results: readonly Result[], { sort }: Column, descending: boolean): Result[] => {
  const keyed = results.map((result) => ({ result, key: sort(result) }));
  const sign = descending ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return a.key === b.key ? 0 : a.key === null ? 1 : -1;
    if (typeof a.key === 'number' && typeof b.key === 'number') return sign * (a.key - b.key);
    return sign * (String(a.key) < String(b.key) ? -1 : String(a.key) > String(b.key) ? 1 : 0);
  });
  return keyed.map(({ result }) => result);
};
