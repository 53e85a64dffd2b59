import { cleanAccuracyInterval } from '@funnel/contracts';
import type { ReactNode } from 'react';
import { IntervalMark, infinityPlace } from '../../charts/marks.tsx';
import { Status, Verdict } from '../../components/status.tsx';
import {
  formatHyperparameter,
  formatInterval,
  formatPercent,
  hyperparameterDescription,
  hyperparameterTitle,
} from '../../format.ts';
import { href } from '../../router.ts';
import type { Objective, Result } from '../../statistics/objective.ts';

export type Column = {
  readonly key: string;
  readonly title: string;
  readonly description?: string;
  readonly number?: boolean;
  /** The key for sorting; null sorts last in both directions. */
  readonly sort: (result: Result) => number | string | null;
  /** Whether a trial stands after all others in both directions. Missing values are still after it. (Default: none does) */
  readonly below?: (result: Result) => boolean;
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
    description:
      'Runs that are masked, untrained or measured on too few images come last, as on the leaderboard.',
    sort: ({ value }) => value,
    below: ({ masked }) => masked,
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
          {interval ? (
            <span className="muted small"> {formatInterval(interval, objective.format)}</span>
          ) : null}
        </>
      ),
  };
};

export const columnsOf = (
  results: readonly Result[],
  hyperparameters: readonly string[],
  objective: Objective,
  severalSeeds: boolean,
  /** The number of test images; undefined in a sweep of a very old version. */
  tested: number | undefined,
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
    results.some(({ trial }) => trial.decision !== undefined)
      ? {
          key: 'decision',
          title: 'Decision',
          description: 'The number of the decision of the search that made the trial.',
          number: true,
          sort: ({ trial }) => trial.decision ?? null,
          cell: ({ trial }) => trial.decision ?? '–',
        }
      : null,
    results.some(({ trial }) => trial.rung !== undefined)
      ? {
          key: 'rung',
          title: 'Rung',
          description:
            '0 is the shortest training. Trials of different rungs had different numbers of epochs.',
          number: true,
          sort: ({ trial }) => trial.rung ?? null,
          cell: ({ trial }) => trial.rung ?? '–',
        }
      : null,
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
      description: 'On all test images, with the 95 % interval.',
      cell: ({ clean }) => {
        const interval = cleanAccuracyInterval(clean, tested);
        return (
          <>
            {formatPercent(clean)}
            {interval ? <span className="muted small"> {formatInterval(interval)}</span> : null}
          </>
        );
      },
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

/** What a narrow screen shows first, without scrolling: the trial, how it did, and whether to trust that. */
const leading = ['number', 'value', 'clean', 'verdict', 'recipe'];

/** Flags have short names there, so that the verdict is not cut. */
const shortVerdict: Column['cell'] = ({ trial: { verdict } }) => (
  <Verdict verdict={verdict} brief={verdict !== 'ok'} />
);

export const resultsFirst = (columns: readonly Column[]): Column[] => [
  ...leading.flatMap((key) => {
    const column = columns.find((each) => each.key === key);
    return column ? [key === 'verdict' ? { ...column, cell: shortVerdict } : column] : [];
  }),
  ...columns.filter(({ key }) => !leading.includes(key)),
];

/** Sorts stably; missing values are last in both directions. */
export const sortResults = (
  results: readonly Result[],
  { sort, below = () => false }: Pick<Column, 'sort' | 'below'>,
  descending: boolean,
): Result[] => {
  const keyed = results.map((result) => ({ result, key: sort(result), isBelow: below(result) }));
  const sign = descending ? -1 : 1;
  keyed.sort((a, b) => {
    if (a.key === null || b.key === null) return a.key === b.key ? 0 : a.key === null ? 1 : -1;
    if (a.isBelow !== b.isBelow) return a.isBelow ? 1 : -1;
    if (typeof a.key === 'number' && typeof b.key === 'number') return sign * (a.key - b.key);
    return sign * (String(a.key) < String(b.key) ? -1 : String(a.key) > String(b.key) ? 1 : 0);
  });
  return keyed.map(({ result }) => result);
};

/** Whether a trial is shown. A filter such as `gamma>=5 recipe:funn status:completed 17` requires all of its parts. */
type TrialFilter = (result: Result) => boolean;

/** The filter, or the error of the text. */
type ParsedFilter =
  | { readonly keep: TrialFilter; readonly fault: null }
  | { readonly keep: null; readonly fault: string };

type Operator = ':' | '=' | '!=' | '>' | '>=' | '<' | '<=';

const columnValue = (result: Result, name: string): unknown => {
  const { trial } = result;
  if (name === 'value') return result.value;
  if (name === 'clean') return result.clean;
  const ofTrial = trialColumns.find((known) => known === name);
  return ofTrial ? trial[ofTrial] : trial.hyperparameters[name];
};

const trialColumns = ['number', 'seed', 'status', 'recipe', 'verdict', 'decision', 'rung'] as const;
const fixedColumns = ['value', 'clean', ...trialColumns];

const matches = (actual: unknown, operator: Operator, wanted: string): boolean => {
  if (actual === null || actual === undefined) return operator === '!=';
  const number =
    wanted === '∞'
      ? Number.POSITIVE_INFINITY
      : wanted.endsWith('%')
        ? Number(wanted.slice(0, -1)) / 100
        : Number(wanted);
  if (typeof actual === 'number' && !Number.isNaN(number)) {
    if (operator === '>') return actual > number;
    if (operator === '>=') return actual >= number;
    if (operator === '<') return actual < number;
    if (operator === '<=') return actual <= number;
    return (actual === number) === (operator !== '!=');
  }
  return (String(actual).toLowerCase() === wanted.toLowerCase()) === (operator !== '!=');
};

/** Parses a filter. `hyperparameters` are the names allowed before an operator, besides the fixed columns. */
export const parseFilter = (text: string, hyperparameters: readonly string[]): ParsedFilter => {
  const tests: TrialFilter[] = [];
  const names = [...fixedColumns, ...hyperparameters];
  for (const part of text.split(/\s+/).filter((word) => word !== '')) {
    const match = /^([a-z]+)(>=|<=|!=|[:=<>])(.+)$/i.exec(part);
    if (!match) {
      const word = part.toLowerCase();
      tests.push(
        ({ trial }) =>
          String(trial.number) === word || trial.recipe.includes(word) || trial.status.includes(word),
      );
      continue;
    }
    const [, typed = '', operator, wanted = ''] = match;
    const name = names.find((known) => known.toLowerCase() === typed.toLowerCase());
    if (name === undefined)
      return { keep: null, fault: `There is no column ${typed}. The columns are: ${names.join(', ')}.` };
    tests.push((result) => matches(columnValue(result, name), operator as Operator, wanted)); // the pattern allows only operators
  }
  return { keep: (result) => tests.every((test) => test(result)), fault: null };
};
