import { AppError, SweepDefinition, type SweepInput } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { expandSweep, trialsOf } from '../src/expand-trials.ts';
import { countTrials } from '../src/index.ts';

const sweep = (input: Partial<SweepInput>) =>
  SweepDefinition.parse({ name: 'test', dataset: { name: 'glyphs' }, ...input });
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  return 'nothing thrown';
};

describe('a grid', () => {
  it('has every combination once: later hyperparameters change faster, seeds fastest', () => {
    const trials = trialsOf(
      expandSweep(sweep({ space: { gamma: [1, 5], beta: [0.01, 0.02, 0.01] }, seeds: 2 })),
    );
    const points = trials.map((t) => [t.hyperparameters.gamma, t.hyperparameters.beta, t.seed]);
    expect(points).toEqual([
      [1, 0.01, 0], [1, 0.01, 1], [1, 0.02, 0], [1, 0.02, 1],
      [5, 0.01, 0], [5, 0.01, 1], [5, 0.02, 0], [5, 0.02, 1],
    ]); // biome-ignore format: a table
  });

  it('does not multiply the trials of a recipe by hyperparameters that it does not read', () => {
    const trials = trialsOf(
      expandSweep(
        sweep({
          recipes: ['funn', 'classic'],
          space: { gamma: [1, 3, 5], beta: [0.01, 0.02, 0.03] },
          seeds: 2,
        }),
      ),
    );
    expect(trials.filter((t) => t.recipe === 'funn')).toHaveLength(18);
    expect(trials.filter((t) => t.recipe === 'classic')).toHaveLength(2);
    expect(trials.filter((t) => t.recipe === 'classic').every((t) => !('gamma' in t.hyperparameters))).toBe(
      true,
    );
  });

  it('uses the paper’s values for hyperparameters that the sweep does not name', () => {
    const [trial] = trialsOf(expandSweep(sweep({})));
    expect(trial?.hyperparameters).toMatchObject({
      gamma: 5,
      beta: 0.01,
      initialiseEpochs: 9,
      optimiseEpochs: 31,
      batchSize: 128,
    });
  });

  it.each([
    [{ min: 1, max: 2, step: 0.25 }, [1, 1.25, 1.5, 1.75, 2]],
    [{ min: 0.1, max: 0.3, step: 0.1 }, [0.1, 0.2, 0.3]], // 0.1 + 2 · 0.1 is 0.30000000000000004
    [{ min: 1, max: 2, step: 0.3 }, [1, 1.3, 1.6, 1.9]],
    [{ min: 0.01, max: 100, count: 5, scale: 'log' as const }, [0.01, 0.1, 1, 10, 100]],
    [{ min: 0, max: 1, count: 3 }, [0, 0.5, 1]],
    [{ min: 2, max: 2, step: 1 }, [2]],
  ])('has the points of %j', (range, values) => {
    expect(
      trialsOf(expandSweep(sweep({ space: { gamma: range } }))).map((t) => t.hyperparameters.gamma),
    ).toEqual(values);
  });

  it('rounds the points of a range of whole numbers, each once', () => {
    const trials = trialsOf(
      expandSweep(sweep({ space: { latent: { min: 1, max: 8, count: 20, scale: 'log' } } })),
    );
    expect(trials.map((t) => t.hyperparameters.latent)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it('refuses a billion points without making them', () => {
    const many = { min: 0, max: 1, count: 1000 };
    const definition = sweep({
      space: { gamma: many, beta: many, optimiseAttackerRate: { min: 1e-6, max: 1, count: 1000 } },
    });
    expect(() => countTrials(definition)).toThrow(/at most 100000 trials, but got 1000000000/);
    expect(codeOf(() => trialsOf(expandSweep(definition)))).toBe('SWEEP_TOO_LARGE');
  });

  it('refuses a continuous range, and an end that is no value of the hyperparameter', () => {
    expect(codeOf(() => trialsOf(expandSweep(sweep({ space: { gamma: { min: 0, max: 1 } } }))))).toBe(
      'CONTINUOUS_GRID',
    );
    const negative = () => sweep({ space: { beta: { min: -1, max: 1, step: 1 } } });
    expect(negative).toThrow(/"space",\s*"beta",\s*"min"/);
    expect(negative).toThrow(/but got -1/);
  });
});

describe('random search', () => {
  const space = {
    gamma: { min: 0.1, max: 10, scale: 'log' as const },
    beta: [0.01, 0.02],
    latent: { min: 8, max: 64 },
  };

  it('draws the requested number of points, inside their ranges, and the same points for the same seed', () => {
    const draw = (seed: number) =>
      trialsOf(expandSweep(sweep({ space, search: { strategy: 'random', trials: 50, seed } })));
    const trials = draw(1);
    expect(trials).toHaveLength(50);
    for (const { hyperparameters } of trials) {
      expect(hyperparameters.gamma).toBeGreaterThanOrEqual(0.1);
      expect(hyperparameters.gamma).toBeLessThanOrEqual(10);
      expect([0.01, 0.02]).toContain(hyperparameters.beta);
      expect(Number.isInteger(hyperparameters.latent)).toBe(true);
    }
    expect(draw(1)).toEqual(trials);
    expect(draw(2)).not.toEqual(trials);
  });

  it('is uniform on the scale of the range', () => {
    const trials = trialsOf(expandSweep(sweep({ space, search: { strategy: 'random', trials: 2000 } })));
    const below = trials.filter((t) => t.hyperparameters.gamma! < 1).length / trials.length; // 1 is the middle of 0.1 … 10 in log
    expect(below).toBeGreaterThan(0.45);
    expect(below).toBeLessThan(0.55);
  });

  it('has no point twice, and stops when it has all points of a small space', () => {
    const trials = trialsOf(
      expandSweep(sweep({ space: { gamma: [1, 2, 3] }, search: { strategy: 'random', trials: 10 } })),
    );
    expect(trials.map((t) => t.hyperparameters.gamma).sort()).toEqual([1, 2, 3]);
  });

  it('keeps the draws of a hyperparameter when another one is added', () => {
    const draw = (more: object) =>
      trialsOf(
        expandSweep(
          sweep({ space: { gamma: space.gamma, ...more }, search: { strategy: 'random', trials: 5 } }),
        ),
      );
    expect(draw({ latent: space.latent }).map((t) => t.hyperparameters.gamma)).toEqual(
      draw({}).map((t) => t.hyperparameters.gamma),
    );
  });
});
