/** The importance of the hyperparameters: the variance that each explains, and the mean objective at each value of the chosen one. */

import { evaluationMetrics, type HyperparameterValue } from '@funnel/contracts';
import { useMemo, useState } from 'react';
import { axisStyle, baseOption, EChart, infinityAxis } from '../../charts/echart.tsx';
import { Panel, Prose } from '../../components/controls.tsx';
import {
  formatHyperparameter,
  formatPercent,
  hyperparameterDescription,
  hyperparameterScale,
  hyperparameterTitle,
  inSentence,
  plural,
} from '../../format.ts';
import {
  type Hyperparameter,
  hyperparameterImportance,
  type Importance,
  mayBeChance,
} from '../../statistics/hyperparameter-importance.ts';
import { type LevelMean, levelMeans } from '../../statistics/level-means.ts';
import type { Objective, Result } from '../../statistics/objective.ts';
import { useColours } from '../../theme.ts';
import { importanceNote, levelMeansText, remainderText, tooFewText } from './importance-texts.ts';
import '../../charts/charts.css';

const HyperparameterImportanceBars = (props: {
  readonly rows: readonly Importance[];
  readonly selected: string | null;
  readonly onSelect: (name: string) => void;
}) => {
  // Of the whole track, which is all of the variance.
  const share = (value: number) => `${100 * Math.min(1, Math.max(0, value))}%`;
  return (
    <ul className="importance">
      {props.rows.map(({ name, importance, chance, given }) => (
        <li key={name}>
          <button type="button" aria-pressed={name === props.selected} onClick={() => props.onSelect(name)}>
            <span className="importance-name">{hyperparameterTitle(name)}</span>
            <span
              className="importance-track"
              title={`${given.length === 0 ? 'In' : `Without the effects of ${given.map(hyperparameterTitle).join(', ')}: in`} one of twenty random shuffles, chance alone reaches ${formatPercent(chance)}`}
            >
              <span
                className="importance-bar"
                data-real={mayBeChance({ importance, chance }) ? undefined : ''}
                style={{ width: share(importance) }}
              />
              <span className="importance-chance" style={{ left: share(chance) }} />
            </span>
            <span className="number">{formatPercent(importance)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
};

/** `what`: the objective, in the middle of a sentence. */
const ImportanceLegend = ({ what }: { readonly what: string }) => (
  <p className="muted small importance-legend">
    <span>
      <i className="importance-bar" data-real="" /> share of the variance of {what}, corrected for chance; a
      full bar is 100 %
    </span>
    <span>
      <i className="importance-bar" /> may be chance: the share does not pass the mark
    </span>
    <span>
      <i className="importance-chance" /> the mark: what chance alone reaches in one of twenty shuffles
    </span>
  </p>
);

/** The mean objective at each value of a hyperparameter, with 95 % intervals; the median if a trial is infinite. */
const LevelMeansPlot = (props: {
  readonly hyperparameter: string;
  readonly title: string;
  readonly objective: string;
  readonly levels: readonly LevelMean<number | string | boolean>[];
  readonly format: (value: number) => string;
}) => {
  const { hyperparameter, title, objective, levels, format } = props;
  const colours = useColours();
  const option = useMemo(() => {
    const axis = axisStyle(colours);
    const numeric = levels.every(({ value }) => typeof value === 'number');
    const log =
      numeric &&
      hyperparameterScale(hyperparameter) === 'log' &&
      levels.every(({ value }) => Number(value) > 0);
    const numbers = numeric ? levels.map(({ value }) => Number(value)) : [];
    const ends = log ? { min: Math.min(...numbers) / 1.5, max: Math.max(...numbers) * 1.5 } : { scale: true };
    const intervals = levels.map(({ mean, interval }) => interval ?? ([mean, mean] as const));
    const vertical = infinityAxis(intervals.flat(), format, colours);
    const at = (level: (typeof levels)[number]) => (numeric ? Number(level.value) : String(level.value));
    return {
      ...baseOption(colours),
      grid: { left: 58, right: 20, top: 12, bottom: 42 },
      tooltip: {
        ...baseOption(colours).tooltip,
        trigger: 'item',
        formatter: ({ dataIndex }: { dataIndex: number }) => {
          const level = levels[dataIndex]!;
          const spread = level.interval === null ? '' : ` (${level.interval.map(format).join(' to ')})`;
          const infinite = level.infinite
            ? `, median because ${level.infinite} of them ${level.infinite === 1 ? 'is' : 'are'} ∞`
            : '';
          return `${title} = ${formatHyperparameter(level.value)}<br/><b>${format(level.mean)}</b>${spread}, ${plural(level.n, 'trial')}${infinite}`;
        },
      },
      xAxis: {
        type: numeric ? (log ? 'log' : 'value') : 'category',
        ...ends,
        name: title,
        nameLocation: 'middle',
        nameGap: 26,
        ...axis,
        axisLabel: {
          ...axis.axisLabel,
          showMinLabel: !log,
          showMaxLabel: !log,
          formatter: (v: number | string) => formatHyperparameter(v),
        },
        splitLine: { show: false },
      },
      yAxis: {
        type: 'value',
        scale: true,
        name: objective,
        nameLocation: 'middle',
        nameGap: 44,
        ...axis,
        ...vertical.axis,
      },
      series: [
        {
          type: 'custom',
          silent: true,
          data: levels.map((level, i) => [at(level), ...intervals[i]!.map((end) => vertical.at(end))]),
          encode: { x: 0, y: [1, 2] },
          renderItem: (
            _: unknown,
            api: { value: (i: number) => number; coord: (at: (number | string)[]) => number[] },
          ) => {
            const [x, low] = api.coord([api.value(0), api.value(1)]) as [number, number];
            const [, high] = api.coord([api.value(0), api.value(2)]) as [number, number];
            const style = { stroke: colours.accent, lineWidth: 1.6 };
            const bar = (x1: number, y1: number, x2: number, y2: number) => ({
              type: 'line',
              shape: { x1, y1, x2, y2 },
              style,
            });
            return {
              type: 'group',
              children: [bar(x, low, x, high), bar(x - 4, low, x + 4, low), bar(x - 4, high, x + 4, high)],
            };
          },
        },
        {
          type: numeric ? 'line' : 'scatter',
          data: levels.map((level) => [at(level), vertical.at(level.mean)]),
          markLine: vertical.mark,
          symbol: 'circle',
          symbolSize: 8,
          itemStyle: { color: colours.accent },
          lineStyle: { color: colours.accent, width: 1.2, opacity: 0.6 },
        },
      ],
    };
  }, [hyperparameter, title, objective, levels, format, colours]);
  return <EChart height={220} option={option} label={`Mean ${objective} at each value of ${title}`} />;
};

/** The recipe and the hyperparameters of the measured trials. */
const columnsOf = (measured: readonly Result[], hyperparameters: readonly string[]): Hyperparameter[] => [
  { name: 'recipe', values: measured.map(({ trial }) => trial.recipe) },
  ...hyperparameters.map((name) => ({
    name,
    values: measured.map(({ trial }): HyperparameterValue | undefined => trial.hyperparameters[name]),
  })),
];

/** Fewer measured trials say nothing about the importance of a hyperparameter. */
export const fewestForImportance = 4;

export const ImportancePanel = (props: {
  readonly results: readonly Result[];
  readonly hyperparameters: readonly string[];
  readonly objective: Objective;
  readonly active: Uint8Array;
}) => {
  const { results, hyperparameters, objective, active } = props;
  const [picked, setPicked] = useState<string | null>(null);
  // The trials within the brushes that have a value.
  const measured = useMemo(
    () => results.filter(({ value }, row) => value !== null && active[row] === 1),
    [results, active],
  );
  const columns = useMemo(() => columnsOf(measured, hyperparameters), [measured, hyperparameters]);
  const values = useMemo(() => measured.map(({ value }) => value!), [measured]);
  const rows = useMemo(() => hyperparameterImportance(columns, values), [columns, values]);
  const name = rows.some((row) => row.name === picked) ? picked : (rows[0]?.name ?? null);
  const column = columns.find((candidate) => candidate.name === name);
  const largest = evaluationMetrics[objective.metric].unit === 'fraction' ? 1 : Number.POSITIVE_INFINITY;
  const levels = useMemo(
    () => (column ? levelMeans(column.values, values, largest) : []),
    [column, values, largest],
  );
  // Shares add up only if all hyperparameters are computed from the same trials.
  const comparable = columns.every((column) => column.values.every((value) => value !== undefined));
  const explained = rows.reduce((sum, row) => sum + (mayBeChance(row) ? 0 : row.importance), 0);
  const ranked = values.some((value) => !Number.isFinite(value));
  const tooFew = tooFewText(rows.filter((row) => row.tooFew).map((row) => hyperparameterTitle(row.name)));
  const given = rows
    .filter((row) => rows.some((other) => other.given.includes(row.name)))
    .map((row) => hyperparameterTitle(row.name));
  const title = hyperparameterTitle(name ?? '');

  return (
    <Panel
      title="Which hyperparameters matter"
      note={importanceNote({
        what: inSentence(objective.title),
        measured: measured.length,
        comparable,
        given,
        ranked,
      })}
    >
      {rows.length === 0 || name === null ? (
        <p className="muted" style={{ minHeight: 200 }}>
          {measured.length < fewestForImportance
            ? `This needs at least ${fewestForImportance} measured trials.`
            : 'No hyperparameter varies, or the results do not vary.'}
        </p>
      ) : (
        <div className="columns">
          <div className="stack" style={{ alignContent: 'start' }}>
            <HyperparameterImportanceBars rows={rows} selected={name} onSelect={setPicked} />
            <ImportanceLegend what={inSentence(objective.title)} />
            {comparable ? (
              <p className="muted small">{remainderText(explained, rows.some(mayBeChance))}</p>
            ) : null}
            {tooFew === null ? null : <p className="muted small">{tooFew}</p>}
          </div>
          <div>
            <LevelMeansPlot
              hyperparameter={name}
              title={title}
              objective={objective.title}
              levels={levels}
              format={objective.format}
            />
            <p className="muted small">{levelMeansText(levels, rows.length > 1)}</p>
            <p className="muted small">
              <Prose text={hyperparameterDescription(name)} />
            </p>
          </div>
        </div>
      )}
    </Panel>
  );
};
