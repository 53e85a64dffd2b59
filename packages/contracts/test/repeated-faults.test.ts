import { expect, test } from 'vitest';
import { createRepeatedFaults } from '../src/index.ts';

const start = Date.parse('2026-11-29T10:00:00.000Z');

test('a fault that comes ten times a second for five minutes is said once, and then once a minute with its count', () => {
  const report = createRepeatedFaults();
  const said: (readonly [number, string])[] = [];
  for (let tenths = 0; tenths <= 3000; tenths++) {
    const words = report('away', start + tenths * 100);
    if (words !== null) said.push([tenths / 10, words]);
  }
  expect(said).toEqual([
    [0, 'away'],
    ...[1, 2, 3, 4, 5].map((minute) => [
      minute * 60,
      `away (${minute * 600 + 1} times since 2026-11-29T10:00:00.000Z)`,
    ]),
  ]);
});

test('each message is a fault of its own, and after a minute of silence it is a new one', () => {
  const report = createRepeatedFaults();
  expect([report('a', start), report('b', start), report('a', start + 1)]).toEqual(['a', 'b', null]);
  expect(report('a', start + 60_002)).toBe('a');
  expect(report('a', start)).toBe('a'); // the clock was set back by more than a minute
});

test('messages without end use bounded memory, and are all said', () => {
  const report = createRepeatedFaults();
  for (let i = 0; i < 1000; i++) expect(report(`id ${i}`, start)).toBe(`id ${i}`);
  expect(report('id 999', start)).toBeNull();
  expect(report('id 0', start)).toBe('id 0');
});
