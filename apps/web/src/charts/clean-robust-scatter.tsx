/** Clean accuracy against the objective, one point per trial, with the Pareto front. */

import { type RecipeName, recipes } from '@funnel/contracts';
import { useMemo } from 'react';
import { useLatest } from '../components/hooks.ts';
import { plural } from '../format.ts';
import { paretoFront } from '../statistics/robustness.ts';
import { useColours } from '../theme.ts';
import { axisStyle, baseOption, EChart, infinityAxis } from './echart.tsx';
import { endsOf, shareEnds } from './share-axis.ts';

export type ScatterPoint = {
  readonly row: number;
  readonly x: number;
  /** The objective, as measured. */
  readonly y: number;
  readonly recipe: RecipeName;
  readonly masked: boolean;
  readonly active: boolean;
  /** 95 % interval of y; drawn for chosen trials only. */
  readonly interval: readonly [number, number] | null;
};

/** Shapes stand for recipes; colours stand for chosen trials. */
const symbols = ['circle', 'diamond', 'rect', 'triangle'];
const symbolOf = (recipe: RecipeName): string =>
  symbols[Object.keys(recipes).indexOf(recipe) % symbols.length]!;

export const CleanRobustScatter = (props: {
  readonly points: readonly ScatterPoint[];
  readonly title: string;
  /** Whether a higher or a lower objective is better. */
  readonly direction: 'max' | 'min';
  readonly format: (value: number) => string;
  readonly chosen: readonly number[];
  /** The tooltip of a row. */
  readonly label: (row: number) => string;
  readonly onPick: (row: number) => void;
}) => {
  const { points, title, direction, format, chosen } = props;
  const label = useLatest(props.label);
  const colours = useColours();
  const option = useMemo(() => {
    const sign = direction === 'max' ? 1 : -1;
    const vertical = infinityAxis(
      points.map(({ y }) => y),
      format,
      colours,
    );
    // Masked runs are not on the front: their robustness is not credible.
    const eligible = points.filter((point) => point.active && !point.masked);
    const front = paretoFront(eligible.map((point) => ({ x: point.x, y: sign * point.y })));
    const item = (point: ScatterPoint) => {
      const place = chosen.indexOf(point.row);
      const colour =
        place >= 0 ? colours.series[place % 6]! : point.active ? colours.accent : colours.lineStrong;
      return {
        value: [point.x, vertical.at(point.y)],
        symbol: symbolOf(point.recipe),
        symbolSize: place >= 0 ? 12 : points.length > 500 ? 5 : 7,
        itemStyle: {
          // The empty symbols of ECharts are white inside, in the dark theme, too.
          color: point.masked ? colours.surface : colour,
          borderColor: colour,
          borderWidth: point.masked ? 1.6 : 0,
          opacity: place >= 0 ? 1 : point.active ? (points.length > 500 ? 0.45 : 0.65) : 0.25,
        },
      };
    };
    const order = [...points].sort(
      (a, b) => Number(a.active) - Number(b.active) || chosen.indexOf(a.row) - chosen.indexOf(b.row),
    );
    const axis = axisStyle(colours);
    return {
      base: {
        ...baseOption(colours),
        grid: { left: 58, right: 18, top: 14, bottom: 44 },
        xAxis: {
          type: 'value',
          scale: true,
          name: 'Clean accuracy',
          nameLocation: 'middle',
          nameGap: 28,
          ...shareEnds,
          ...axis,
          axisLabel: { ...axis.axisLabel, formatter: (v: number) => `${(100 * v).toFixed(1)}%` },
        },
        yAxis: {
          type: 'value',
          scale: true,
          name: title,
          nameLocation: 'middle',
          nameGap: 44,
          ...endsOf(format),
          ...axis,
          ...vertical.axis,
        },
        series: [
          {
            id: 'front',
            type: 'line',
            step: 'start',
            symbol: 'none',
            silent: true,
            data: front.map(({ x, y }) => [x, vertical.at(sign * y)]),
            lineStyle: { color: colours.text, width: 1.4, type: [5, 3], opacity: 0.75 },
            z: 3,
          },
          {
            id: 'intervals',
            type: 'custom',
            silent: true,
            z: 4,
            // Both ends of the interval extend the range of the axis.
            encode: { x: 0, y: [1, 2] },
            data: order
              .filter((p) => p.interval !== null && chosen.includes(p.row))
              .map((p) => [p.x, p.interval![0], p.interval![1], chosen.indexOf(p.row)]),
            renderItem: (
              _: unknown,
              api: { value: (i: number) => number; coord: (at: number[]) => number[] },
            ) => {
              const [x, low] = api.coord([api.value(0), api.value(1)]);
              const [, high] = api.coord([api.value(0), api.value(2)]);
              return {
                type: 'line',
                shape: { x1: x, y1: low, x2: x, y2: high },
                style: { stroke: colours.series[api.value(3) % 6], lineWidth: 1.6 },
              };
            },
          },
          {
            id: 'trials',
            type: 'scatter',
            data: order.map(item),
            z: 2,
            cursor: 'pointer',
            markLine: vertical.mark,
          },
        ],
      },
      order,
    };
  }, [points, title, direction, format, chosen, colours]);

  const full = useMemo(() => {
    const { base, order } = option;
    const formatter = ({ seriesId, dataIndex }: { seriesId?: string; dataIndex: number }) => {
      const point = seriesId === 'trials' ? order[dataIndex] : undefined;
      return point ? label.current(point.row).replaceAll('\n', '<br/>') : '';
    };
    return { ...base, tooltip: { ...base.tooltip, trigger: 'item', formatter } };
  }, [option, label]);

  return (
    <EChart
      height={340}
      option={full}
      label={`Scatter plot of ${plural(points.length, 'trial')}: clean accuracy against ${title}, with the Pareto front`}
      onClick={({ seriesId, dataIndex }) => {
        const point = seriesId === 'trials' && dataIndex !== undefined ? option.order[dataIndex] : undefined;
        if (point) props.onPick(point.row);
      }}
    />
  );
};
