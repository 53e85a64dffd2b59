import { useMemo, useState } from 'react';
import type { AxisSpec, Brushes } from '../../charts/parallel/axes.ts';
import { brushedRows, createAxis } from '../../charts/parallel/axes.ts';
import { ParallelCoordinates } from '../../charts/parallel-coordinates.tsx';
import { Panel } from '../../components/panel.tsx';
import { ErrorNotice, Skeleton } from '../../components/states.tsx';
import { useDebounced } from '../../components/use-debounced.ts';
import {
  formatCount,
  formatPercent,
  hyperparameterScale,
  hyperparameterTitle,
  inSentence,
} from '../../format.ts';
import { ChosenBar } from './chosen-bar.tsx';
import { CurvesPanel } from './curves-panel.tsx';
import { ImportancePanel } from './importance-panel.tsx';
import type { Objective, Result } from './objective.ts';
import { ObjectiveTools } from './objective-tools.tsx';
import { ScatterPanel } from './scatter-panel.tsx';
import type { SweepTabProps } from './tab.ts';
import { TrialsTable } from './trials-table.tsx';
import { useSweepResults } from './use-sweep-results.ts';

/** Hyperparameters first, results last: one reads from cause to effect. */
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

/** Better is nearer to 1. The outermost fiftieth of the finite values on either side does not stretch the ramp. */
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

/** A brush that has not moved for this long is where it is meant to be. */
const restMs = 150;

export const ResultsTab = ({ sweep }: SweepTabProps) => {
  const data = useSweepResults(sweep);
  const { results, hyperparameters, objective, chosen, partial, error, describe } = data;
  const [brushes, setBrushes] = useState<Brushes>(new Map());
  const specs = useMemo(
    () => axisSpecs(results, hyperparameters, objective),
    [results, hyperparameters, objective],
  );
  const axes = useMemo(() => specs.map(createAxis), [specs]);
  const active = useMemo(() => brushedRows(axes, specs, brushes), [axes, specs, brushes]);
  const shade = useMemo(() => shadeOf(results, objective), [results, objective]);
  // The lines follow the brush at once; everything else when the hand rests.
  const shown = useDebounced(active, brushes.size === 0 ? 0 : restMs);
  const rowOf = useMemo(() => new Map(results.map(({ trial }, row) => [trial.number, row])), [results]);
  const chosenRows = chosen.numbers.flatMap((number) => rowOf.get(number) ?? []);
  const left = active.reduce((sum, one) => sum + one, 0);
  const measured = results.filter(({ value }) => value !== null).length;

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

  if (results.length === 0)
    return error === undefined ? <Skeleton height={480} /> : <ErrorNotice error={error} />;
  return (
    <div className="stack">
      {error === undefined ? null : <ErrorNotice error={error} />}
      <ObjectiveTools data={data}>
        <span className="results-count muted" aria-live="polite">
          {partial ? `${formatCount(results.length)} trials so far, ` : ''}
          {formatCount(measured)} of {formatCount(results.length)} measured
          {brushes.size > 0 ? `, ${formatCount(left)} within the brushes ` : ' '}
          {brushes.size > 0 ? (
            <button type="button" className="button" data-size="small" onClick={() => setBrushes(new Map())}>
              Clear brushes
            </button>
          ) : null}
        </span>
      </ObjectiveTools>
      <Panel
        title="Hyperparameters and results"
        note={`One line per trial, the stronger the better its ${inSentence(objective.title)}. Drag along an axis to keep only those trials, here and below; click a line to choose its trial.`}
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
      <ChosenBar data={data} sweepId={sweep.id} />
      <div className="columns">
        <ScatterPanel
          results={results}
          active={shown}
          objective={objective}
          chosen={chosenRows}
          label={label}
          onPick={pick}
        />
        <CurvesPanel data={data} dataset={sweep.definition.dataset.name} />
      </div>
      <ImportancePanel
        results={results}
        hyperparameters={hyperparameters}
        objective={objective}
        active={shown}
      />
      <TrialsTable data={data} active={shown} severalSeeds={sweep.definition.seeds.length > 1} />
    </div>
  );
};
