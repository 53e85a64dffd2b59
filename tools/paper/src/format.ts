/** Numbers, lists and tables in Markdown. */
import type { Figure } from '@funnel/figures';
import type { Estimate } from './measured.ts';

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** A share with its interval over seeds, cut to [0, 1]: `12.3 % [8.1, 16.5]`. */
export const percentage = ({ mean, halfWidth }: Estimate): string => {
  if (!halfWidth) return percent(mean); // one seed, or equal seeds
  const [low, high] = [Math.max(0, mean - halfWidth), Math.min(1, mean + halfWidth)];
  return `${percent(mean)} [${(100 * low).toFixed(1)}, ${(100 * high).toFixed(1)}]`;
};

/** Three significant digits. */
const short = (value: number): string => {
  const rounded = Number(value.toPrecision(3));
  const size = Math.abs(rounded);
  return Number.isInteger(rounded) || (size >= 1e-3 && size < 1e4)
    ? String(rounded)
    : rounded.toExponential(2);
};

export const number = (value: Estimate | null): string => {
  if (value === null) return '–';
  return !value.halfWidth ? short(value.mean) : `${short(value.mean)} ± ${short(value.halfWidth)}`;
};

/** A median distance, in which a failure counts as infinite. */
export const distance = (value: number): string => (value === Number.POSITIVE_INFINITY ? '∞' : short(value));

/** `a, b and c`. Items that contain commas are separated by semicolons. */
export const list = (items: readonly string[]): string => {
  if (items.length < 2) return items[0] ?? '';
  const mark = items.some((item) => item.includes(',')) ? ';' : ',';
  return `${items.slice(0, -1).join(`${mark} `)}${mark === ';' ? ';' : ''} and ${items.at(-1)}`;
};

export const table = (
  titles: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string => {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    line(titles),
    line(titles.map((_, i) => (right.includes(i) ? '---:' : '---'))),
    ...rows.map(line),
  ].join('\n');
};

/** `15.4 minutes`, `3.2 hours`. */
export const duration = (seconds: number): string =>
  seconds < 7200 ? `${(seconds / 60).toFixed(1)} minutes` : `${(seconds / 3600).toFixed(1)} hours`;

/** A picture beside the document, with its words for people who cannot see it. */
export const picture = ({ file, alt }: Figure): string => `![${alt}](${file})`;

export const bullets = (lines: readonly string[]): string => lines.map((line) => `- ${line}`).join('\n');
