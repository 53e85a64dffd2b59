import { formatDuration, formatRoughDuration, type Sweep, timeTaken } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { formatCsv } from '../src/export/formats.ts';
import {
  formatColumns,
  formatMinute,
  formatNumber,
  formatSecond,
  formatShare,
  formatTable,
  progressBar,
} from '../src/output/format.ts';

describe('formatDuration', () => {
  it.each([
    [0.7, '< 1 s'],
    [270.2, '4 min 30 s'],
    [172_800, '2 d'],
    [59.6, '1 min'],
    [185, '3 min 5 s'],
    [7200, '2 h'],
    [7800, '2 h 10 min'],
    [200_000, '2 d 7 h'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
});

it.each([
  [185, '3 min 5 s'],
  [599, '9 min 59 s'],
  [1195, '20 min'],
  [7170, '2 h'],
])('a rough time of %d seconds is %s', (seconds, text) => {
  expect(formatRoughDuration(seconds)).toBe(text);
});

it('a sweep takes the time from its submission to its end, whoever watched it', () => {
  const createdAt = '2026-11-30T17:00:00Z';
  expect(timeTaken({ createdAt, finishedAt: '2026-11-30T17:03:32Z' } as Sweep)).toBe('3 min 32 s');
  expect(timeTaken({ createdAt, finishedAt: null } as Sweep)).toBeNull();
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
    [0.00001, '1e-5'],
    [123456.7, '1.23e5'],
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

describe('a table in a narrow terminal', () => {
  const columns = [
    { title: 'id', value: () => 'abcdef' },
    { title: 'created', value: () => '2026-11-29 10:00', isOptional: true },
    { title: 'search', value: () => '3 of 20', isOptional: true },
    { title: 'name', value: () => 'a name of a sweep that is long' },
  ];
  const titles = (width: number) => formatTable(columns, [0], width).split('\n')[0]!.split(/ +/);

  it('leaves out optional columns, the last first, and cuts the last column', () => {
    expect(titles(80)).toEqual(['id', 'created', 'search', 'name']);
    expect(titles(50)).toEqual(['id', 'created', 'name']);
    expect(titles(30)).toEqual(['id', 'name']);
    expect(formatTable(columns, [0], 30).split('\n')[1]).toBe('abcdef  a name of a sweep tha…');
  });
});

it('cells fill columns from top to bottom', () => {
  expect(formatColumns(['a=1', 'bb=22', 'c=3', 'd=4', 'e=5'], 14)).toEqual([
    'a=1    d=4',
    'bb=22  e=5',
    'c=3',
  ]);
  expect(formatColumns(['a', 'b'], 1)).toEqual(['a', 'b']);
});
