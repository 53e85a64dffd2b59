/** The metrics of training per epoch, as small charts. */
import { type StageKind, trainingMetrics } from '@funnel/contracts';
import { useMemo, useState } from 'react';
import { formatNumber, formatPercent, inSentence } from '../format.ts';
import { smooth } from '../statistics/smooth.ts';
import { useColours } from '../theme.ts';
import { axisStyle, baseOption, EChart } from './echart.tsx';
import { dashes } from './marks.tsx';
import { type PanelSpec, panelsOf, type TrialCurves } from './training-panels.ts';
import './charts.css';

/** The number of epochs that a trial has recorded for one kind of stage. */
const lengthOf = (trial: TrialCurves, kind: StageKind): number =>
  Math.max(0, ...trial.series.filter((s) => s.kind === kind).map((s) => s.epochs.at(-1) ?? 0));

/** The first epoch of each kind of a panel: the kinds of one trial follow each other. */
const startsOf = (trial: TrialCurves, kinds: readonly StageKind[]): number[] =>
  kinds.map((_, k) => kinds.slice(0, k).reduce((sum, kind) => sum + lengthOf(trial, kind), 0));

/** The epochs at which the next kind begins, without duplicates. */
const bordersOf = (trials: readonly TrialCurves[], kinds: readonly StageKind[]): number[] => {
  const borders = trials.flatMap((trial) =>
    startsOf(trial, kinds).filter((_, k) => k > 0 && lengthOf(trial, kinds[k]!) > 0),
  );
  return [...new Set(borders)];
};

/** Says what the dashed line is; empty when no chart has one. */
export const borderNote = (trials: readonly TrialCurves[]): string =>
  bordersOf(trials, ['initialise', 'optimise']).length > 0
    ? 'The dashed line separates initialisation and optimisation.'
    : '';

const Panel = ({
  panel,
  trials,
  smoothing,
}: {
  readonly panel: PanelSpec;
  readonly trials: readonly TrialCurves[];
  readonly smoothing: number;
}) => {
  const colours = useColours();
  const option = useMemo(() => {
    const axis = axisStyle(colours);
    const borders = bordersOf(trials, panel.kinds);
    const format =
      panel.scale === 'log' ? formatNumber : (v: number) => formatPercent(v, panel.scale === 'share' ? 0 : 1);
    const lines = trials.flatMap((trial, t) => {
      const starts = startsOf(trial, panel.kinds);
      return panel.metrics.map((metric, m) => {
        const tone = colours.series[trial.colour % 6]!;
        const data = panel.kinds.flatMap((kind, k) => {
          const series = trial.series.find((s) => s.kind === kind && s.name === metric);
          const values = series ? smooth(series.values, smoothing) : [];
          return series?.epochs.map((epoch, i) => [starts[k]! + epoch, values[i]]) ?? [];
        });
        const dash = dashes[trial.colour % 6]!;
        return {
          type: 'line',
          name:
            panel.metrics.length > 1
              ? `${trial.name}, ${inSentence(trainingMetrics[metric].title)}`
              : trial.name,
          data,
          showSymbol: data.length === 1,
          symbolSize: 4,
          lineStyle: {
            color: tone,
            width: m === 0 ? 1.8 : 1.2,
            opacity: m === 0 ? 1 : 0.45,
            type: dash.length === 0 ? 'solid' : [...dash],
          },
          itemStyle: { color: tone },
          ...(t === 0 && m === 0
            ? {
                markLine: {
                  silent: true,
                  symbol: 'none',
                  label: { show: false },
                  lineStyle: { color: colours.lineStrong, type: 'dashed' },
                  data: borders.map((x) => ({ xAxis: x })),
                },
              }
            : {}),
        };
      });
    });
    // On a logarithmic axis, a small range would have no label.
    const values = lines.flatMap(({ data }) => data.flatMap(([, value]) => (value ? [value] : [])));
    const isWide = panel.scale === 'log' && Math.max(...values) > 30 * Math.min(...values);
    return {
      ...baseOption(colours),
      grid: { left: 52, right: 12, top: 8, bottom: 24 },
      tooltip: {
        ...baseOption(colours).tooltip,
        trigger: 'axis',
        axisPointer: { lineStyle: { color: colours.lineStrong } },
        formatter: (
          hits: readonly { seriesName: string; marker: string; value: [number, number | null] }[],
        ) =>
          [
            `epoch ${hits[0]?.value[0]}`,
            ...hits.map(
              (hit) =>
                `${hit.marker}${hit.seriesName}: <b>${hit.value[1] === null ? '–' : format(hit.value[1])}</b>`,
            ),
          ].join('<br/>'),
      },
      xAxis: {
        type: 'value',
        minInterval: 1,
        min: 0,
        max: (range: { max: number }) => Math.max(1, range.max),
        ...axis,
        splitLine: { show: false },
      },
      yAxis: {
        type: isWide ? 'log' : 'value',
        scale: panel.scale === 'linear',
        ...(panel.scale === 'share' ? { min: 0, max: 1, interval: 0.25 } : {}),
        ...axis,
        splitNumber: 3,
        axisLabel: { ...axis.axisLabel, formatter: (v: number) => format(v) },
      },
      series: lines,
    };
  }, [panel, trials, smoothing, colours]);
  return (
    <figure>
      <figcaption>{panel.title}</figcaption>
      <EChart height={168} option={option} label={`${panel.title} over epochs`} />
    </figure>
  );
};

/** Shows the panels for which a trial has data. */
export const TrainingCurves = ({ trials }: { readonly trials: readonly TrialCurves[] }) => {
  const shown = useMemo(() => panelsOf(trials), [trials]);
  const [smoothing, setSmoothing] = useState(0);
  return (
    <>
      <label className="label smoothing">
        Smoothing {smoothing === 0 ? 'off' : smoothing}
        <input
          type="range"
          min={0}
          max={0.95}
          step={0.05}
          value={smoothing}
          title="The weight of the earlier epochs in a moving average"
          onChange={(event) => setSmoothing(Number(event.target.value))}
        />
      </label>
      <div className="small-charts">
        {shown.map((panel) => (
          <Panel key={panel.title} panel={panel} trials={trials} smoothing={smoothing} />
        ))}
      </div>
    </>
  );
};
