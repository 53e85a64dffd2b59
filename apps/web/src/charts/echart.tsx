/** ECharts as a React component of fixed height, and the options that all charts share. */
import { BarChart, CustomChart, LineChart, ScatterChart } from 'echarts/charts';
import {
  DataZoomInsideComponent,
  GridComponent,
  MarkLineComponent,
  TooltipComponent,
} from 'echarts/components';
import { type EChartsCoreOption, type EChartsType, init, use } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { useEffect, useEffectEvent, useRef } from 'react';
import type { Colours } from '../theme.ts';
import { drawnAt, infinityPlace } from './marks.tsx';

use([
  LineChart,
  ScatterChart,
  BarChart,
  CustomChart,
  GridComponent,
  TooltipComponent,
  MarkLineComponent,
  DataZoomInsideComponent,
  CanvasRenderer,
]);

type ChartOption = EChartsCoreOption;

/** Options of every chart. */
export const baseOption = (colours: Colours) => ({
  animation: false,
  textStyle: { fontFamily: colours.font, fontSize: 12, color: colours.muted },
  tooltip: {
    backgroundColor: colours.surface,
    borderColor: colours.lineStrong,
    borderWidth: 1,
    padding: [8, 10],
    textStyle: { color: colours.text, fontSize: 12.5, fontFamily: colours.font },
    extraCssText: 'box-shadow: 0 6px 24px rgb(0 0 0 / 14%); border-radius: 6px;',
    confine: true,
  },
});

export const axisStyle = (colours: Colours) => ({
  axisLine: { show: true, lineStyle: { color: colours.lineStrong } },
  axisTick: { show: false },
  axisLabel: { color: colours.muted, fontSize: 11.5, hideOverlap: true },
  splitLine: { show: true, lineStyle: { color: colours.line, width: 1 } },
  nameTextStyle: { color: colours.muted, fontSize: 12 },
});

/**
 * A vertical axis for `values` that may be infinite: ∞ has a place above the finite values, with a line and a label. `at` gives the
 * coordinate of a value.
 */
export const infinityAxis = (
  values: readonly number[],
  format: (value: number) => string,
  colours: Colours,
) => {
  const place = infinityPlace(values);
  const top = place?.infinity ?? null;
  const label = (value: number) => (top !== null && value > place!.high ? '' : format(value));
  return {
    at: (value: number) => drawnAt(value, place),
    axis: {
      ...(top !== null && { max: top }),
      axisLabel: { ...axisStyle(colours).axisLabel, formatter: label },
    },
    /** The line at ∞: give it to one of the series. */
    mark: top === null ? undefined : infinityLine(top, format, colours),
  };
};

const infinityLine = (top: number, format: (value: number) => string, colours: Colours) => ({
  silent: true,
  symbol: 'none',
  data: [{ yAxis: top }],
  lineStyle: { color: colours.lineStrong, width: 1, type: 'dotted' },
  label: {
    position: 'start',
    color: colours.muted,
    fontSize: 14,
    formatter: () => format(Number.POSITIVE_INFINITY),
  },
});

export const EChart = (props: {
  readonly option: ChartOption;
  readonly height: number;
  /** The content of the chart in words, for screen readers. */
  readonly label: string;
  readonly onClick?: (event: { readonly seriesId?: string; readonly dataIndex?: number }) => void;
}) => {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType | null>(null);
  const click = useEffectEvent((event: { seriesId?: string; dataIndex?: number }) => props.onClick?.(event));

  useEffect(() => {
    const made = init(box.current!, null, { renderer: 'canvas' });
    chart.current = made;
    made.on('click', (event) => click(event));
    const observer = new ResizeObserver(() => made.resize());
    observer.observe(box.current!);
    return () => {
      observer.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);

  useEffect(() => {
    chart.current?.setOption(props.option, { notMerge: true, lazyUpdate: true });
  }, [props.option]);

  return (
    <div ref={box} role="img" aria-label={props.label} style={{ height: props.height, width: '100%' }} />
  );
};
