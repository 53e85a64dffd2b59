import { totalSpeed } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { rowWindow } from '../src/components/virtual-rows.tsx';
import {
  attackLabel,
  formatAgo,
  formatBytes,
  formatDuration,
  formatMeasured,
  formatNumber,
  formatPercent,
  inSentence,
  speedText,
} from '../src/format.ts';

describe('numbers', () => {
  it.each([
    [0, '0'],
    [5, '5'],
    [1234, '1,234'],
    [0.0123456, '0.0123'],
    [1e-5, '1e-5'],
    [0.00025, '2.5e-4'],
    [3.14159e7, '3.14e7'],
    [-0.5, '-0.5'],
    [Number.POSITIVE_INFINITY, '∞'],
    [null, '–'],
  ])('%s is %s', (value, text) => {
    expect(formatNumber(value)).toBe(text);
  });

  it('say how fast stages are, and nothing while nobody knows', () => {
    const stages = [{ imagesPerSecond: null }, { imagesPerSecond: 0.34 }, { imagesPerSecond: 0.02 }];
    expect(speedText(totalSpeed(stages))).toBe('0.36 images/s');
    expect(speedText(1234.5)).toBe('1,235 images/s');
    expect([speedText(totalSpeed(stages.slice(0, 1))), speedText(0)]).toEqual(['', '']);
  });

  it('have three digits when measured', () => {
    expect([1.8, 12.345, 0.5].map(formatMeasured)).toEqual(['1.80', '12.3', '0.500']);
    expect(formatMeasured(Number.POSITIVE_INFINITY)).toBe('∞');
  });

  it('can be shares, times and sizes', () => {
    expect(formatPercent(0.98765)).toBe('98.8%');
    expect(formatDuration(0.2)).toBe('< 1 s');
    expect(formatDuration(59)).toBe('59 s');
    expect(formatDuration(8040)).toBe('2 h 14 min');
    expect(formatDuration(3 * 86_400)).toBe('3 d');
    expect(formatBytes(3_221_225_472)).toBe('3 GiB');
    const now = Date.parse('2026-01-02T00:00:00Z');
    expect(formatAgo('2026-01-01T23:57:00Z', now)).toBe('3 min ago');
    expect(formatAgo('2026-01-02T00:01:00Z', now)).toBe('just now'); // clocks differ
  });

  it('a title in a sentence keeps its symbols', () => {
    expect(inSentence('Robust accuracy')).toBe('robust accuracy');
    expect(inSentence('L2 norm')).toBe('L2 norm');
  });
});

describe('labels of attacks', () => {
  it('have ε, the steps, and the settings that are not the default', () => {
    expect(
      attackLabel({
        attack: 'pgd-linf',
        settings: {
          epsilon: 0.3,
          steps: 40,
          restarts: 10,
          stepSize: null,
          loss: 'margin',
          randomStart: true,
        },
      }),
    ).toMatch(/^PGD L∞ · ε 0.3 · 40 steps.*restarts 10.*margin/);
  });
});

describe('visible rows', () => {
  it('leave space for the others', () => {
    const visible = Array.from({ length: 34 }, (_, i) => ({ index: 92 + i }));
    const rows = rowWindow(visible, 2000, 35);
    expect(rows).toMatchObject({ first: 92, last: 126 });
    expect(rows.before + (rows.last - rows.first) * 35 + rows.after).toBe(2000 * 35);
  });

  it('do not exist in an empty table', () => {
    expect(rowWindow([], 0, 35)).toEqual({ first: 0, last: 0, before: 0, after: 0 });
  });
});
