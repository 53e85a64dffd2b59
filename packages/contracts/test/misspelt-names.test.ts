import { expect, it } from 'vitest';
import { explainable, explainIssues } from '../src/explain-issues.ts';
import { SweepDefinition } from '../src/index.ts';

/** `path: expected, got received` of each fault of a sweep with these parts. */
const faultsOf = (parts: object): readonly string[] => {
  const body = { name: 'a sweep', dataset: { name: 'glyphs' }, ...parts };
  const { error } = SweepDefinition.safeParse(body, explainable);
  if (!error) return [];
  const { issues, faults } = explainIssues(error, SweepDefinition, body, 'body');
  expect(faults).toBe(issues.length);
  return issues.map(({ path, expected, received }) => `${path}: ${expected}, got ${received}`);
};

const eps = 'a known key (did you mean "epsilon"?), got the key "eps"';
const autoattack = 'the name of an attack (did you mean "preset:autoattack"?), got';

it.each([
  [
    { attacks: [{ attack: 'autoattack', eps: 0.1, steps: 'x' }] },
    [
      `attacks[0].attack: ${autoattack} "autoattack"`,
      'attacks[0].steps: a number, got "x"',
      `attacks[0].eps: ${eps}`,
    ],
  ],
  [
    { attacks: { preset: 'autoatack', eps: 0.1 } },
    [`attacks.preset: ${autoattack} "preset:autoatack"`, `attacks.eps: ${eps}`],
  ],
  [{ attacks: [{ preset: 'autoattack', eps: 0.1 }] }, [`attacks[0].eps: ${eps}`]],
  [
    { attacks: [{ attack: 'fgsmm', settings: { epsilon: 'x' } }] },
    [
      'attacks[0].attack: the name of an attack (did you mean "fgsm"?), got "fgsmm"',
      'attacks[0].settings.epsilon: a number, got "x"',
    ],
  ],
  [
    { attacks: [{ atack: 'pgd-linf', eps: 0.1 }] },
    ['attacks[0].atack: a known key (did you mean "attack"?), got the key "atack"', `attacks[0].eps: ${eps}`],
  ],
  [
    { attacks: [{ preset: 'fgsm' }] },
    ['attacks[0].preset: the name of an attack (did you mean attack: fgsm?), got "preset:fgsm"'],
  ],
  [
    { search: { strategi: 'tpe', trialz: 10 } },
    [
      'search.strategi: a known key (did you mean "strategy"?), got the key "strategi"',
      'search.trials: a whole number, got nothing',
      'search.trialz: a known key (did you mean "trials"?), got the key "trialz"',
    ],
  ],
])('explains %j in one answer', (parts, faults) => expect(faultsOf(parts)).toEqual(faults));

it('says nothing about keys that one of the possible names has', () => {
  expect(faultsOf({ attacks: [{ attack: 'pgd', epsilon: '8/255' }] })).toEqual([
    'attacks[0].attack: the name of an attack (did you mean "pgd-linf" or "pgd-l2"?), got "pgd"',
  ]);
  expect(faultsOf({ search: { strategy: 'bayes', trials: 'x' } })).toEqual([
    'search.strategy: one of grid, random, sobol, tpe, gp, nsga2, cma-es, hyperband, successive-halving, asha, got "bayes"',
  ]);
});
