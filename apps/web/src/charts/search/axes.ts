/** The axes of the charts of a search. */
import { measuredValue, type Unit } from '../../statistics/search.ts';
import type { Colours } from '../../theme.ts';
import { axisStyle } from '../echart.tsx';
import { drawnAt, infinityPlace } from '../marks.tsx';

/** The distance between the worst value and the places below, as a share of the span of the values. */
const gap = 1 / 7;

export type OutcomeAxis = {
  readonly at: (unit: Unit) => number;
  readonly atValue: (value: number) => number;
  /** Options of the axis. */
  readonly axis: object;
  /** The lines of ∞, bad and pending: give them to one of the series. */
  readonly mark: object;
};

/** A vertical axis for values, with ∞ above them, and places for bad and pending units below. */
export const outcomeAxis = (
  units: readonly Unit[],
  objective: { readonly place: number; readonly format: (value: number) => string },
  colours: Colours,
): OutcomeAxis => {
  const { place, format } = objective;
  const range = infinityPlace(units.flatMap((unit) => measuredValue(unit, place) ?? []));
  const [low, high] = [range?.low ?? 0, range?.high ?? 1];
  const span = high - low || Math.abs(high) || 1;
  const withoutValue = units.filter((unit) => measuredValue(unit, place) === null);
  const words = (['bad', 'pending'] as const).filter((word) =>
    withoutValue.some(({ status }) => (status === 'pending') === (word === 'pending')),
  );
  const levels = new Map(words.map((word, i) => [word, low - (i + 1) * gap * span]));
  const lines = [
    ...(range?.infinity == null ? [] : [{ y: range.infinity, text: '∞' }]),
    ...[...levels].map(([text, y]) => ({ y, text })),
  ];
  const style = axisStyle(colours);
  return {
    at: (unit) => {
      const value = measuredValue(unit, place);
      if (value !== null) return drawnAt(value, range);
      return levels.get(unit.status === 'pending' ? 'pending' : 'bad') ?? low;
    },
    atValue: (value) => drawnAt(value, range),
    axis: {
      type: 'value',
      scale: true,
      ...style,
      min: low - (levels.size + 0.6) * gap * span,
      max: range?.infinity ?? high + 0.06 * span,
      axisLabel: {
        ...style.axisLabel,
        showMinLabel: false,
        showMaxLabel: false,
        formatter: (value: number) => (value < low - 1e-9 * span || value > high ? '' : format(value)),
      },
    },
    mark: {
      silent: true,
      symbol: 'none',
      data: lines.map(({ y, text }) => ({ yAxis: y, name: text })),
      lineStyle: { color: colours.lineStrong, width: 1, type: 'dotted' },
      label: {
        position: 'start',
        color: colours.muted,
        fontSize: 11.5,
        formatter: ({ name }: { readonly name: string }) => name,
      },
    },
  };
};

/** The horizontal axis of the decisions. `last`: the number of the last one. */
export const decisionAxis = (last: number, colours: Colours) => ({
  type: 'value',
  name: 'Decision',
  nameLocation: 'middle',
  nameGap: 26,
  min: 0,
  max: Math.max(1, last),
  minInterval: 1,
  ...axisStyle(colours),
  splitLine: { show: false },
});
