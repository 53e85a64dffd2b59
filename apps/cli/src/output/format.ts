import type { ExtendedNumber } from '@funnel/contracts';
import Table from 'cli-table3';

/** At most four significant digits; `∞` for infinity, `–` for what is not there. */
export const formatNumber = (extended: ExtendedNumber | null | undefined): string => {
  if (extended === null || extended === undefined) return '–';
  const value = Number(extended);
  if (value === Number.POSITIVE_INFINITY) return '∞';
  if (Number.isInteger(value)) return String(value);
  const size = Math.abs(value);
  return size >= 1e-3 && size < 1e4 ? String(Number(value.toPrecision(4))) : value.toExponential(2);
};

/** A share in [0, 1] as per cent with one decimal. */
export const formatShare = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : `${(value * 100).toFixed(1)} %`;

/** `42 s`, `3 min 5 s`, `2 h 10 min`: two units at most. */
export const formatDuration = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
};

const two = (value: number): string => String(value).padStart(2, '0');

/** `2026-11-22 21:16:05`, on the clock of this machine: what the API says is in UTC. */
export const formatSecond = (at: string): string => {
  const time = new Date(at);
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${day} ${[time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')}`;
};

/** The same to the minute. */
export const formatMinute = (at: string): string => formatSecond(at).slice(0, -':05'.length);

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of `width` characters for a share of 0 to 1, in steps of an eighth of a character. */
export const progressBar = (share: number, width: number): string => {
  const filled = Math.min(1, Math.max(0, share)) * width;
  const whole = Math.floor(filled);
  const part = eighths[Math.floor((filled - whole) * 8)] ?? '';
  return ('█'.repeat(whole) + part).padEnd(width, '░');
};

export type Column<Row> = {
  readonly title: string;
  readonly value: (row: Row) => string;
  /** Numbers are read from the right. (Default: left) */
  readonly align?: 'left' | 'right';
};

const thin = {
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
  middle: '  ',
}; // prettier in a terminal, and lines can be cut by columns

/** A table without lines: a row of titles and one line per row. */
export const formatTable = <Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string => {
  const table = new Table({
    head: columns.map(({ title }) => title),
    colAligns: columns.map(({ align }) => align ?? 'left'),
    chars: thin,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) table.push(columns.map(({ value }) => value(row)));
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
};
