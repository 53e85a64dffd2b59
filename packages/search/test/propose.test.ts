import { describe, expect, it } from 'vitest';
import type { Unit } from '../src/decision.ts';
import { nextDue } from '../src/next-due.ts';
import type { Outcome } from '../src/observation.ts';
import type { Search } from '../src/search.ts';
import { simulateSearch } from '../src/simulate.ts';
import type { Point } from '../src/space.ts';

const searchOf = (changes: Partial<Search> = {}): Search => ({
  space: [
    { name: 'x', dimension: { min: 0, max: 1, scale: 'linear' } },
    { name: 'kind', dimension: ['a', 'b'] },
    { name: 'units', dimension: 64 },
  ],
  strategy: 'tpe',
  objectives: 1,
  seed: 3,
  parallelism: 1,
  order: 'reproducible',
  promotion: null,
  earlier: [],
  tryFirst: [],
  handPoints: [],
  stop: {},
  ...changes,
});
const evaluate = ({ point }: Pick<Unit, 'point'>): Outcome => ({
  status: 'measured',
  utilities: [-((Number(point.x) - 0.3) ** 2)],
});
const next = (search: Search, made = 0) => {
  const due = nextDue(search, simulateSearch(searchOf(), made, evaluate), 100);
  if (due.kind !== 'due' || due.choice.kind !== 'propose') throw new Error('Expected a proposal');
  const { point, source } = due.choice;
  return { point, source };
};

describe('the source of a proposal', () => {
  it('is `start` until ten outcomes are known, of this search or of earlier ones', () => {
    expect([0, 9, 10, 20].map((made) => next(searchOf(), made).source)).toEqual([
      'start',
      'start',
      'strategy',
      'strategy',
    ]);
    const earlier = Array.from({ length: 10 }, (_, i) => ({
      point: { x: i / 10, kind: 'a', units: 64 },
      outcome: evaluate({ point: { x: i / 10 } }),
    }));
    expect(next(searchOf({ earlier })).source).toBe('strategy');
  });

  it('is `try` for the points of the sweep file, each once and in their order, with values that leave no choice', () => {
    const tryFirst: readonly Point[] = [
      { x: 0.25, kind: 'b' },
      { x: 0.5, kind: 'a' },
      { x: 0.25, kind: 'b', units: 64 },
    ];
    const decisions = simulateSearch(searchOf({ tryFirst }), 4, evaluate) as readonly Unit[];
    expect(decisions.slice(0, 2).map(({ point }) => point)).toEqual([
      { x: 0.25, kind: 'b', units: 64 },
      { x: 0.5, kind: 'a', units: 64 },
    ]);
    expect(decisions.slice(2).map(({ point }) => point.x)).not.toContain(0.25);
    expect(next(searchOf({ tryFirst })).source).toBe('try');
  });

  it('is `hand` for a point of a user, which comes before all others', () => {
    const tryFirst = [{ x: 0.25, kind: 'b' }];
    const handPoints = [
      { x: 0.75, kind: 'a' },
      { x: 0.8, kind: 'a' },
    ];
    const expected = { point: { x: 0.75, kind: 'a', units: 64 }, source: 'hand' };
    expect(next(searchOf({ tryFirst, handPoints }))).toEqual(expected);
    expect(next(searchOf({ handPoints }), 15)).toEqual(expected);
  });
});

it.each<[string, object]>([
  ['search.try[1]', { x: 0.5 }],
  ['search.try[1].x', { x: 1.5, kind: 'a' }],
  ['search.try[1].kind', { x: 0.5, kind: 'c' }],
  ['search.try[1].units', { x: 0.5, kind: 'a', units: 32 }],
  ['search.try[1].depth', { x: 0.5, kind: 'a', depth: 3 }],
])('a point outside of the space is refused at %s', (path, point) => {
  const tryFirst = [{ x: 0.5, kind: 'a' }, point as Record<string, string>];
  expect(() => next(searchOf({ tryFirst }))).toThrow(
    expect.objectContaining({
      details: expect.objectContaining({ issues: [expect.objectContaining({ path })] }),
    }),
  );
});
