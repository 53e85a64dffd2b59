/** The ends of an axis of shares: within [0, 1], which the axes of ECharts leave. */
import { formatPercent } from '../format.ts';

type Extent = { readonly min: number; readonly max: number };

/** The room on each side of a single value. ECharts would take half of the value: an axis from 46 to 138 % around 92 %. */
const room = 0.05;

/** No end of ECharts lies further from the values than one of its steps, which are less than a third of their range. */
const stepOf = ({ min, max }: Extent): number => (max - min) / 3;

/** Each end is a function of the values' extent; null leaves the end to ECharts. */
export const shareEnds = {
  min: (extent: Extent): number | null => {
    if (extent.min === extent.max) return Math.max(0, extent.min - room);
    return extent.min - stepOf(extent) < 0 ? 0 : null;
  },
  max: (extent: Extent): number | null => {
    if (extent.min === extent.max) return Math.min(1, extent.max + room);
    return extent.max + stepOf(extent) > 1 ? 1 : null;
  },
};

/** The ends of an axis whose labels have this format. */
export const endsOf = (format: (value: number) => string): object =>
  format === formatPercent ? shareEnds : {};
