/** Each hyperparameter against the objective, as small charts. */
import { useMemo } from 'react';
import { formatHyperparameter, hyperparameterScale, hyperparameterTitle } from '../../format.ts';
import type { Unit } from '../../statistics/search.ts';
import { rampColour, useColours } from '../../theme.ts';
import { axisStyle, baseOption } from '../echart.tsx';
import { outcomeAxis } from './axes.ts';
import type { ShownObjective } from './objective.ts';
import { UnitChart, unitMark, unitTooltip } from './unit-chart.tsx';
import '../charts.css';

type Props = {
  readonly units: readonly Unit[];
  readonly objective: ShownObjective;
  readonly onPick: (unit: Unit) => void;
};

const Slice = (props: Props & { readonly name: string }) => {
  const { name, objective } = props;
  const colours = useColours();
  // A hyperparameter that the unit's recipe does not read has no value.
  const units = useMemo(
    () => props.units.filter(({ point, status }) => name in point && status !== 'pending'),
    [props.units, name],
  );
  const option = useMemo(() => {
    const vertical = outcomeAxis(units, objective, colours);
    const values = units.map(({ point }) => point[name]!);
    const numbers = values.filter((value) => typeof value === 'number');
    const isNumeric = numbers.length === values.length;
    const isLog = isNumeric && hyperparameterScale(name) === 'log' && numbers.every((value) => value > 0);
    const last = Math.max(1, ...units.map(({ decision }) => decision));
    const axis = axisStyle(colours);
    return {
      ...baseOption(colours),
      grid: { left: 56, right: 12, top: 8, bottom: 26 },
      tooltip: unitTooltip(units, [objective], colours),
      xAxis: {
        type: isNumeric ? (isLog ? 'log' : 'value') : 'category',
        ...(isNumeric ? {} : { data: [...new Set(values.map(String))] }),
        ...(isLog ? { min: Math.min(...numbers) / 1.3, max: Math.max(...numbers) * 1.3 } : { scale: true }),
        ...axis,
        axisLabel: {
          ...axis.axisLabel,
          showMinLabel: !isLog,
          showMaxLabel: !isLog,
          formatter: (value: number | string) => formatHyperparameter(value),
        },
        splitLine: { show: false },
      },
      yAxis: { ...vertical.axis, splitNumber: 3 },
      series: [
        {
          id: 'units',
          type: 'scatter',
          cursor: 'pointer',
          markLine: vertical.mark,
          data: units.map((unit) => {
            const value = unit.point[name]!;
            const colour = rampColour(colours.ramp, 0.25 + (0.75 * unit.decision) / last);
            return {
              value: [isNumeric ? value : String(value), vertical.at(unit)],
              ...unitMark(unit, colour, colours),
            };
          }),
        },
      ],
    };
  }, [units, name, objective, colours]);
  return (
    <figure>
      <figcaption>{hyperparameterTitle(name)}</figcaption>
      <UnitChart
        height={190}
        option={option}
        label={`${objective.title} at each value of ${hyperparameterTitle(name)}`}
        units={units}
        onPick={props.onPick}
      />
    </figure>
  );
};

export const Slices = (props: Props & { readonly names: readonly string[] }) => (
  <div className="small-charts">
    {props.names.map((name) => (
      <Slice key={name} {...props} name={name} />
    ))}
  </div>
);
