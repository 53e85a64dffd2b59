/** Charts with a point for each unit of a search: its mark, its tooltip, and its trial on a click. */
import type { ComponentProps } from 'react';
import { escapeHtml, formatPoint } from '../../format.ts';
import { measuredValue, type Unit } from '../../statistics/search.ts';
import type { Colours } from '../../theme.ts';
import { baseOption, EChart } from '../echart.tsx';
import type { ShownObjective } from './objective.ts';

/** A cross, as a symbol of ECharts. Shape and place tell bad units from good ones, for people who cannot tell the colours. */
const cross = 'path://M0 2L2 0L5 3L8 0L10 2L7 5L10 8L8 10L5 7L2 10L0 8L3 5Z';

/** A point of a chart: a disc for a measured unit, a cross for a bad one, a ring for a pending one. */
export const unitMark = (unit: Unit, colour: string, colours: Colours) => {
  const isBad = unit.status === 'bad';
  const tone = isBad ? colours.danger : colour;
  return {
    symbol: isBad ? cross : unit.status === 'pending' ? 'emptyCircle' : 'circle',
    symbolSize: isBad ? 8 : 7,
    itemStyle: { color: tone, borderColor: tone },
  };
};

/** What a tooltip says about a unit, as HTML. */
const unitTip = (unit: Unit, valueText: string): string =>
  [
    `Decision ${unit.decision}${unit.epochs === null ? '' : `, rung ${unit.rung}`}: <b>${escapeHtml(
      unit.status === 'measured' ? valueText : unit.status,
    )}</b>`,
    escapeHtml(formatPoint(unit.point)),
    ...[unit.reason, unit.note].flatMap((text) => (text === null ? [] : [escapeHtml(text)])),
  ]
    .map((line) => `<div style="max-width: 340px; white-space: normal">${line}</div>`)
    .join('');

/** `units`: in the order of the series `units`. The values of several objectives have their titles. */
export const unitTooltip = (
  units: readonly Unit[],
  objectives: readonly ShownObjective[],
  colours: Colours,
) => ({
  ...baseOption(colours).tooltip,
  trigger: 'item',
  formatter: ({ dataIndex }: { readonly dataIndex: number }) => {
    const unit = units[dataIndex]!;
    const texts = objectives.map(({ place, title, format }) => {
      const value = measuredValue(unit, place);
      return `${objectives.length > 1 ? `${title} ` : ''}${value === null ? '–' : format(value)}`;
    });
    return unitTip(unit, texts.join(', '));
  },
});

/** A chart whose series `units` has a point for each unit. A click picks its unit. */
export const UnitChart = ({
  units,
  onPick,
  ...chart
}: Omit<ComponentProps<typeof EChart>, 'onClick'> & {
  readonly units: readonly Unit[];
  readonly onPick: (unit: Unit) => void;
}) => (
  <EChart
    {...chart}
    onClick={({ seriesId, dataIndex }) => {
      const unit = seriesId === 'units' && dataIndex !== undefined ? units[dataIndex] : undefined;
      if (unit) onPick(unit);
    }}
  />
);
