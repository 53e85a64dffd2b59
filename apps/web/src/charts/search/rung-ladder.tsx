/** The configurations on the rungs: a line goes from rung to rung where a configuration was promoted. */
import { useMemo } from 'react';
import { plural } from '../../format.ts';
import { promotionsOf, type Unit } from '../../statistics/search.ts';
import { useColours } from '../../theme.ts';
import { axisStyle, baseOption } from '../echart.tsx';
import { outcomeAxis } from './axes.ts';
import type { ShownObjective } from './objective.ts';
import { UnitChart, unitMark, unitTooltip } from './unit-chart.tsx';

type Rung = { readonly epochs: number };

export const RungLadder = (props: {
  readonly units: readonly Unit[];
  readonly rungs: readonly Rung[];
  readonly objective: ShownObjective;
  readonly onPick: (unit: Unit) => void;
}) => {
  const { units, rungs, objective } = props;
  const colours = useColours();
  const option = useMemo(() => {
    const { title } = objective;
    const axis = axisStyle(colours);
    const vertical = outcomeAxis(units, objective, colours);
    const segments = promotionsOf(units).map(({ from, to }) => [
      from.rung,
      vertical.at(from),
      to.rung,
      vertical.at(to),
      Number(to.status === 'pending'),
    ]);
    return {
      ...baseOption(colours),
      grid: { left: 62, right: 18, top: 14, bottom: 46 },
      tooltip: unitTooltip(units, [objective], colours),
      xAxis: {
        type: 'category',
        data: rungs.map(({ epochs }, rung) => `rung ${rung}\n${plural(epochs, 'epoch')}`),
        ...axis,
        axisLabel: { ...axis.axisLabel, interval: 0, hideOverlap: false, lineHeight: 15 },
        splitLine: { show: true, lineStyle: { color: colours.line } },
      },
      yAxis: { ...vertical.axis, name: title, nameLocation: 'middle', nameGap: 48 },
      series: [
        {
          id: 'promotions',
          type: 'custom',
          silent: true,
          tooltip: { show: false },
          encode: { x: [0, 2], y: [1, 3] },
          data: segments,
          renderItem: (
            _: unknown,
            api: { value: (i: number) => number; coord: (at: number[]) => number[] },
          ) => {
            const [x1, y1] = api.coord([api.value(0), api.value(1)]);
            const [x2, y2] = api.coord([api.value(2), api.value(3)]);
            return {
              type: 'line',
              shape: { x1, y1, x2, y2 },
              style: {
                stroke: colours.accent,
                lineWidth: 1.2,
                ...(api.value(4) === 1 ? { opacity: 0.4, lineDash: [4, 4] } : { opacity: 0.55 }),
              },
            };
          },
        },
        {
          id: 'units',
          type: 'scatter',
          cursor: 'pointer',
          markLine: vertical.mark,
          data: units.map((unit) => {
            const goesOn = unit.promoted === true || unit.rung === rungs.length - 1;
            return {
              value: [unit.rung, vertical.at(unit)],
              ...unitMark(unit, goesOn ? colours.accent : colours.lineStrong, colours),
            };
          }),
          z: 3,
        },
      ],
    };
  }, [units, rungs, objective, colours]);
  return (
    <UnitChart
      height={340}
      option={option}
      label={`${objective.title} of the configurations on ${plural(rungs.length, 'rung')}`}
      units={units}
      onPick={props.onPick}
    />
  );
};
