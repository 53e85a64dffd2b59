/** The pieces of figures: ticks, scales, texts. */
import { expect, test } from 'vitest';
import { drawing, scaleOf, text, ticksOf } from '../src/figure.ts';

test('ticks are multiples of 1, 2 or 5 times a power of ten', () => {
  expect(ticksOf(0, 260)).toEqual([0, 50, 100, 150, 200, 250]);
  expect(ticksOf(0.93, 1).map((tick) => tick.toFixed(2))).toEqual(['0.94', '0.96', '0.98', '1.00']);
});

test('a scale maps both ends exactly', () => {
  const x = scaleOf([2, 4], [64, 164]);
  expect([2, 3, 4].map(x)).toEqual([64, 114, 164]);
});

test('words are escaped, and the colours follow the scheme of the reader', () => {
  expect(text(1, 2, 'L2 < 3 & more')).toBe('<text x="1.0" y="2.0" >L2 &lt; 3 &amp; more</text>');
  expect(drawing(10, 20, 'A "title"', [])).toMatch(
    /viewBox="0 0 10 20"[\s\S]*<title>A &quot;title&quot;<\/title>[\s\S]*prefers-color-scheme: dark/,
  );
});
