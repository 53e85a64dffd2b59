/** The values of the units over the decisions, with the best so far at the highest rung. */
import { useMemo } from 'react';
import { plural } from '../../format.ts';
import { improvementsOf, type Unit } from '../../statistics/search.ts';
import { useColours } from '../../theme.ts';
import { baseOption } from '../echart.tsx';
import { decisionAxis, outcomeAxis } from './axes.ts';
import type { ShownObjective } from './objective.ts';
import { UnitChart, unitMark, unitTooltip } from './unit-chart.tsx';

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
    const { place, direction, title } = objective;
    const vertical = outcomeAxis(units, objective, colours);
    const improvements = improvementsOf(units, rung, place, direction);
    const last = Math.max(0, ...units.map(({ decision }) => decision));
    const steps = improvements.map(({ decision, value }) => [decision, vertical.atValue(value)]);
    const end = steps.at(-1);
    return {
      ...baseOption(colours),
      grid: { left: 62, right: 18, top: 14, bottom: 42 },
      tooltip: unitTooltip(units, [objective], colours),
      xAxis: decisionAxis(last, colours),
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
    <UnitChart
      height={320}
      option={option}
      label={`${objective.title} of ${plural(units.length, 'unit')} over decisions, with the best so far`}
      units={units}
      onPick={props.onPick}
    />
  );
};
