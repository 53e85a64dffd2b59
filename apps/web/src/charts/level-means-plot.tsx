/** What a hyperparameter does to the objective: its mean at each value, with 95 % intervals; the median where a trial is infinite. */
import { useMemo } from 'react';
import { formatHyperparameter, hyperparameterScale } from '../format.ts';
import type { LevelMean } from '../statistics/level-means.ts';
import { useColours } from './colours.ts';
import { axisStyle, baseOption, EChart, infinityAxis } from './echart.tsx';

export const LevelMeansPlot = (props: {
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
    const ends95 = levels.flatMap(({ mean, halfWidth }) => [
      mean - (halfWidth ?? 0),
      mean + (halfWidth ?? 0),
    ]);
    const vertical = infinityAxis(ends95, format, colours);
    const at = (level: (typeof levels)[number]) => (numeric ? Number(level.value) : String(level.value));
    return {
      ...baseOption(colours),
      grid: { left: 58, right: 20, top: 12, bottom: 42 },
      tooltip: {
        ...baseOption(colours).tooltip,
        trigger: 'item',
        formatter: ({ dataIndex }: { dataIndex: number }) => {
          const level = levels[dataIndex]!;
          const spread = level.halfWidth === null ? '' : ` ± ${format(level.halfWidth)}`;
          const infinite = level.infinite ? `, of which ${level.infinite} are ∞: median` : '';
          return `${title} = ${formatHyperparameter(level.value)}<br/><b>${format(level.mean)}</b>${spread}, ${level.n} trials${infinite}`;
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
          data: levels.map((level) => [
            at(level),
            vertical.at(level.mean - (level.halfWidth ?? 0)),
            vertical.at(level.mean + (level.halfWidth ?? 0)),
          ]),
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
