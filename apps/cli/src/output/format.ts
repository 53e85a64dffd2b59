/** Numbers, times and tables for the terminal. */
import {
  type ExtendedNumber,
  escapeControls,
  formatPower,
  type HyperparameterValue,
  type Interval,
  progressPercent,
} from '@funnel/contracts';
import Table from 'cli-table3';
import { cutToWidth, displayWidth } from './width.ts';

/** At most four significant digits. Infinity is `∞`, a missing number `–`. */
export const formatNumber = (extended: ExtendedNumber | null | undefined): string => {
  if (extended === null || extended === undefined) return '–';
  const value = Number(extended);
  if (value === Number.POSITIVE_INFINITY) return '∞';
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e4 ? String(Number(value.toPrecision(4))) : formatPower(value, 2);
};

/** A hyperparameter in a table: numbers with four digits. */
export const formatHyperparameter = (value: HyperparameterValue | undefined): string => {
  if (value === undefined) return '–';
  return typeof value === 'number' ? formatNumber(value) : String(value);
};

/** A share in [0, 1] as a percentage with one decimal. */
export const formatShare = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : `${(value * 100).toFixed(1)} %`;

/** The progress of a sweep: `17.9 %`, rounded down. */
export const formatProgress = (share: number): string => `${progressPercent(share)} %`;

/** `29.1–47.8`: the ends of an interval of a share, in percent. */
export const formatShareEnds = (interval: Interval): string =>
  interval.map((end) => (end * 100).toFixed(1)).join('–');

/** `38.0 % (29.1–47.8)`: a share and the ends of its 95 % interval. */
export const formatSureShare = (value: number | null | undefined, interval?: Interval | null): string =>
  !interval || value === null || value === undefined
    ? formatShare(value)
    : `${formatShare(value)} (${formatShareEnds(interval)})`;

/** `38 of 100 (38.0 %, 29.1–47.8)`: a count, its share, and the ends of the 95 % interval of the share. */
export const formatCounted = (count: number, of: number, interval: Interval | null): string =>
  `${count} of ${of}${interval === null ? '' : ` (${formatShare(count / of)}, ${formatShareEnds(interval)})`}`;

/** `38 of 100 (29–48 %)`: without the share, and with whole percents. */
export const formatCountedShort = (count: number, of: number, interval: Interval | null): string =>
  `${count} of ${of}${interval === null ? '' : ` (${interval.map((end) => Math.round(end * 100)).join('–')} %)`}`;

/** With three digits. */
const formatShort = (end: ExtendedNumber): string =>
  formatNumber(Number.isFinite(Number(end)) ? Number(Number(end).toPrecision(3)) : end);

/** `1.07–1.5`: the ends of an interval, which may be infinite, with three digits. */
export const formatNumberEnds = (interval: readonly [ExtendedNumber, ExtendedNumber]): string =>
  interval.map(formatShort).join('–');

/** `1.233 (1.07–1.5)`: a number and the ends of its 95 % interval, which may be infinite. */
export const formatSureNumber = (
  value: ExtendedNumber | null,
  interval?: readonly [ExtendedNumber, ExtendedNumber] | null,
): string =>
  value === null || !interval
    ? formatNumber(value)
    : `${formatNumber(value)} (${formatNumberEnds(interval)})`;

const twoDigits = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-22 21:16:05` in the time zone of this machine. The API's times are in UTC. */
export const formatSecond = (at: string): string => {
  const time = new Date(at);
  const day = [time.getFullYear(), twoDigits(time.getMonth() + 1), twoDigits(time.getDate())].join('-');
  return `${day} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(twoDigits).join(':')}`;
};

/** `2026-11-22 21:16` in the time zone of this machine. */
export const formatMinute = (at: string): string => formatSecond(at).slice(0, -':05'.length);

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of `width` characters for a share in [0, 1], in steps of an eighth of a character. */
export const progressBar = (share: number, width: number): string => {
  const filled = Math.min(1, Math.max(0, share)) * width;
  const whole = Math.floor(filled);
  const part = eighths[Math.floor((filled - whole) * 8)] ?? '';
  return ('█'.repeat(whole) + part).padEnd(width, '░');
};

export type Column<Row> = {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Numbers are aligned to the right. (Default: left) */
  readonly align?: 'left' | 'right';
  /** True for a column that a narrow terminal need not show. The last of them goes first. (Default: false) */
  readonly isOptional?: boolean;
};

/** Spaces between two columns. */
const gap = 2;

/** No lines, and spaces between columns, so that `cut` and `awk` can read the table. */
const noLines = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: ' '.repeat(gap),
};

/** The cells in as many columns as fit into `width`, read from top to bottom. */
export const formatColumns = (cells: readonly string[], width: number): readonly string[] => {
  const each = Math.max(...cells.map(displayWidth)) + gap;
  const height = Math.ceil(cells.length / Math.max(1, Math.floor((width + gap) / each)));
  const pad = (cell: string): string => cell + ' '.repeat(each - displayWidth(cell));
  return Array.from({ length: height }, (_, row) =>
    cells
      .filter((_cell, i) => i % height === row)
      .map(pad)
      .join('')
      .trimEnd(),
  );
};

/** A shorter last column would say nothing; then lines are longer than the terminal. */
const shortestLast = 20;

/** Columns of the terminal that are left for the last column of a table, and those that it needs. */
const roomForLast = <Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number) => {
  const widths = columns.map(({ title, value }) =>
    Math.max(...[title, ...rows.map((row) => escapeControls(value(row)))].map(displayWidth)),
  );
  const room = width - widths.slice(0, -1).reduce((sum, each) => sum + each + gap, 0);
  return { room, needed: Math.min(shortestLast, widths.at(-1) ?? 0) };
};

/** The columns without as many optional ones as are necessary for the last column. */
const fittingColumns = <Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number,
): readonly Column<Row>[] => {
  const dropped = columns.findLast(({ isOptional }) => isOptional);
  const { room, needed } = roomForLast(columns, rows, width);
  return dropped === undefined || room >= needed
    ? columns
    : fittingColumns(
        columns.filter((column) => column !== dropped),
        rows,
        width,
      );
};

/**
 * A line of titles, then one line per row. No line ends in spaces. With `width`, the columns of the terminal, optional columns are left out and
 * the last column is cut, so that lines fit.
 */
export const formatTable = <Row>(
  all: readonly Column<Row>[],
  rows: readonly Row[],
  width: number | null = null,
): string => {
  const columns = width === null ? all : fittingColumns(all, rows, width);
  const titles = columns.map(({ title }) => title);
  const cells = rows.map((row) => columns.map(({ value }) => escapeControls(value(row))));
  const room = width === null ? null : Math.max(shortestLast, roomForLast(columns, rows, width).room);
  const fit = (cell: string, i: number): string =>
    room !== null && i === columns.length - 1 ? cutToWidth(cell, room) : cell;
  const table = new Table({
    head: titles,
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: noLines,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of cells) table.push(row.map(fit));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
};
