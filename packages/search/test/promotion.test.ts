import { describe, expect, it } from 'vitest';
import type { Unit } from '../src/decision.ts';
import { type Fidelity, rungsOf } from '../src/promotion/promotion.ts';
import { type PromotionName, promotionNames } from '../src/promotion/registry.ts';
import type { Search } from '../src/search.ts';
import { simulateSearch } from '../src/simulate.ts';

describe('rungs', () => {
  it.each<[Fidelity, number[]]>([
    [{ min: 1, max: 27, eta: 3 }, [1, 3, 9, 27]],
    [{ min: 1, max: 81, eta: 3 }, [1, 3, 9, 27, 81]],
    [{ min: 2, max: 31, eta: 3 }, [3, 10, 31]],
    [{ min: 1, max: 16, eta: 4 }, [1, 4, 16]],
    [{ min: 3, max: 10, eta: 2 }, [5, 10]],
  ])('of %o are %o', (fidelity, rungs) => {
    expect(rungsOf(fidelity)).toEqual(rungs);
  });

  it.each<[string, Fidelity]>([
    ['search.eta', { min: 1, max: 27, eta: 1 }],
    ['search.fidelity.min', { min: 0, max: 27, eta: 3 }],
    ['search.fidelity.max', { min: 5, max: 5, eta: 3 }],
    ['search.fidelity.max', { min: 5, max: 9, eta: 3 }],
  ])('a fault of %s is refused there', (path, fidelity) => {
    expect(() => rungsOf(fidelity)).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({ issues: [expect.objectContaining({ path })] }),
      }),
    );
  });
});

const run = (
  rule: PromotionName,
  fidelity: Fidelity,
  configurations: number,
  isBad = false,
): readonly (Unit | null)[] => {
  const search: Search = {
    space: [{ name: 'x', dimension: { min: 0, max: 1, scale: 'linear' } }],
    strategy: 'random',
    objectives: 1,
    seed: 0,
    parallelism: 1,
    order: 'reproducible',
    promotion: { rule, fidelity },
    earlier: [],
    tryFirst: [],
    handPoints: [],
    stop: {},
  };
  return simulateSearch(search, configurations, ({ point }) =>
    isBad ? { status: 'bad' } : { status: 'measured', utilities: [Number(point.x)] },
  ).map((decision) => (decision.kind === 'unit' ? decision : null));
};

it('Hyperband has the brackets of table 1 of its paper, for at most 81 epochs and eta 3', () => {
  const table = [[81, 27, 9, 3, 1], [34, 11, 3, 1], [15, 5, 1], [8, 2], [5]];
  const rungs = table.flatMap((sizes, bracket) =>
    sizes.flatMap((size, level) => Array<number>(size).fill(bracket + level)),
  );
  const units = run('hyperband', { min: 1, max: 81, eta: 3 }, 81 + 34 + 15 + 8 + 5);
  expect(units.map((unit) => unit!.rung)).toEqual(rungs);
});

it('successive halving has brackets of which two configurations reach the highest rung', () => {
  const units = run('successive-halving', { min: 1, max: 27, eta: 3 }, 28);
  const rungs = [28, 10, 4, 2].flatMap((size, rung) => Array<number>(size).fill(rung));
  expect(units.map((unit) => unit!.rung)).toEqual(rungs);
  const halves = run('successive-halving', { min: 1, max: 8, eta: 2 }, 9);
  expect(halves.map((unit) => unit!.rung)).toEqual(
    [9, 5, 3, 2].flatMap((size, rung) => Array<number>(size).fill(rung)),
  );
});

describe.each([
  ['hyperband', [27, 9, 3, 1], [9, 3, 1]],
  ['successive-halving', [28, 10, 4, 2], [10, 4, 2]],
] as const)('%s', (rule, sizes, smaller) => {
  it('promotes the best third of each rung of a bracket, in order of value', () => {
    const units = run(rule, { min: 1, max: 27, eta: 3 }, sizes[0]) as readonly Unit[];
    const [rung0, rung1, rung2, rung3] = [0, 1, 2, 3].map((rung) =>
      units.filter((unit) => unit.rung === rung),
    );
    const best = (list: readonly Unit[], count: number) =>
      list
        .toSorted((a, b) => Number(b.point.x) - Number(a.point.x))
        .slice(0, count)
        .map(({ configuration }) => configuration);
    expect(rung1!.map(({ configuration }) => configuration)).toEqual(best(rung0!, sizes[1]));
    expect(rung2!.map(({ configuration }) => configuration)).toEqual(best(rung1!, sizes[2]));
    expect(rung3!.map(({ configuration }) => configuration)).toEqual(best(rung2!, sizes[3]));
  });

  it('leaves places empty when no good unit is left', () => {
    const [first, second, third] = smaller;
    const units = run(rule, { min: 1, max: 9, eta: 3 }, first, true);
    expect(units.slice(first, first + second + third)).toEqual(Array(second + third).fill(null));
  });
});

it('ASHA promotes whatever is in the best third of its rung and was not promoted yet', () => {
  const units = run('asha', { min: 1, max: 9, eta: 3 }, 60) as readonly Unit[];
  for (const [number, unit] of units.entries()) {
    const before = units.slice(0, number);
    const promotable = [1, 0].flatMap((rung) => {
      const ended = before.filter((each) => each.rung === rung);
      return ended
        .toSorted((a, b) => Number(b.point.x) - Number(a.point.x))
        .slice(0, Math.floor(ended.length / 3))
        .filter(
          ({ configuration }) =>
            !before.some((each) => each.rung === rung + 1 && each.configuration === configuration),
        );
    });
    if (number < 10) expect(unit.rung).toBe(0);
    else if (promotable.length === 0) expect([unit.rung, unit.configuration]).toEqual([0, number]);
    else
      expect([unit.rung, unit.configuration]).toEqual([
        promotable[0]!.rung + 1,
        promotable[0]!.configuration,
      ]);
  }
  expect(units.filter(({ rung }) => rung === 2).length).toBeGreaterThan(4);
});

it.each(promotionNames)('%s never promotes a bad unit', (rule) => {
  const units = run(rule, { min: 1, max: 9, eta: 3 }, 30, true);
  expect(
    units.every((unit) => unit === null || unit.rung === 0 || unit.configuration === units.indexOf(unit)),
  ).toBe(true);
});
