import { AppError, SweepDefinition, type SweepInput } from '@funnel/contracts';
import { countPlan } from '@funnel/planner';
import { describe, expect, it } from 'vitest';
import { outlineSearch } from '../src/outline-search.ts';
import { definitionOf } from './support/simulated-search.ts';

const fidelity = { hyperparameter: 'optimiseEpochs', min: 1, max: 27 };
const planOf = (input: Partial<SweepInput>) => outlineSearch(definitionOf(input), '1');

describe('the plan of a search', () => {
  it('of Hyperband has the brackets of its paper, and says what promotion saves', () => {
    const { search, outline } = planOf({ search: { strategy: 'hyperband', trials: 49, fidelity }, seeds: 2 });
    // Brackets of 27, 12, 6 and 4: rung 0 has 27 units; rung 1 9 + 12; rung 2 3 + 4 + 6; rung 3 1 + 1 + 2 + 4.
    const units = [27, 21, 13, 8];
    const epochs = [1, 3, 9, 27];
    expect(search.rungs).toEqual(units.map((count, rung) => ({ epochs: epochs[rung], units: count })));
    expect(search).toMatchObject({ configurations: 49, decisions: 69, notes: [] });
    // Each seed has one initialisation of 9 epochs, and a classifier of 20 epochs for each unit. A configuration trains up to its highest rung.
    const highest = [27 - 9, 21 - 7, 13 - 4, 8];
    const optimised = highest.reduce((sum, count, rung) => sum + count * epochs[rung]!, 0);
    expect(search.epochsAtMost).toBe(2 * (9 + optimised + 69 * 20));
    expect(search.epochsWithoutPromotion).toBe(2 * (9 + 49 * (27 + 20)));
    expect(outline.counts.trials).toBe(2 * 69);
    const { plan } = countPlan(outline, new Map(), []);
    // Below the highest rung one attack, at it two.
    expect(plan.stages.attack.total).toBe(2 * (61 + 8 * 2));
    expect(plan.epochs).toMatchObject({ needed: search.epochsAtMost, cached: 0 });
  });

  it('says that a bracket is cut short, that ASHA depends on the results, and that the search may stop', () => {
    const notes = (search: SweepInput['search'], input: Partial<SweepInput> = {}) =>
      planOf({ search, ...input }).search.notes;
    expect(notes({ strategy: 'hyperband', trials: 30, fidelity })).toEqual([
      'The last bracket is cut short, so it promotes nothing. With 9 more trials it is complete.',
    ]);
    const hyperband = { strategy: 'hyperband', trials: 30, fidelity } as const;
    expect(notes(hyperband, { space: { gamma: [1, 2, 3] } })).toEqual([
      'The space has only 3 points, so the search proposes no more.',
      'The last bracket is cut short, so it promotes nothing. It needs 24 more points.',
    ]);
    const random = 'ASHA promotes as results come, so the numbers of its rungs are those of random results.';
    for (const changes of [
      { trials: 9, parallelism: 1 },
      { trials: 100, parallelism: 1000 },
    ])
      expect(notes({ strategy: 'asha', fidelity, ...changes })).toEqual([
        random,
        'It knows few outcomes when it proposes its last configuration, so no configuration may reach the highest rung. More trials or a smaller parallelism help.',
      ]);
    expect(notes({ strategy: 'asha', trials: 60, fidelity, stop: { hours: 1 } })).toEqual([
      'ASHA promotes as results come, so the numbers of its rungs are those of random results.',
      'The search may stop earlier, by a rule of `search.stop`.',
    ]);
    expect(notes({ strategy: 'tpe', trials: 30 }, { space: { gamma: [1, 2, 3] } })).toEqual([
      'The space has only 3 points, so the search proposes no more.',
    ]);
  });

  it('without promotion counts each configuration once', () => {
    const { search, outline } = planOf({ search: { strategy: 'sobol', trials: 16 }, seeds: 3 });
    expect(search).toEqual({
      configurations: 16,
      decisions: 16,
      rungs: [],
      epochsAtMost: 3 * (9 + 16 * (31 + 20)),
      epochsWithoutPromotion: null,
      notes: [],
    });
    expect(outline.counts.trials).toBe(48);
  });
});

/** The path of each issue: of the schema, or of the search. */
const pathsOf = (input: Partial<SweepInput>): readonly string[] => {
  const whole = { name: 'test', dataset: { name: 'glyphs' }, attacks: ['pgd-linf'], ...input };
  const { data, error } = SweepDefinition.safeParse(whole);
  if (error) return error.issues.map(({ path }) => path.join('.').replace(/\.(\d+)/g, '[$1]'));
  try {
    outlineSearch(data, '1');
  } catch (caught) {
    if (caught instanceof AppError)
      return (caught.details.issues as { path: string }[]).map(({ path }) => path);
    throw caught;
  }
  return [];
};
const space = { gamma: { min: 1, max: 10 }, beta: { min: 0.001, max: 0.1 } };
const asha = { strategy: 'asha', trials: 20, fidelity } as const;

describe('a search that nobody can make', () => {
  it.each<[string, Partial<SweepInput>, readonly string[]]>([
    ['nothing wrong', { space, search: asha }, []],
    [
      'a range without ends',
      { space: { gamma: { min: 1 } as never }, search: { strategy: 'gp', trials: 20 } },
      ['space.gamma'],
    ],
    [
      'a fidelity that a recipe does not read',
      { space: { classifierRate: [1e-3, 1e-2] }, recipes: ['funn', 'trades'], search: asha },
      ['search.fidelity.hyperparameter'],
    ],
    [
      'a fidelity that counts no epochs',
      { space, search: { ...asha, fidelity: { ...fidelity, hyperparameter: 'latent' } } },
      ['search.fidelity.hyperparameter'],
    ],
    [
      'a fidelity in the space',
      { space: { ...space, optimiseEpochs: [9, 27] }, search: asha },
      ['space.optimiseEpochs'],
    ],
    [
      'more epochs than the hyperparameter may have',
      { space, search: { ...asha, fidelity: { hyperparameter: 'classifierEpochs', min: 1, max: 20_000 } } },
      ['search.fidelity.max'],
    ],
    ['one rung', { space, search: { ...asha, fidelity: { ...fidelity, min: 10 } } }, ['search.fidelity.max']],
    ['η of 1', { space, search: { ...asha, eta: 1 } }, ['search.eta']],
    ['one trial', { space, search: { strategy: 'tpe', trials: 1 } }, ['search.trials']],
    [
      'too many trials for a Gaussian process',
      { space, search: { strategy: 'gp', trials: 501 } },
      ['search.trials'],
    ],
    [
      'an objective that no attack gives',
      { space, search: asha, objective: { attack: 'fmn-l2', metric: 'medianL2' } },
      ['objective.attack'],
    ],
    [
      'one of several objectives that no attack gives',
      {
        space,
        search: asha,
        objective: [{ metric: 'cleanAccuracy' }, { attack: 'fmn-l2', metric: 'medianL2' }],
      },
      ['objective[1].attack'],
    ],
    [
      'a constraint that no attack gives',
      { space, search: { ...asha, constraints: ['verdict != masked', 'fmn-l2 medianL2 > 1'] } },
      ['search.constraints[1]'],
    ],
    [
      'a constraint that is none',
      { space, search: { ...asha, constraints: ['cleanAccuracy = 1'] } },
      ['search.constraints[0]'],
    ],
    ['a space with one point', { space: { gamma: [5] }, search: { strategy: 'tpe', trials: 20 } }, ['space']],
    [
      'two objectives for a Gaussian process',
      {
        space,
        search: { strategy: 'gp', trials: 20 },
        objective: [{ metric: 'cleanAccuracy' }, { metric: 'robustAccuracy' }],
      },
      ['objective'],
    ],
    [
      'categories for CMA-ES',
      {
        space: { ...space, initializer: ['heNormal', 'glorotNormal'] },
        search: { strategy: 'cma-es', trials: 20 },
      },
      ['space.initializer'],
    ],
    [
      'a recipe for CMA-ES',
      {
        space: { classifierRate: { min: 1e-4, max: 1e-2 } },
        recipes: ['funn', 'classic'],
        search: { strategy: 'cma-es', trials: 20 },
      },
      ['recipes'],
    ],
    [
      'several recipes that do not read the same, for CMA-ES as a sampler',
      { space, recipes: ['funn', 'classic'], search: { ...asha, sampler: 'cma-es' } },
      ['recipes'],
    ],
    ['a transfer attack', { space, search: asha, attacks: ['transfer-linf'] }, ['attacks']],
    [
      'a point with an unknown name',
      { space, search: { ...asha, try: [{ gamma: 5, beta: 0.01, latent: 8 }] } },
      ['search.try[0].latent'],
    ],
    [
      'a point outside of the space',
      {
        space,
        search: {
          ...asha,
          try: [
            { gamma: 5, beta: 0.01 },
            { gamma: 11, beta: 0.01 },
          ],
        },
      },
      ['search.try[1].gamma'],
    ],
    ['a point with a missing value', { space, search: { ...asha, try: [{ gamma: 5 }] } }, ['search.try[0]']],
    [
      'a recipe that the sweep has not',
      { space, recipes: ['funn', 'classic'], search: { ...asha, try: [{ recipe: 'magnet' }] } },
      ['search.try[0].recipe'],
    ],
    [
      'an unknown strategy',
      { space, search: { strategy: 'bayes', trials: 3 } as never },
      ['search.strategy'],
    ],
    ['parallelism 0', { space, search: { ...asha, parallelism: 0 } }, ['search.parallelism']],
  ])('is refused by path: %s', (_, input, paths) => {
    expect(pathsOf(input)).toEqual(paths);
  });
});
