import { AppError, type ProblemIssue, recipeNames, routes, SweepDefinition } from '@funnel/contracts';
import { describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { type Part, parsePart } from '../../src/request/parse-part.ts';

const issuesOf = (schema: z.ZodType, input: unknown, part: Part = 'body'): readonly ProblemIssue[] => {
  try {
    parsePart(part, schema, input);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.details.issues as ProblemIssue[];
  }
};

const sweep = { name: 'x', dataset: { name: 'glyphs' } };
const inSpace = (space: unknown) => issuesOf(SweepDefinition, { ...sweep, space });
const rangeOrList = 'a number, a list or an object';

test('a key that is too long', () => {
  const key = 'x'.repeat(101);
  expect(issuesOf(routes.tryPoint.body, { point: { [key]: 1 } })).toMatchObject([
    { expected: 'a key of at most 100 characters', received: expect.stringContaining('the key "xxx') },
  ]);
});

describe('a value of another type', () => {
  test.each<[object, ProblemIssue]>([
    [
      { dataset: 'pets' },
      { path: 'dataset', expected: 'an object such as { name: pets }', received: '"pets"' },
    ],
    [
      { search: 'random' },
      {
        path: 'search',
        expected: 'an object such as { strategy: random, trials: 20 }',
        received: '"random"',
      },
    ],
    [
      { objective: 'robustAccuracy' },
      {
        path: 'objective',
        expected: 'an object such as { metric: robustAccuracy } or a list',
        received: '"robustAccuracy"',
      },
    ],
    [
      { attacks: 'autoattack' },
      {
        path: 'attacks',
        expected: 'the name of an attack (did you mean "preset:autoattack"?)',
        received: '"autoattack"',
      },
    ],
    [
      { recipes: 'trades', space: { trainingEpsilon: '8/0' } },
      { path: 'space.trainingEpsilon', expected: 'a number, a list or an object', received: '"8/0"' },
    ],
    [
      { space: { classifierEpochs: 'three' } },
      {
        path: 'space.classifierEpochs',
        expected: 'a whole number, a list or an object',
        received: '"three"',
      },
    ],
    [
      { dataset: { name: 'glyphs', train: 'all' } },
      { path: 'dataset.train', expected: 'a whole number', received: '"all"' },
    ],
  ])('%j comes with an example', (change, issue) => {
    expect(issuesOf(SweepDefinition, { ...sweep, ...change })).toEqual([issue]);
  });
});

test.each(['preset:autoattack', 'preset:quick', 'worst'])(
  'an objective on %s says how to rank by it',
  (attack) => {
    expect(issuesOf(SweepDefinition, { ...sweep, objective: { metric: 'robustAccuracy', attack } })).toEqual([
      {
        path: 'objective.attack',
        expected:
          'the name of one attack; leave it out, or leave out the whole objective, to rank by the worst case over all attacks',
        received: JSON.stringify(attack),
      },
    ]);
  },
);

test.each<[object, string, string]>([
  [{ direction: 'maximize' }, 'direction', 'objective: { direction: "max" }'],
  [{ direction: 'min' }, 'direction', 'objective: { direction: "min" }'],
  [{ direction: 'upwards' }, 'direction', 'objective: { direction: "max" or "min" }'],
  [
    { objective: { metric: 'robustAccuracy', direction: 'maximize' } },
    'objective.direction',
    'one of max, min (did you mean "max"?)',
  ],
])('%j: the advice proposes no value that its place refuses', (change, path, expected) => {
  expect(issuesOf(SweepDefinition, { ...sweep, ...change })).toMatchObject([{ path, expected }]);
});

test.each([[{ recipes: ['plain', 'adversarial-train'] }], [{ recipe: 'adversarial-training' }]])(
  'a misspelt hyperparameter of a recipe that is not known stands for one of any recipe: %j',
  (change) => {
    const space = { trainingEps: 0.1, xyzzy: 3 };
    const issues = issuesOf(SweepDefinition, { ...sweep, ...change, space });
    expect(issues.find(({ path }) => path === 'space.trainingEps')!.expected).toBe(
      'a known key (did you mean "trainingEpsilon"?)',
    );
    const all = issues.find(({ path }) => path === 'space.xyzzy')!.expected;
    expect(all).toMatch(/^one of .*gamma, .*trainingEpsilon, .*tradesBeta/);
  },
);

test('a lone attack or preset is a list of it', () => {
  const attacksOf = (attacks: unknown) => SweepDefinition.parse({ ...sweep, attacks }).attacks;
  expect(attacksOf('pgd-linf')).toEqual(attacksOf(['pgd-linf']));
  expect(attacksOf({ attack: 'pgd-linf', epsilon: 0.1 })).toEqual(
    attacksOf([{ attack: 'pgd-linf', epsilon: 0.1 }]),
  );
  expect(attacksOf('preset:autoattack')).toEqual(attacksOf(['preset:autoattack']));
  expect(attacksOf({ preset: 'quick' })).toEqual({ preset: 'quick' });
});

test('a value that breaks two rules about its size is one fault', () => {
  expect(inSpace({ classifierRate: { min: 0, max: 1, count: 3, scale: 'log' } })).toEqual([
    { path: 'space.classifierRate.min', expected: 'min > 0 on a log scale', received: '0' },
  ]);
});

test.each<[unknown, ProblemIssue]>([
  [1e20, { path: 'seeds', expected: 'at most 10000', received: '100000000000000000000' }],
  [[1e20], { path: 'seeds[0]', expected: 'at most 2147483647', received: '100000000000000000000' }],
])('seeds: %j is one fault', (seeds, issue) => {
  expect(issuesOf(SweepDefinition, { ...sweep, seeds })).toEqual([issue]);
});

describe('a fault in a search space', () => {
  test.each<[unknown, ProblemIssue]>([
    [{ gamma: Number.NaN }, { path: 'space.gamma', expected: rangeOrList, received: 'NaN' }],
    [
      { gamma: Number.POSITIVE_INFINITY },
      { path: 'space.gamma', expected: rangeOrList, received: 'Infinity' },
    ],
    [{ gamma: [1, Number.NaN] }, { path: 'space.gamma[1]', expected: 'a number', received: 'NaN' }],
    [{ gamma: [] }, { path: 'space.gamma', expected: 'at least one value', received: 'an empty list' }],
    [{ beta: -1 }, { path: 'space.beta', expected: 'at least 0', received: '-1' }],
    [{ optimiseEpochs: 0 }, { path: 'space.optimiseEpochs', expected: 'at least 1', received: '0' }],
    [
      { optimiseEpochs: [5, 1.5] },
      { path: 'space.optimiseEpochs[1]', expected: 'a whole number', received: '1.5' },
    ],
    [
      { gama: 5 },
      { path: 'space.gama', expected: 'a known key (did you mean "gamma"?)', received: 'the key "gama"' },
    ],
    [
      { lossScale: 'mce' },
      {
        path: 'space.lossScale',
        expected: 'one of mse, half-mse, norm, l1, huber, ssim (did you mean "mse"?)',
        received: '"mce"',
      },
    ],
    [{ gamma: '5' }, { path: 'space.gamma', expected: rangeOrList, received: '"5"' }],
    [{ gamma: { min: 1 } }, { path: 'space.gamma.max', expected: 'a number', received: 'nothing' }],
    [
      { gamma: { min: 2, max: 1, count: 3 } },
      { path: 'space.gamma.max', expected: 'min <= max', received: 'min=2, max=1' },
    ],
    [
      { gamma: { min: 1, max: 2, cuont: 3 } },
      {
        path: 'space.gamma.cuont',
        expected: 'a known key (did you mean "count"?)',
        received: 'the key "cuont"',
      },
    ],
  ])('%j', (space, issue) => {
    expect(inSpace(space)).toEqual([issue]);
  });
});

describe('a fault elsewhere in a sweep', () => {
  test.each<[object, ProblemIssue]>([
    [
      { spcae: {} },
      { path: 'spcae', expected: 'a known key (did you mean "space"?)', received: 'the key "spcae"' },
    ],
    [{ gamma: [1, 5] }, { path: 'gamma', expected: 'space: { gamma: [1,5] }', received: 'the key "gamma"' }],
    [
      { epochs: 3 },
      {
        path: 'epochs',
        expected:
          'space: { classifierEpochs: 3 } (did you mean "initialiseEpochs", "optimiseEpochs" or "classifierEpochs"?)',
        received: 'the key "epochs"',
      },
    ],
    [
      { recipes: 'plain', lr: 0.1 },
      { path: 'lr', expected: 'space: { classifierRate: 0.1 }', received: 'the key "lr"' },
    ],
    [
      { recipes: 'classic', learning_rate: 0.1 },
      {
        path: 'learning_rate',
        expected:
          'space: { classifierRate: 0.1 } (did you mean "initialiseDefenderRate" or "classifierRate"?)',
        received: 'the key "learning_rate"',
      },
    ],
    [
      { batch_size: 64 },
      { path: 'batch_size', expected: 'space: { batchSize: 64 }', received: 'the key "batch_size"' },
    ],
    [{ trials: 20 }, { path: 'trials', expected: 'search: { trials: 20 }', received: 'the key "trials"' }],
    [{ seeds: [] }, { path: 'seeds', expected: 'at least one seed', received: 'an empty list' }],
    [
      { recipes: ['fun'] },
      {
        path: 'recipes[0]',
        expected: `one of ${recipeNames.join(', ')} (did you mean "funn"?)`,
        received: '"fun"',
      },
    ],
    [
      { search: { strategy: 'bayes' } },
      {
        path: 'search.strategy',
        expected: 'one of grid, random, sobol, tpe, gp, nsga2, cma-es, hyperband, successive-halving, asha',
        received: '"bayes"',
      },
    ],
    [
      { search: { strategy: 'random' } },
      { path: 'search.trials', expected: 'a whole number', received: 'nothing' },
    ],
    [
      { attacks: [{ attack: 'fgsm', epsilno: 1 }] },
      {
        path: 'attacks[0].epsilno',
        expected: 'a known key (did you mean "epsilon"?)',
        received: 'the key "epsilno"',
      },
    ],
    [
      { attacks: ['fgsm', { attack: 'fgsm', settings: { epsilon: -1 } }] },
      { path: 'attacks[1].settings.epsilon', expected: 'more than 0', received: '-1' },
    ],
    [
      { attacks: [{ attack: 'fgsm', epsilon: -1 }] },
      { path: 'attacks[0].epsilon', expected: 'more than 0', received: '-1' },
    ],
    [
      { attacks: [{ attack: 'preset:autoattack', epsilno: 1 }] },
      {
        path: 'attacks[0].epsilno',
        expected: 'a known key (did you mean "epsilon"?)',
        received: 'the key "epsilno"',
      },
    ],
    [
      { attacks: [{ attack: 'preset:autoattack', epsilon: -1 }] },
      { path: 'attacks[0].epsilon', expected: 'more than 0', received: '-1' },
    ],
    [
      { dataset: { name: 'glyphs', test: 10, attack: 100 } },
      { path: 'dataset.attack', expected: 'at most 10 (as many as test images)', received: '100' },
    ],
    [
      { recipes: 'classic', space: { gamma: 1 } },
      {
        path: 'space.gamma',
        expected: 'a hyperparameter that classic reads',
        received: 'the key "gamma"',
      },
    ],
    [
      { recipes: ['classic'], space: { learningRate: 1 } },
      {
        path: 'space.learningRate',
        expected: 'a known key (did you mean "initialiseDefenderRate" or "classifierRate"?)',
        received: 'the key "learningRate"',
      },
    ],
    [
      { recipes: ['classic'], space: { trainingEpsilon: 0.3 } },
      {
        path: 'space.trainingEpsilon',
        expected: 'a hyperparameter that classic reads',
        received: 'the key "trainingEpsilon"',
      },
    ],
    [
      { attacks: [{ preset: 'autoatack', epsilon: 0.1 }] },
      {
        path: 'attacks[0].preset',
        expected: 'the name of an attack (did you mean "preset:autoattack"?)',
        received: '"preset:autoatack"',
      },
    ],
    [
      {
        space: { gamma: [1, 5] },
        search: { strategy: 'tpe', trials: 4, constraints: ['cleanAcuracy >= 0.9'] },
      },
      {
        path: 'search.constraints[0]',
        expected:
          'a condition such as `cleanAccuracy >= 0.95`, `pgd-linf robustAccuracy > 0.2` or `verdict != masked` ("cleanAcuracy" is unknown: did you mean "cleanAccuracy"?)',
        received: '"cleanAcuracy >= 0.9"',
      },
    ],
    [
      {
        space: { gamma: [1, 5] },
        search: { strategy: 'tpe', trials: 4, constraints: ['pgd robustAccuracy > 0.2'] },
      },
      {
        path: 'search.constraints[0]',
        expected:
          'a condition such as `cleanAccuracy >= 0.95`, `pgd-linf robustAccuracy > 0.2` or `verdict != masked` ("pgd" is unknown: did you mean "pgd-linf" or "pgd-l2"?)',
        received: '"pgd robustAccuracy > 0.2"',
      },
    ],
  ])('%j', (change, issue) => {
    expect(issuesOf(SweepDefinition, { ...sweep, ...change })).toEqual([issue]);
  });

  test('the refusal of an unknown attack lists those that it resembles, or else all', () => {
    expect(issuesOf(SweepDefinition, { ...sweep, attacks: ['pgd'] })).toEqual([
      {
        path: 'attacks[0]',
        expected: 'the name of an attack (did you mean "pgd-linf" or "pgd-l2"?)',
        received: '"pgd"',
      },
    ]);
    const [issue] = issuesOf(SweepDefinition, { ...sweep, attacks: ['zzz'] });
    expect(issue).toMatchObject({ path: 'attacks[0]', received: '"zzz"' });
    expect(issue!.expected).toMatch(/^the name of an attack \(There are: .*fgsm/);
  });

  test('no body at all', () => {
    expect(issuesOf(SweepDefinition, undefined)).toEqual([
      { path: 'body', expected: 'an object', received: 'nothing' },
    ]);
  });

  test('a refusal lists all faults, 50 at most', () => {
    const many = { ...sweep, space: { gamma: Array.from({ length: 9000 }, () => 'x') } };
    expect(issuesOf(SweepDefinition, many)).toHaveLength(50);
    expect(issuesOf(SweepDefinition, { nmae: 'x' }).map(({ path }) => path)).toEqual([
      'name',
      'dataset',
      'nmae',
    ]);
  });

  test('a refusal shows at most a line of a received value', () => {
    const [issue] = inSpace({ lossScale: 'x'.repeat(10_000) });
    expect(issue!.received.length).toBeLessThan(110);
  });
});

describe('a fault in an address', () => {
  const { query } = routes.leaderboard;
  test.each<[object, ProblemIssue]>([
    ...['x', '1e3', '0x10', ' 10', '', '1.0'].map((limit): [object, ProblemIssue] => [
      { limit },
      { path: 'limit', expected: 'a whole number in digits', received: JSON.stringify(limit) },
    ]),
    [{ limit: '1001' }, { path: 'limit', expected: 'at most 1000', received: '"1001"' }],
    [
      { where: 'gamma' },
      {
        path: 'where',
        expected: 'hyperparameter:value or hyperparameter:min..max, such as gamma:1..5',
        received: '"gamma"',
      },
    ],
    [
      { page: '2' },
      {
        path: 'page',
        expected:
          'one of attack, metric, recipe, dataset, sweep, tag, where, group, rungs, masked, limit, cursor',
        received: 'the key "page"',
      },
    ],
    [
      { sweep: 'a\0b' },
      {
        path: 'sweep',
        expected: 'text without NUL and without half surrogate pairs',
        received: String.raw`"a\u0000b"`,
      },
    ],
  ])('%j', (given, issue) => {
    expect(issuesOf(query, given, 'query')).toEqual([issue]);
  });
});

describe('the value of a misspelt key', () => {
  const facts = (input: object) =>
    issuesOf(SweepDefinition, { ...sweep, ...input }).map(({ path, expected }) => `${path}: ${expected}`);

  test('has its faults in the same round', () => {
    expect(facts({ recipe: 'adversarial-train' })).toEqual([
      'recipe: a known key (did you mean "recipes"?)',
      `recipe: one of ${recipeNames.join(', ')} (did you mean "adversarial-training"?)`,
    ]);
    expect(facts({ recipe: ['plain', 'adversarial-train'] })[1]).toMatch(/^recipe\[1\]: one of /);
    const learningRate = { min: 0.001, max: 0.01, scale: 'logarithmic' };
    expect(facts({ recipes: 'classic', space: { learningRate } })).toEqual([
      'space.learningRate: a known key (did you mean "initialiseDefenderRate" or "classifierRate"?)',
      expect.stringMatching(/^space\.learningRate\.scale: one of linear, log/),
    ]);
  });

  test('has none where a key that may be meant takes it, or where it has another type', () => {
    expect(facts({ recipe: 'trades' })).toHaveLength(1);
    expect(facts({ recipes: 'classic', space: { learningRate: { min: 0.001, max: 0.01 } } })).toHaveLength(1);
    expect(facts({ serch: 'random' })).toHaveLength(1);
  });
});
