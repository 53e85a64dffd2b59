/** Two objectives of the units at one rung, with the Pareto front; and the hypervolume of the front over the decisions. */
import type { SearchState } from '@funnel/contracts';
import { useMemo } from 'react';
import { formatNumber, plural } from '../../format.ts';
import { measuredValue, type Unit } from '../../statistics/search.ts';
import { useColours } from '../../theme.ts';
import { axisStyle, baseOption, EChart, infinityAxis } from '../echart.tsx';
import { drawnAt, infinityPlace } from '../marks.tsx';
import { endsOf } from '../share-axis.ts';
import { decisionAxis } from './axes.ts';
import type { ShownObjective } from './objective.ts';
import { UnitChart, unitMark, unitTooltip } from './unit-chart.tsx';

export const ParetoFront = (props: {
  /** All of them are measured, and have values of both objectives. */
  readonly units: readonly Unit[];
  /** The numbers of the decisions on the front. */
  readonly front: ReadonlySet<number>;
  readonly objectives: readonly [ShownObjective, ShownObjective];
  /** The search has no other objectives, so that a line can join the points of the front. */
  readonly isPlane: boolean;
  readonly onPick: (unit: Unit) => void;
}) => {
  const { units, front, isPlane } = props;
  const [horizontal, vertical] = props.objectives;
  const colours = useColours();
  const option = useMemo(() => {
    const valuesOf = ({ place }: ShownObjective) => units.map((unit) => measuredValue(unit, place)!);
    const [xs, ys] = [valuesOf(horizontal), valuesOf(vertical)];
    const acrossPlace = infinityPlace(xs);
    const upright = infinityAxis(ys, vertical.format, colours);
    const at = (row: number) => [drawnAt(xs[row]!, acrossPlace), upright.at(ys[row]!)];
    const rows = units.map((_, row) => row);
    const onFront = rows.filter((row) => front.has(units[row]!.decision)).sort((a, b) => xs[a]! - xs[b]!);
    const axis = axisStyle(colours);
    return {
      ...baseOption(colours),
      grid: { left: 62, right: 18, top: 14, bottom: 44 },
      tooltip: unitTooltip(units, [horizontal, vertical], colours),
      xAxis: {
        type: 'value',
        scale: true,
        name: horizontal.title,
        nameLocation: 'middle',
        nameGap: 28,
        ...endsOf(horizontal.format),
        ...axis,
        axisLabel: {
          ...axis.axisLabel,
          formatter: (value: number) =>
            acrossPlace?.infinity != null && value > acrossPlace.high ? '∞' : horizontal.format(value),
        },
      },
      yAxis: {
        type: 'value',
        scale: true,
        name: vertical.title,
        nameLocation: 'middle',
        nameGap: 48,
        ...endsOf(vertical.format),
        ...axis,
        ...upright.axis,
      },
      series: [
        {
          id: 'front',
          type: 'line',
          symbol: 'none',
          silent: true,
          tooltip: { show: false },
          // Between two points of the front, the better one in the horizontal objective is out of reach.
          step: horizontal.direction === 'max' ? 'start' : 'end',
          data: isPlane ? onFront.map(at) : [],
          lineStyle: { color: colours.text, width: 1.4, type: [5, 3], opacity: 0.75 },
        },
        {
          id: 'units',
          type: 'scatter',
          cursor: 'pointer',
          markLine: upright.mark,
          z: 3,
          data: rows.map((row) => {
            const isOnFront = front.has(units[row]!.decision);
            return {
              value: at(row),
              ...unitMark(units[row]!, isOnFront ? colours.accent : colours.lineStrong, colours),
              symbolSize: isOnFront ? 10 : 6,
            };
          }),
        },
      ],
    };
  }, [units, front, isPlane, horizontal, vertical, colours]);
  return (
    <UnitChart
      height={340}
      option={option}
      label={`${horizontal.title} against ${vertical.title} of ${plural(units.length, 'unit')}, with the Pareto front`}
      units={units}
      onPick={props.onPick}
    />
  );
};

type Volumes = NonNullable<SearchState['hypervolume']>['overDecisions'];

export const HypervolumeOverDecisions = (props: {
  readonly volumes: Volumes;
  readonly decisions: number;
}) => {
  const { volumes, decisions } = props;
  const colours = useColours();
  const option = useMemo(() => {
    const axis = axisStyle(colours);
    const steps = volumes.map(({ decision, value }) => [decision, value]);
    const end = steps.at(-1);
    const last = Math.max(0, decisions - 1);
    return {
      ...baseOption(colours),
      grid: { left: 62, right: 18, top: 14, bottom: 44 },
      tooltip: {
        ...baseOption(colours).tooltip,
        trigger: 'axis',
        formatter: ([hit]: readonly { readonly value: readonly [number, number] }[]) =>
          hit ? `decision ${hit.value[0]}: <b>${formatNumber(hit.value[1])}</b>` : '',
      },
      xAxis: decisionAxis(last, colours),
      yAxis: {
        type: 'value',
        name: 'Hypervolume',
        nameLocation: 'middle',
        nameGap: 48,
        min: 0,
        ...axis,
        axisLabel: { ...axis.axisLabel, formatter: (value: number) => formatNumber(value) },
      },
      series: [
        {
          type: 'line',
          step: 'end',
          symbolSize: 5,
          data: end ? [...steps, [last, end[1]]] : [],
          lineStyle: { color: colours.accent, width: 2 },
          itemStyle: { color: colours.accent },
        },
      ],
    };
  }, [volumes, decisions, colours]);
  return <EChart height={340} option={option} label="Hypervolume of the Pareto front over decisions" />;
};
