/** The objective over two hyperparameters: the mean of the units nearby, in colours, and the units as points. */
import { useMemo } from 'react';
import { formatHyperparameter, hyperparameterScale, hyperparameterTitle, plural } from '../../format.ts';
import { type Sample, shareAxisOf, surfaceOf } from '../../statistics/contour.ts';
import { isBetter, measuredValue, type Unit } from '../../statistics/search.ts';
import { rampColour, useColours } from '../../theme.ts';
import { axisStyle, baseOption } from '../echart.tsx';
import type { ShownObjective } from './objective.ts';
import { UnitChart, unitMark, unitTooltip } from './unit-chart.tsx';

const [columns, rows] = [48, 36];

type Cell = { readonly x: number; readonly y: number; readonly shade: number };

export const Contour = (props: {
  /** All of them are measured, and have numbers for both hyperparameters. */
  readonly units: readonly Unit[];
  readonly names: readonly [string, string];
  readonly objective: ShownObjective;
  readonly onPick: (unit: Unit) => void;
}) => {
  const { units, objective } = props;
  const [horizontal, vertical] = props.names;
  const colours = useColours();
  const option = useMemo(() => {
    const { place, direction } = objective;
    const numberOf = (unit: Unit, name: string) => Number(unit.point[name]);
    const [xAxis, yAxis] = [horizontal, vertical].map((name) =>
      shareAxisOf(
        units.map((unit) => numberOf(unit, name)),
        hyperparameterScale(name),
      ),
    ) as [ReturnType<typeof shareAxisOf>, ReturnType<typeof shareAxisOf>]; // one for each name
    const finite = units.flatMap((unit) => measuredValue(unit, place) ?? []).filter(Number.isFinite);
    const [worst, best] = [Math.min(...finite), Math.max(...finite)].sort((a, b) =>
      isBetter(a, b, direction) ? 1 : -1,
    ) as [number, number];
    const shadeOf = (value: number) =>
      best === worst ? 0.5 : Math.max(0, Math.min(1, (value - worst) / (best - worst)));
    const samples = units.map((unit): Sample => {
      const value = measuredValue(unit, place)!;
      return {
        x: xAxis.shareOf(numberOf(unit, horizontal)),
        y: yAxis.shareOf(numberOf(unit, vertical)),
        value: Number.isFinite(value) ? value : Math.max(...finite),
      };
    });
    const surface = surfaceOf(samples, columns, rows);
    const cells = surface.values.flatMap((value, cell): Cell[] =>
      value === null ? [] : [{ x: cell % columns, y: Math.floor(cell / columns), shade: shadeOf(value) }],
    );
    const axisOf = (axis: typeof xAxis, name: string) => {
      const style = axisStyle(colours);
      return {
        type: axis.scale === 'log' ? 'log' : 'value',
        ...{ min: axis.low, max: axis.high },
        name: hyperparameterTitle(name),
        nameLocation: 'middle',
        ...style,
        splitLine: { show: false },
        axisLabel: {
          ...style.axisLabel,
          showMinLabel: false,
          showMaxLabel: false,
          formatter: (value: number) => formatHyperparameter(value),
        },
      };
    };
    return {
      ...baseOption(colours),
      grid: { left: 66, right: 18, top: 14, bottom: 44 },
      tooltip: unitTooltip(units, [objective], colours),
      xAxis: { ...axisOf(xAxis, horizontal), nameGap: 28 },
      yAxis: { ...axisOf(yAxis, vertical), nameGap: 50 },
      series: [
        {
          id: 'surface',
          type: 'custom',
          silent: true,
          tooltip: { show: false },
          data: cells.map(({ x, y, shade }) => [
            xAxis.valueAt(x / columns),
            yAxis.valueAt(y / rows),
            xAxis.valueAt((x + 1) / columns),
            yAxis.valueAt((y + 1) / rows),
            shade,
          ]),
          renderItem: (
            _: unknown,
            api: { value: (i: number) => number; coord: (at: number[]) => number[] },
          ) => {
            const [left, bottom] = api.coord([api.value(0), api.value(1)]) as [number, number];
            const [right, top] = api.coord([api.value(2), api.value(3)]) as [number, number];
            return {
              type: 'rect',
              // Half a pixel more on each side closes the gaps between cells.
              shape: { x: left - 0.5, y: top - 0.5, width: right - left + 1, height: bottom - top + 1 },
              style: { fill: rampColour(colours.ramp, api.value(4)) },
            };
          },
        },
        {
          id: 'units',
          type: 'scatter',
          cursor: 'pointer',
          z: 3,
          data: units.map((unit) => ({
            value: [numberOf(unit, horizontal), numberOf(unit, vertical)],
            ...unitMark(unit, colours.text, colours),
            symbolSize: 6,
            itemStyle: {
              color: rampColour(colours.ramp, shadeOf(measuredValue(unit, place)!)),
              borderColor: colours.text,
              borderWidth: 1,
            },
          })),
        },
      ],
    };
  }, [units, horizontal, vertical, objective, colours]);
  return (
    <UnitChart
      height={360}
      option={option}
      label={`${objective.title} over ${hyperparameterTitle(horizontal)} and ${hyperparameterTitle(vertical)}, from ${plural(units.length, 'unit')}`}
      units={units}
      onPick={props.onPick}
    />
  );
};
