import { describe, expect, it } from 'vitest';
import {
  EvaluationSummary,
  ExtendedNumber,
  evaluationMetricNames,
  evaluationMetrics,
  readExtended,
  writeExtended,
} from '../src/index.ts';

describe('numbers that may be infinite', () => {
  it.each([0, -1.5, 5e-324, Number.MAX_VALUE, Number.POSITIVE_INFINITY])('%s survives JSON', (value) => {
    const read = ExtendedNumber.parse(JSON.parse(JSON.stringify(writeExtended(value))));
    expect(readExtended(read)).toBe(value);
  });

  it('are the text Infinity in JSON, and no other text is accepted', () => {
    expect(JSON.stringify([writeExtended(Number.POSITIVE_INFINITY), writeExtended(1)])).toBe(
      '["Infinity",1]',
    );
    for (const other of ['infinity', '∞', '-Infinity', '1', Number.NaN, Number.POSITIVE_INFINITY, null])
      expect(ExtendedNumber.safeParse(other).success).toBe(false);
    expect([readExtended(null), readExtended(undefined)]).toEqual([null, undefined]);
  });

  it('are only metrics with direction max, so that an infinite value ranks first', () => {
    const infinite = evaluationMetricNames.filter(
      (name) => EvaluationSummary.shape[name].safeParse('Infinity').success,
    );
    expect(infinite).toEqual(['medianL2', 'medianLinf']);
    for (const name of infinite) expect(evaluationMetrics[name].direction).toBe('max');
  });
});
