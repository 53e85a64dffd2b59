import { AppError, defaultHyperparameters, hyperparametersOf, type SweepInput } from '@funnel/contracts';
import type { EarlierConfiguration, EarlierSweep, UnitTrial } from '@funnel/db';
import { describe, expect, it } from 'vitest';
import { earlierOf } from '../src/earlier.ts';
import { searchOf } from '../src/search-of.ts';
import { definitionOf } from './support/simulated-search.ts';

const tpe = { strategy: 'tpe', trials: 20 } as const;
const trial = (seed: number, value: number | null, changes: Partial<UnitTrial> = {}): UnitTrial => ({
  id: `t${seed}`,
  seed,
  status: 'completed',
  verdict: 'ok',
  values: [value],
  ...changes,
});
const configuration = (
  changes: Readonly<Record<string, number | string>>,
  trials: readonly UnitTrial[] = [trial(0, 0.5)],
  recipe: 'funn' | 'classic' = 'funn',
): EarlierConfiguration => ({
  sweepId: 'a',
  recipe,
  hyperparameters: Object.fromEntries(
    hyperparametersOf(recipe).map((name) => [
      name,
      changes[name] ?? { ...defaultHyperparameters, beta: 0.01 }[name],
    ]),
  ),
  trials,
});
const sweep = (
  configurations: readonly EarlierConfiguration[],
  input: Partial<SweepInput> = {},
): EarlierSweep => ({
  sweepId: 'a',
  definition: definitionOf({ search: { strategy: 'random', trials: 10 }, ...input }),
  configurations,
});
const issueOf = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    if (error instanceof AppError)
      return (error.details.issues as { path: string; expected: string; received: string }[])[0]!;
    throw error;
  }
  throw new Error('Expected a refusal');
};

describe('a search learns', () => {
  it('the points and means of an earlier sweep, with the variance of the mean', () => {
    const earlier = earlierOf(definitionOf({ search: tpe }), [
      sweep([
        configuration({ gamma: 2 }, [trial(0, 0.4), trial(1, 0.6)]),
        configuration({ gamma: 3 }, [trial(0, null, { status: 'diverged' })]),
      ]),
    ]);
    expect(earlier).toEqual([
      { point: { gamma: 2, beta: 0.01 }, values: [0.5], variances: [expect.closeTo(0.01, 12)] },
      { point: { gamma: 3, beta: 0.01 }, values: null },
    ]);
    // As the database keeps them.
    const stored = JSON.parse(JSON.stringify(earlier));
    expect(searchOf(definitionOf({ search: tpe }), { earlier: stored, handPoints: [] }).earlier).toEqual([
      {
        point: { gamma: 2, beta: 0.01 },
        outcome: { status: 'measured', utilities: [0.5], variances: [expect.closeTo(0.01, 12)] },
      },
      { point: { gamma: 3, beta: 0.01 }, outcome: { status: 'bad' } },
    ]);
  });

  it('infinite values, and utilities of the present direction', () => {
    const input = { objective: { attack: 'fmn-l2', metric: 'medianL2', direction: 'min' } } as const;
    const definition = definitionOf({ search: tpe, ...input });
    const earlier = earlierOf(definition, [
      sweep([configuration({ gamma: 2 }, [trial(0, Number.POSITIVE_INFINITY)])], input),
    ]);
    expect(earlier).toEqual([{ point: { gamma: 2, beta: 0.01 }, values: ['Infinity'] }]);
    expect(searchOf(definition, { earlier, handPoints: [] }).earlier[0]!.outcome).toEqual({
      status: 'measured',
      utilities: [Number.NEGATIVE_INFINITY],
    });
  });

  it('only what this sweep could have found: points of its space, its other hyperparameters, its recipes, the top of the fidelity', () => {
    const definition = definitionOf({
      search: {
        strategy: 'asha',
        trials: 20,
        fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 27 },
      },
    });
    const earlier = earlierOf(definition, [
      sweep([
        configuration({ gamma: 20, optimiseEpochs: 27 }), // outside of the space
        configuration({ gamma: 2, optimiseEpochs: 27, latent: 8 }),
        configuration({ gamma: 3, optimiseEpochs: 31 }),
        configuration({ optimiseEpochs: 27 }, [trial(0, 0.5)], 'classic'),
        configuration({ gamma: 4, optimiseEpochs: 27 }),
        configuration({ gamma: 5, optimiseEpochs: 27 }, [trial(0, null)]), // without a value
      ]),
    ]);
    expect(earlier).toEqual([{ point: { gamma: 4, beta: 0.01 }, values: [0.5] }]);
  });
});

describe('a sweep that teaches nothing is refused by path', () => {
  const definition = definitionOf({ search: tpe });
  const good = sweep([configuration({ gamma: 2 })]);

  it('for other data', () => {
    const other = sweep([configuration({ gamma: 2 })], { dataset: { name: 'glyphs', attack: 500 } });
    const { path, expected, received } = issueOf(() => earlierOf(definition, [good, other]));
    expect(path).toBe('search.from[1]');
    expect(expected).toMatch(/^a sweep with the same data: .* and 1000 attacked images of glyphs/);
    expect(received).toMatch(/and 500 attacked images of glyphs/);
  });

  it.each<[string, Partial<SweepInput>]>([
    ['another metric', { objective: { attack: 'pgd-linf', metric: 'successRate' } }],
    ['another direction', { objective: { attack: 'pgd-linf', metric: 'robustAccuracy', direction: 'min' } }],
    ['other settings of the attack', { attacks: [{ attack: 'pgd-linf', steps: 7 }, 'fmn-l2'] }],
    [
      'more objectives',
      { objective: [{ attack: 'pgd-linf', metric: 'robustAccuracy' }, { metric: 'cleanAccuracy' }] },
    ],
  ])('for %s', (_, input) => {
    const { path, expected } = issueOf(() =>
      earlierOf(definition, [sweep([configuration({ gamma: 2 })], input)]),
    );
    expect([path, expected]).toEqual([
      'search.from[0]',
      'a sweep with the same objectives and the same settings of their attacks: max pgd-linf robustAccuracy',
    ]);
  });

  it('for another worst case: it is over other attacks', () => {
    const objective = { metric: 'robustAccuracy' } as const;
    const worst = definitionOf({ search: tpe, objective });
    expect(earlierOf(worst, [sweep([configuration({ gamma: 2 })], { objective })])).toHaveLength(1);
    const fewer = sweep([configuration({ gamma: 2 })], { objective, attacks: ['pgd-linf'] });
    expect(issueOf(() => earlierOf(worst, [fewer])).path).toBe('search.from[0]');
  });

  it('for no trial at a point of the space', () => {
    expect(issueOf(() => earlierOf(definition, [sweep([configuration({ gamma: 20 })])]))).toMatchObject({
      path: 'search.from[0]',
      received: '1 configurations, none of them like this',
    });
  });
});
