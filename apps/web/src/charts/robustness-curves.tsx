/** Robust accuracy over ε with 95 % intervals, one curve per trial. */
import { normTitles, type RobustnessCurve } from '@funnel/contracts';
import { useMemo } from 'react';
import { formatNumber, formatPercent } from '../format.ts';
import { dashes, useColours } from './colours.ts';
import { axisStyle, baseOption, EChart } from './echart.tsx';

export type NamedCurve = { readonly name: string; readonly colour: number; readonly curve: RobustnessCurve };

export const RobustnessCurves = ({
  curves,
  height = 340,
}: {
  readonly curves: readonly NamedCurve[];
  readonly height?: number;
}) => {
  const colours = useColours();
  const norm = curves[0]?.curve.norm ?? 'linf';
  const option = useMemo(() => {
    const axis = axisStyle(colours);
    const most = Math.max(...curves.map(({ curve }) => curve.epsilon.at(-1) ?? 0), 0);
    const series = curves.flatMap(({ name, colour, curve }, i) => {
      const tone = colours.series[colour % 6]!;
      const band = {
        type: 'line',
        stack: `band${i}`,
        symbol: 'none',
        silent: true,
        lineStyle: { opacity: 0 },
        tooltip: { show: false },
      };
      return [
        { ...band, id: `low${i}`, data: curve.epsilon.map((e, k) => [e, curve.low[k]]) },
        {
          ...band,
          id: `high${i}`,
          data: curve.epsilon.map((e, k) => [e, curve.high[k]! - curve.low[k]!]),
          areaStyle: { color: tone, opacity: 0.13 },
        },
        {
          id: `curve${i}`,
          name,
          type: 'line',
          symbol: 'circle',
          symbolSize: 7,
          showSymbol: curve.epsilon.length <= 8,
          data: curve.epsilon.map((e, k) => [e, curve.accuracy[k], curve.low[k], curve.high[k]]),
          lineStyle: {
            color: tone,
            width: 2,
            type: dashes[colour % 6]!.length === 0 ? 'solid' : [...dashes[colour % 6]!],
          },
          itemStyle: { color: tone },
        },
      ];
    });
    return {
      ...baseOption(colours),
      grid: { left: 48, right: 18, top: 14, bottom: 44 },
      tooltip: {
        ...baseOption(colours).tooltip,
        trigger: 'axis',
        axisPointer: { lineStyle: { color: colours.lineStrong } },
        formatter: (
          hits: readonly { seriesId: string; seriesName: string; marker: string; value: number[] }[],
        ) => {
          const rows = hits.filter((hit) => hit.seriesId.startsWith('curve'));
          const lines = rows.map(
            ({ marker, seriesName, value }) =>
              `${marker}${seriesName}: <b>${formatPercent(value[1])}</b> [${formatPercent(value[2])}, ${formatPercent(value[3])}]`,
          );
          return [`ε = ${formatNumber(rows[0]?.value[0])}`, ...lines].join('<br/>');
        },
      },
      xAxis: {
        type: 'value',
        min: 0,
        max: most,
        name: `ε (${normTitles[norm]})`,
        nameLocation: 'middle',
        nameGap: 28,
        ...axis,
      },
      yAxis: {
        type: 'value',
        min: 0,
        max: 1,
        ...axis,
        axisLabel: { ...axis.axisLabel, formatter: (v: number) => `${Math.round(100 * v)}%` },
      },
      series,
    };
  }, [curves, colours, norm]);
  return (
    <EChart
      height={height}
      option={option}
      label={`Robust accuracy over ε (${normTitles[norm]}) of ${curves.map(({ name }) => name).join(', ')}`}
    />
  );
};
