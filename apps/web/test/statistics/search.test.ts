import type { SearchDecision } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import {
  highestRung,
  improvementsOf,
  measuredValue,
  promotionsOf,
  tellingRung,
  unitsOf,
  varyingNames,
} from '../../src/statistics/search.ts';

/** A decision with a value at a rung; null: bad; undefined: pending. */
const decision = (
  number: number,
  value: number | 'Infinity' | null | undefined,
  more: Partial<SearchDecision> = {},
): SearchDecision => ({
  ...{ number, source: 'strategy', configuration: number, point: { gamma: number }, rung: 0, epochs: 1 },
  trials: [`t${number}`],
  outcome:
    value === undefined
      ? { status: 'pending', values: [], reason: null }
      : { status: value === null ? 'bad' : 'measured', values: [value], reason: null },
  ...{ promoted: null, note: null, decidedAt: '2026-11-20T10:00:00Z' },
  ...more,
});

const empty = decision(9, null, {
  source: 'empty',
  configuration: null,
  point: null,
  rung: null,
  trials: [],
});

const promoted = (number: number, configuration: number, rung: number, value: number | undefined) =>
  decision(number, value, { configuration, rung, source: 'promotion', point: { gamma: configuration } });

describe('the units of a search', () => {
  it('have numbers as values, and leave out empty places', () => {
    const units = unitsOf([decision(0, 'Infinity'), decision(1, null), decision(2, undefined), empty]);
    expect(units.map((unit) => measuredValue(unit, 0))).toEqual([Number.POSITIVE_INFINITY, null, null]);
    expect(units.map(({ status }) => status)).toEqual(['measured', 'bad', 'pending']);
  });

  it('are at rung 0 in a search without promotion', () => {
    const [unit] = unitsOf([decision(0, 1, { rung: null, epochs: null })]);
    expect(unit).toMatchObject({ rung: 0, epochs: null });
  });

  it('vary in the hyperparameters that have two values', () => {
    const units = unitsOf([
      decision(0, 1, { point: { recipe: 'funn', gamma: 1, beta: 0.1 } }),
      decision(1, 1, { point: { recipe: 'classic', beta: 0.1 } }),
      decision(2, 1, { point: { recipe: 'funn', gamma: 2, beta: 0.1 } }),
    ]);
    expect(varyingNames(units)).toEqual(['recipe', 'gamma']);
  });
});

describe('the best so far', () => {
  const units = unitsOf([
    decision(0, 0.5),
    decision(1, 0.4),
    decision(2, null),
    decision(3, 0.9),
    promoted(4, 3, 1, 0.2),
    decision(5, 0.9),
    decision(6, undefined),
    decision(7, 'Infinity'),
  ]);

  it('grows with each better unit, and not with an equal one', () => {
    expect(improvementsOf(units, 0, 0, 'max')).toEqual([
      { decision: 0, value: 0.5 },
      { decision: 3, value: 0.9 },
      { decision: 7, value: Number.POSITIVE_INFINITY },
    ]);
  });

  it('falls where less is better', () => {
    expect(improvementsOf(units, 0, 0, 'min').map(({ decision }) => decision)).toEqual([0, 1]);
  });

  it('compares the units of one rung only', () => {
    expect(improvementsOf(units, 1, 0, 'max')).toEqual([{ decision: 4, value: 0.2 }]);
    expect(highestRung(units)).toBe(1);
    expect(highestRung(unitsOf([decision(0, null), promoted(1, 0, 1, undefined)]))).toBe(0);
  });
});

describe('the rung that says most about hyperparameters', () => {
  const atRung = (rung: number, count: number, from: number) =>
    Array.from({ length: count }, (_, i) => promoted(from + i, from + i, rung, 0.5));

  it('is the highest with ten measured units', () => {
    expect(tellingRung(unitsOf([...atRung(0, 27, 0), ...atRung(1, 10, 30), ...atRung(2, 9, 50)]))).toBe(1);
  });

  it('is otherwise the one with the most', () => {
    expect(tellingRung(unitsOf([...atRung(0, 5, 0), ...atRung(1, 8, 30), ...atRung(2, 1, 50)]))).toBe(1);
    expect(tellingRung([])).toBe(0);
  });
});

describe('promotions', () => {
  it('join the units of a configuration from rung to rung', () => {
    const units = unitsOf([
      decision(0, 0.5),
      decision(1, 0.7),
      promoted(2, 1, 1, 0.8),
      promoted(3, 1, 2, undefined),
    ]);
    expect(promotionsOf(units).map(({ from, to }) => [from.decision, to.decision])).toEqual([
      [1, 2],
      [2, 3],
    ]);
  });
});
