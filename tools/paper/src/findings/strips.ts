/** The figure of all settings: for each printed row a strip with a dot for each setting, the nearest settings marked, and the printed rate. */
import { drawing, type Figure, line, scaleOf, text, ticksOf } from '@funnel/figures';
import type { Setting } from './settings.ts';

const width = 860;
const left = 210;
const right = 24;
const top = 24;
const step = 30;
/** Dots of different settings at the same rate stand at these heights, in turn. */
const spread = [-8, -4, 0, 4, 8] as const;

export const drawStrips = (
  settings: readonly Setting[],
  nearest: readonly Setting[],
  file: string,
): Figure => {
  const rows = settings[0]!.nearness.rows;
  const bottom = top + step * rows.length;
  const x = scaleOf([0, 1], [left, width - right]);
  const dot = (setting: Setting, row: number, attributes: string, offset: number): string[] => {
    const measured = setting.nearness.rows[row]!.row?.measured;
    if (!measured) return [];
    const y = top + step * (row + 0.5) + offset;
    return [`<circle cx="${x(measured.success.mean).toFixed(1)}" cy="${y.toFixed(1)}" ${attributes}/>`];
  };
  const parts = [
    ...ticksOf(0, 1).flatMap((share) => [
      line([x(share), top], [x(share), bottom]),
      text(x(share), bottom + 18, `${Math.round(100 * share)} %`, 'text-anchor="middle"'),
    ]),
    ...rows.flatMap(({ name, printed }, row) => {
      const y = top + step * (row + 0.5);
      const at = x(printed.success / 100);
      return [
        text(left - 14, y + 4, name, 'text-anchor="end"'),
        ...settings.flatMap((setting, i) =>
          dot(setting, row, 'r="2.5" fill="var(--grey)" fill-opacity="0.55"', spread[i % spread.length]!),
        ),
        ...nearest.flatMap((setting) =>
          dot(setting, row, 'r="4" fill="none" stroke="var(--blue)" stroke-width="1.5"', 0),
        ),
        line([at, y - 12], [at, y + 12], 'stroke="var(--orange)" stroke-width="3"'),
      ];
    }),
    text(
      left,
      bottom + 44,
      `grey: each of the ${settings.length} settings; blue ring: the ${nearest.length} nearest; orange: printed`,
      'fill="var(--muted)"',
    ),
  ];
  return {
    file,
    alt: `Success rate of every setting in each printed row, beside the printed rate`,
    svg: drawing(width, bottom + 60, 'Success rates of all settings beside the printed ones', parts),
  };
};
