/**
 * The cost of planning a search, in values that the planner makes and reads. The planner rounds every value between the ends of a range of
 * real numbers with `toPrecision`, and reads every value of a list from the list. The tests count both.
 */
import { AppError, type SearchSpace, SweepDefinition, type SweepInput } from '@funnel/contracts';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { expandSweep, trialsOf } from '../src/expand-trials.ts';
import { buildPlan, countTrials, outlineSweep } from '../src/index.ts';

const sweep = (input: Partial<SweepInput>): SweepDefinition =>
  SweepDefinition.parse({ name: 'test', dataset: { name: 'glyphs' }, attacks: ['fgsm'], ...input });
const random = (trials: number, seed = 0) => ({ strategy: 'random', trials, seed }) as const;
const leftOutOf = (definition: SweepDefinition) =>
  buildPlan(outlineSweep(definition, '1'), new Map()).plan.leftOut;

const refusalOf = (act: () => unknown): AppError => {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('Expected a refusal, but got none');
};

/** Real numbers rounded since the test began. */
let made: MockInstance;
beforeEach(() => {
  made = vi.spyOn(Number.prototype, 'toPrecision');
});
afterEach(() => vi.restoreAllMocks());

/** Values of a hyperparameter that a plan shows. */
const shown = 10;

const fine = { min: 0, max: 1e6, step: 0.01 };

describe('a random search', () => {
  it('for one trial over 100,000,001 points makes one value, besides the values that the plan shows', () => {
    const definition = sweep({ space: { gamma: fine }, search: random(1) });
    const [trial] = trialsOf(expandSweep(definition));
    expect(trial?.hyperparameters.gamma).toBe(864069.38);
    expect(made.mock.calls.length).toBeLessThanOrEqual(1 + shown);
  });

  it('makes a value for each draw, and draws the same values as version 0.1.0', () => {
    const gamma = { min: 1, max: 64, count: 100_000 };
    const trials = trialsOf(expandSweep(sweep({ space: { gamma }, search: random(100) })));
    expect(trials).toHaveLength(100);
    expect(trials.slice(0, 6).map(({ hyperparameters }) => hyperparameters.gamma)).toEqual([
      55.4363243632, 48.0079200792, 39.0278102781, 33.5171451715, 13.4545945459, 45.0947709477,
    ]);
    expect(made.mock.calls.length).toBeLessThanOrEqual(100 + shown);
  });

  it('reads each value of its lists once, however many trials are drawn', () => {
    const list = Array.from({ length: 10_000 }, (_, i) => (i + 1) / 10_000);
    const definition = sweep({
      recipes: ['funn', 'classic'],
      space: { gamma: list, beta: list, initialiseDefenderRate: list },
      search: random(300),
    });
    let reads = 0;
    const watched = new Proxy(list, {
      get: (target, key) => {
        if (typeof key === 'string' && key !== 'length') reads += 1;
        return Reflect.get(target, key);
      },
    });
    const space: SearchSpace = { gamma: watched, beta: watched, initialiseDefenderRate: watched };
    const trials = trialsOf(expandSweep({ ...definition, space }));
    expect(trials).toHaveLength(600);
    expect(reads).toBeLessThanOrEqual(3 * list.length);
  });

  it('stops when it has all points of a small space, and the plan says so', () => {
    const definition = sweep({
      space: { gamma: { min: 0, max: 1, step: 0.25 } },
      search: random(100_000),
    });
    const values = trialsOf(expandSweep(definition)).map(
      ({ hyperparameters }) => hyperparameters.gamma as number,
    );
    expect(values.sort((a, b) => a - b)).toEqual([0, 0.25, 0.5, 0.75, 1]);
    expect(made.mock.calls.length).toBeLessThanOrEqual(5 * 20 + shown);
    expect(leftOutOf(definition)).toEqual(['5 of 100,000: the space has no more']);
  });

  it('says how many of its trials the space of each recipe has', () => {
    const space = { gamma: [1, 2], beta: [1, 2] };
    expect(leftOutOf(sweep({ space, search: random(50) }))).toEqual(['4 of 50: the space has no more']);
    expect(leftOutOf(sweep({ space, search: random(50), recipes: ['funn', 'classic'] }))).toEqual([
      'funn, 4 of 50: the space has no more',
      'classic, 1 of 50: the space has no more',
    ]);
    expect(leftOutOf(sweep({ space, search: random(4) }))).toEqual([]);
  });

  it('stops after twenty draws for each requested point, and the plan says so', () => {
    // The ends are adjacent doubles: the range is continuous, but rounding to 12 digits leaves one value.
    const gamma = { min: 0.3, max: 0.30000000000000004 };
    const definition = sweep({ space: { gamma }, search: random(10) });
    const [left] = leftOutOf(definition)!;
    expect(left).toMatch(/^[12] of 10: 200 draws found no more$/);
    expect(made.mock.calls.length).toBeLessThanOrEqual(200 + shown);
  });

  it('draws all whole numbers of a range equally often', () => {
    const drawn = Array.from({ length: 900 }, (_, seed) => {
      const definition = sweep({ space: { latent: { min: 1, max: 3 } }, search: random(1, seed) });
      return trialsOf(expandSweep(definition))[0]!.hyperparameters.latent;
    });
    // 300 of 900 are expected, with a standard deviation of 14. Rounding would halve the count at both ends.
    for (const value of [1, 2, 3]) {
      const times = drawn.filter((other) => other === value).length;
      expect(times, `${value}`).toBeGreaterThan(300 - 4 * 14);
      expect(times, `${value}`).toBeLessThan(300 + 4 * 14);
    }
  });

  it('draws a whole number on a log scale in proportion to the width of its interval on that scale', () => {
    const latent = { min: 1, max: 4, scale: 'log' as const };
    const count = 1200;
    const drawn = Array.from(
      { length: count },
      (_, seed) =>
        trialsOf(expandSweep(sweep({ space: { latent }, search: random(1, seed) })))[0]!.hyperparameters
          .latent,
    );
    for (const value of [1, 2, 3, 4]) {
      const share = Math.log((value + 0.5) / (value - 0.5)) / Math.log(4.5 / 0.5);
      const deviation = Math.sqrt(count * share * (1 - share));
      const times = drawn.filter((other) => other === value).length;
      expect(Math.abs(times - count * share), `${value}`).toBeLessThan(4 * deviation);
    }
  });

  it('counts the requested trials without making a value', () => {
    const definition = sweep({ space: { gamma: fine }, search: random(70), seeds: 5 });
    made.mockClear();
    expect(countTrials(definition)).toBe(350);
    expect(made).not.toHaveBeenCalled();
  });

  it('counts no more trials than the space has points', () => {
    const space = { gamma: [1, 2, 2], beta: { min: 0.1, max: 0.3, step: 0.1 } };
    expect(countTrials(sweep({ space, search: random(100_000), seeds: 5 }))).toBe(2 * 3 * 5);
  });
});

describe('a grid', () => {
  it.each([
    [{ gamma: fine }, 'space.gamma', 100_000_001],
    [{ gamma: { ...fine, step: 1e-8 }, beta: [1, 2] }, 'space.gamma', 100_000_000_000_001],
    [{ gamma: { min: 0, max: 1, count: 400 }, beta: { min: 0, max: 1, count: 500 } }, 'space.beta', 500],
  ])(
    'that is too large is refused before any value is made, and the error names the longest dimension: %j',
    (space, path, size) => {
      const definition = sweep({ space });
      made.mockClear();
      const refusal = refusalOf(() => outlineSweep(definition, '1'));
      expect(refusal.code).toBe('SWEEP_TOO_LARGE');
      expect(refusal.message).toContain(`The longest dimension is ${path} with ${size} values.`);
      expect(refusal.details.issues).toMatchObject([{ path, received: `${size} values` }]);
      expect(made).not.toHaveBeenCalled();
    },
  );

  it('with too many seeds is refused, and the error names the seeds', () => {
    const refusal = refusalOf(() =>
      countTrials(sweep({ space: { gamma: { min: 1, max: 11, step: 1 } }, seeds: 10_000 })),
    );
    expect(refusal.message).toBe(
      'Expected at most 100000 trials, but got 110000. The longest dimension is seeds with 10000 values.',
    );
  });

  it('of 100,000 points makes each point once', () => {
    const definition = sweep({ space: { gamma: { min: 1, max: 64, count: 100_000 } } });
    const trials = trialsOf(expandSweep(definition));
    expect(trials).toHaveLength(100_000);
    expect(trials.at(-1)?.hyperparameters.gamma).toBe(64);
    expect(made.mock.calls.length).toBeLessThanOrEqual(100_000 + shown);
  });

  it('counts equal values once, and the plan reports them', () => {
    const definition = sweep({
      recipes: ['classic', 'classic'],
      space: { latent: { min: 1, max: 3, count: 5 }, classifierRate: [0.1, 0.2, 0.1] },
      seeds: [4, 4],
    });
    expect(countTrials(definition)).toBe(6);
    expect(trialsOf(expandSweep(definition))).toHaveLength(6);
    expect(leftOutOf(definition)).toEqual([
      'recipes: 2 asked for, 1 different',
      'latent: 5 asked for, 3 different',
      'classifierRate: 3 asked for, 2 different',
      'seeds: 2 asked for, 1 different',
    ]);
  });
});

describe('the plan', () => {
  const spaceOf = (input: Partial<SweepInput>) =>
    buildPlan(outlineSweep(sweep(input), '1'), new Map()).plan.space;

  it('lists the first ten values of a hyperparameter, and the number of values', () => {
    expect(spaceOf({ space: { gamma: { min: 1, max: 64, step: 1 } } })).toEqual([
      {
        hyperparameter: 'gamma',
        asked: 64,
        different: 64,
        values: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        continuous: null,
      },
    ]);
  });

  it('has the ends and the scale of a continuous range', () => {
    const space = { gamma: { min: 0.1, max: 10, scale: 'log' as const }, latent: { min: 8, max: 64 } };
    expect(spaceOf({ space, search: random(5) })).toEqual([
      {
        hyperparameter: 'latent',
        asked: null,
        different: 57,
        values: [],
        continuous: { ...space.latent, scale: 'linear' },
      },
      { hyperparameter: 'gamma', asked: null, different: null, values: [], continuous: space.gamma },
    ]);
  });

  it('omits hyperparameters that keep their defaults', () => expect(spaceOf({})).toEqual([]));
});
