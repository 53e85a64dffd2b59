import { describe, expect, it } from 'vitest';
import { formatCsv } from '../src/export/formats.ts';
import {
  formatDuration,
  formatMinute,
  formatNumber,
  formatSecond,
  formatShare,
  formatTable,
  progressBar,
} from '../src/output/format.ts';

describe('formatDuration', () => {
  it.each([
    [0, '0 s'],
    [59.6, '1 min'],
    [185, '3 min 5 s'],
    [7200, '2 h'],
    [7800, '2 h 10 min'],
    [200_000, '2 d 7 h'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

describe('formatMinute', () => {
  it('is in the time zone of this machine', () => {
    const at = new Date(2026, 0, 5, 9, 7, 3);
    expect(formatMinute(at.toISOString())).toBe('2026-01-05 09:07');
    expect(formatSecond(at.toISOString())).toBe('2026-01-05 09:07:03');
  });
});

describe('formatNumber', () => {
  it.each([
    [null, '–'],
    [5, '5'],
    [0.123456, '0.1235'],
    [0.00001, '1.00e-5'],
    [123456.7, '1.23e+5'],
  ])('%s is shown as %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });
  it('shows shares as percentages', () => {
    expect(formatShare(0.4896)).toBe('49.0 %');
    expect(formatShare(null)).toBe('–');
  });
});

describe('progressBar', () => {
  it('is as wide as asked at every share, and full only at 1', () => {
    for (const share of [-1, 0, 0.01, 0.5, 0.999, 1, 2]) expect([...progressBar(share, 10)]).toHaveLength(10);
    expect(progressBar(0, 4)).toBe('░░░░');
    expect(progressBar(0.5, 4)).toBe('██░░');
    expect(progressBar(0.999, 4)).not.toBe('████');
    expect(progressBar(1, 4)).toBe('████');
  });
});

describe('formatCsv', () => {
  it('quotes fields that need it, and has the columns of all rows', () => {
    const rows = [
      { a: 1, b: 'x,y' },
      { a: null, c: 'say "hi"\nthere' },
    ];
    expect(formatCsv(rows)).toBe('a,b,c\r\n1,"x,y",\r\n,,"say ""hi""\nthere"\r\n');
  });
});

describe('formatTable', () => {
  it('aligns columns and leaves no blanks at the ends of lines', () => {
    const columns = [
      { title: 'name', value: (row: { name: string; n: number }) => row.name },
      { title: 'n', value: (row: { name: string; n: number }) => String(row.n), align: 'right' as const },
    ];
    const table = formatTable(columns, [
      { name: 'α', n: 1 },
      { name: 'longer', n: 100 },
    ]);
    expect(table.split('\n')).toEqual(['name      n', 'α         1', 'longer  100']);
  });
});
