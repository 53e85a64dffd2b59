/** The values of the units over the decisions, with the best so far at the highest rung. */
import { useMemo } from 'react';
import { plural } from '../../format.ts';
import { improvementsOf, measuredValue, type Unit } from '../../statistics/search.ts';
import { useColours } from '../../theme.ts';
import { axisStyle, baseOption, EChart } from '../echart.tsx';
import type { ShownObjective } from './objective.ts';
import { outcomeAxis, unitMark, unitTip } from './outcome-axis.ts';

export const BestSoFar = (props: {
  readonly units: readonly Unit[];
  readonly objective: ShownObjective;
  /** The rung whose units are compared. */
  readonly rung: number;
  readonly onPick: (unit: Unit) => void;
}) => {
  const { units, objective, rung } = props;
  const colours = useColours();
  const option = useMemo(() => {
    const { place, direction, title, format } = objective;
    const vertical = outcomeAxis(units, objective, colours);
    const improvements = improvementsOf(units, rung, place, direction);
    const last = Math.max(0, ...units.map(({ decision }) => decision));
    const steps = improvements.map(({ decision, value }) => [decision, vertical.atValue(value)]);
    const end = steps.at(-1);
    return {
      ...baseOption(colours),
      grid: { left: 62, right: 18, top: 14, bottom: 42 },
      tooltip: {
        ...baseOption(colours).tooltip,
        trigger: 'item',
        formatter: ({ dataIndex }: { readonly dataIndex: number }) => {
          const unit = units[dataIndex]!;
          const value = measuredValue(unit, place);
          return unitTip(unit, value === null ? '–' : format(value));
        },
      },
      xAxis: {
        type: 'value',
        name: 'Decision',
        nameLocation: 'middle',
        nameGap: 26,
        min: 0,
        max: Math.max(1, last),
        minInterval: 1,
        ...axisStyle(colours),
        splitLine: { show: false },
      },
      yAxis: { ...vertical.axis, name: title, nameLocation: 'middle', nameGap: 48 },
      series: [
        {
          id: 'best',
          type: 'line',
          step: 'end',
          symbol: 'none',
          silent: true,
          tooltip: { show: false },
          data: end ? [...steps, [last, end[1]]] : [],
          lineStyle: { color: colours.accent, width: 2 },
          z: 3,
        },
        {
          id: 'units',
          type: 'scatter',
          cursor: 'pointer',
          markLine: vertical.mark,
          data: units.map((unit) => {
            const isCompared = unit.rung === rung;
            const mark = unitMark(unit, isCompared ? colours.accent : colours.muted, colours);
            return {
              value: [unit.decision, vertical.at(unit)],
              ...mark,
              itemStyle: { ...mark.itemStyle, opacity: isCompared ? 0.85 : 0.35 },
            };
          }),
        },
      ],
    };
  }, [units, objective, rung, colours]);
  return (
    <EChart
      height={320}
      option={option}
      label={`${objective.title} of ${plural(units.length, 'unit')} over decisions, with the best so far`}
      onClick={({ seriesId, dataIndex }) => {
        const unit = seriesId === 'units' && dataIndex !== undefined ? units[dataIndex] : undefined;
        if (unit) props.onPick(unit);
      }}
    />
  );
};
