import { type Budgets, budgetsOfChoice, normTitles } from '@funnel/contracts';
import { useMemo, useState } from 'react';
import { CleanRobustScatter, type ScatterPoint } from '../../charts/clean-robust-scatter.tsx';
import { type AxisSpec, type Brushes, brushedRows, createAxis } from '../../charts/parallel/axes.ts';
import { ParallelCoordinates } from '../../charts/parallel/parallel-coordinates.tsx';
import { type CurveTrial, RobustnessCurves, useRobustnessCurves } from '../../charts/robustness-curves.tsx';
import { Panel, Segmented } from '../../components/controls.tsx';
import { useDebounced } from '../../components/hooks.ts';
import { ErrorNotice, Skeleton } from '../../components/states.tsx';
import {
  formatCount,
  formatPercent,
  hyperparameterScale,
  hyperparameterTitle,
  inSentence,
  plural,
} from '../../format.ts';
import type { Objective, Result } from '../../statistics/objective.ts';
import { fewestForImportance, ImportancePanel } from './importance-panel.tsx';
import { NothingMeasured } from './nothing-measured.tsx';
import {
  ChosenBar,
  ObjectiveTools,
  type SweepResults,
  type SweepTabProps,
  useSweepResults,
} from './sweep-results.tsx';
import { TrialsTable } from './trials-table.tsx';

const ScatterPanel = (props: {
  readonly results: readonly Result[];
  readonly active: Uint8Array;
  readonly objective: Objective;
  readonly chosen: readonly number[];
  readonly label: (row: number) => string;
  readonly onPick: (row: number) => void;
}) => {
  const { results, active, objective } = props;
  const chosenKey = props.chosen.join('.');
  // The key identifies the list.
  const chosen = useMemo(() => props.chosen, [chosenKey]);
  const points = useMemo(
    () =>
      results.flatMap(({ trial, clean, value, interval, masked }, row): ScatterPoint[] =>
        clean === null || value === null
          ? []
          : [
              {
                row,
                x: clean,
                y: value,
                recipe: trial.recipe,
                masked,
                interval,
                active: active[row] === 1,
              },
            ],
      ),
    [results, active],
  );
  return (
    <Panel
      title={`Clean accuracy against ${inSentence(objective.title)}`}
      note="Dashed line: the Pareto front. Hollow points: runs that are masked, untrained or measured on too few images. Shapes: recipes."
    >
      <CleanRobustScatter
        points={points}
        title={objective.title}
        direction={objective.direction}
        format={objective.format}
        chosen={chosen}
        label={props.label}
        onPick={props.onPick}
      />
    </Panel>
  );
};

const norms = [
  { value: 'linf', title: normTitles.linf },
  { value: 'l2', title: normTitles.l2 },
] as const;

const CurvesPanel = ({ data, budgets }: { readonly data: SweepResults; readonly budgets: Budgets }) => {
  const [norm, setNorm] = useState<'linf' | 'l2'>('linf');
  const trials = data.chosen.numbers.flatMap((number, colour): CurveTrial[] => {
    const found = data.results.find(({ trial }) => trial.number === number);
    return found ? [{ id: found.trial.id, name: `Trial ${number}`, colour }] : [];
  });
  const { curves, loading, note, isSearched } = useRobustnessCurves(trials, norm, budgets[norm]);
  return (
    <Panel
      title="Robust accuracy over ε"
      note={note}
      actions={<Segmented label="Norm" value={norm} options={norms} onChange={setNorm} />}
    >
      {curves.length > 0 ? (
        <div aria-busy={loading}>
          <RobustnessCurves curves={curves} />
        </div>
      ) : loading ? (
        <Skeleton height={340} />
      ) : isSearched ? (
        <p className="muted" style={{ height: 340 }}>
          None of the chosen trials has been attacked yet.
        </p>
      ) : null}
    </Panel>
  );
};

/** The axes: hyperparameters first, results last. */
const axisSpecs = (
  results: readonly Result[],
  hyperparameters: readonly string[],
  objective: Objective,
): AxisSpec[] => {
  const recipes = new Set(results.map(({ trial }) => trial.recipe));
  const axis = (
    key: string,
    title: string,
    values: AxisSpec['values'],
    more: Partial<AxisSpec> = {},
  ): AxisSpec => ({
    key,
    title,
    scale: 'linear',
    values,
    ...more,
  });
  return [
    ...(recipes.size > 1
      ? [
          axis(
            'recipe',
            'Recipe',
            results.map(({ trial }) => trial.recipe),
          ),
        ]
      : []),
    ...hyperparameters.map((name) =>
      axis(
        name,
        hyperparameterTitle(name),
        results.map(({ trial }) => trial.hyperparameters[name] ?? null),
        { scale: hyperparameterScale(name) },
      ),
    ),
    axis(
      'clean',
      'Clean accuracy',
      results.map(({ clean }) => clean),
      { format: formatPercent },
    ),
    ...(objective.metric === 'cleanAccuracy'
      ? []
      : [
          axis(
            'value',
            objective.title,
            results.map(({ value }) => value),
            { format: objective.format },
          ),
        ]),
  ];
};

/** Positions on the colour ramp; better results are nearer to 1. The extreme 2 % of the finite values on each side do not stretch it. */
const shadeOf = (results: readonly Result[], { direction }: Objective): Float32Array => {
  const sorted = results
    .flatMap(({ value }) => (value === null || !Number.isFinite(value) ? [] : [value]))
    .sort((a, b) => a - b);
  const [low, high] = [
    sorted[Math.floor(sorted.length * 0.02)] ?? 0,
    sorted[Math.ceil(sorted.length * 0.98) - 1] ?? 1,
  ];
  return Float32Array.from(results, ({ value }) => {
    if (value === null) return Number.NaN;
    const finite = high === low ? 0.5 : Math.max(0, Math.min(1, (value - low) / (high - low)));
    const t = value === Number.POSITIVE_INFINITY ? 1 : finite;
    return direction === 'max' ? t : 1 - t;
  });
};

/** The other charts follow a brush once it has not moved for this long. */
const restMs = 150;

export const ResultsTab = ({ sweep }: SweepTabProps) => {
  const data = useSweepResults(sweep);
  const { results, measured, hyperparameters, objective, chosen, partial, error, describe } = data;
  const [brushes, setBrushes] = useState<Brushes>(new Map());
  const specs = useMemo(
    () => axisSpecs(results, hyperparameters, objective),
    [results, hyperparameters, objective],
  );
  const axes = useMemo(() => specs.map(createAxis), [specs]);
  const active = useMemo(() => brushedRows(axes, specs, brushes), [axes, specs, brushes]);
  const shade = useMemo(() => shadeOf(results, objective), [results, objective]);
  // The lines follow the brush at once; the other charts follow when the brush stops.
  const shown = useDebounced(active, brushes.size === 0 ? 0 : restMs);
  const rowOf = useMemo(() => new Map(results.map(({ trial }, row) => [trial.number, row])), [results]);
  const chosenRows = chosen.numbers.flatMap((number) => rowOf.get(number) ?? []);
  const activeCount = active.reduce((sum, one) => sum + one, 0);

  const brush = (key: string, range: readonly [number, number] | null) => {
    const next = new Map(brushes);
    if (range === null) next.delete(key);
    else next.set(key, range);
    setBrushes(next);
  };
  const label = (row: number): string => {
    const { trial, value, clean } = results[row]!;
    const lines = [
      `Trial ${trial.number}`,
      describe(trial),
      `clean ${formatPercent(clean)}, ${inSentence(objective.title)} ${value === null ? '–' : objective.format(value)}`,
    ];
    return lines.filter((line) => line !== '').join('\n');
  };
  const pick = (row: number) => chosen.toggle(results[row]!.trial.number);

  if (results.length === 0) return error === null ? <Skeleton height={480} /> : <ErrorNotice error={error} />;
  const table = (
    <TrialsTable
      data={data}
      active={shown}
      severalSeeds={sweep.definition.seeds.length > 1}
      tested={sweep.definition.dataset.test}
    />
  );
  if (measured === 0 && !partial)
    return (
      <div className="stack">
        <ErrorNotice error={error} />
        <ObjectiveTools data={data} />
        <NothingMeasured sweep={sweep} title={objective.title} />
        {table}
      </div>
    );
  return (
    <div className="stack">
      <ErrorNotice error={error} />
      <ObjectiveTools data={data}>
        <span className="results-count muted" aria-live="polite">
          {partial ? `${plural(results.length, 'trial')} so far, ` : ''}
          {formatCount(measured)} of {formatCount(results.length)} measured
          {brushes.size > 0 ? `, ${formatCount(activeCount)} within the brushes ` : ' '}
          {brushes.size > 0 ? (
            <button type="button" className="button" data-size="small" onClick={() => setBrushes(new Map())}>
              Clear brushes
            </button>
          ) : null}
        </span>
      </ObjectiveTools>
      <Panel
        title="Hyperparameters and results"
        note={`One line per trial; lines with better ${inSentence(objective.title)} are stronger. Drag along an axis to show only the trials in that range, here and in the panels below. Click a line to choose its trial.`}
      >
        <ParallelCoordinates
          specs={specs}
          active={active}
          shade={shade}
          brushes={brushes}
          chosen={chosenRows}
          rowLabel={label}
          onBrush={brush}
          onPick={pick}
        />
      </Panel>
      <ChosenBar data={data} sweep={sweep} />
      <div className="columns">
        <ScatterPanel
          results={results}
          active={shown}
          objective={objective}
          chosen={chosenRows}
          label={label}
          onPick={pick}
        />
        <CurvesPanel data={data} budgets={budgetsOfChoice(sweep.definition.dataset)} />
      </div>
      {measured < fewestForImportance ? null : (
        <ImportancePanel
          results={results}
          hyperparameters={hyperparameters}
          objective={objective}
          active={shown}
        />
      )}
      {table}
    </div>
  );
};
