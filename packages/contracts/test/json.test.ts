import { describe, expect, it } from 'vitest';
import {
  canonicalJson,
  canonicalWriter,
  EvaluationSummary,
  ExtendedNumber,
  evaluationMetricNames,
  evaluationMetrics,
  readExtended,
  writeExtended,
} from '../src/index.ts';

describe('canonical JSON', () => {
  const value = {
    b: [1, { z: null, a: -0 }],
    a: 'x"\n',
    é: 1e-7,
    B: true,
    u: undefined,
    nested: { two: 2, one: 1e21 },
  };
  const text = '{"B":true,"a":"x\\"\\n","b":[1,{"a":0,"z":null}],"nested":{"one":1e+21,"two":2},"é":1e-7}';

  it('has sorted keys at every depth, and no undefined members', () => {
    expect(canonicalJson(value)).toBe(text);
    expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
  });

  it('is the same from a writer that knows the keys, of which an object may lack some', () => {
    const write = canonicalWriter(['u', 'é', 'b', 'missing', 'nested', 'a', 'B']);
    expect(write(value)).toBe(text);
    expect(write({})).toBe('{}');
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, () => 1, [undefined]])('refuses %s', (wrong) => {
    expect(() => canonicalJson({ wrong })).toThrow(TypeError);
  });
});

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
