/** The text of a plan: everything that will run, and an honest time. */
import type { Plan } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { describePlan } from '../src/output/plan.ts';

const plan: Plan = {
  trials: 4,
  stages: {
    initialise: { total: 1, cached: 1 },
    optimise: { total: 2, cached: 0 },
    classify: { total: 4, cached: 0 },
    attack: { total: 8, cached: 0 },
  },
  epochs: { unshared: 57, needed: 40, cached: 5 },
  sharing: 57 / 45,
  space: [{ hyperparameter: 'gamma', asked: 2, different: 2, values: [1, 5], continuous: null }],
  leftOut: ['seeds: 3 asked for, 2 different'],
  runs: {
    recipes: ['funn'],
    dataset: { name: 'glyphs', train: 2000, test: 1000, attack: 200, classes: 10 },
    seeds: [0, 1],
    attacks: [
      { attack: 'pgd-linf', settings: { epsilon: 0.1, steps: 7 } },
      { attack: 'square-linf', settings: { epsilon: 0.1 } },
    ],
    defaults: { latent: 64, batchSize: 128 },
  },
  estimate: {
    ...{ parameters: 51_297, trainerBytes: 265e6, storedBytes: 1.6e6, attackQueries: 552_000 },
    ...{ seconds: 185, unmeasured: [], slots: 2 },
  },
};
const lines = (changes: Partial<NonNullable<Plan['estimate']>> = {}, width?: number): string[] =>
  describePlan({ ...plan, estimate: { ...plan.estimate!, ...changes } }, width).split('\n');

describe('a plan', () => {
  it('shows the data set with its numbers of images, recipes, seeds, values, defaults and attacks with their settings', () => {
    expect(lines().slice(0, 16)).toEqual([
      '4 trials',
      '',
      'data      glyphs: 2,000 training, 1,000 test, at most 200 attacked images; 10 classes',
      'recipes   funn',
      'seeds     0, 1',
      '',
      'hyperparameter  values',
      'gamma           1, 5',
      '',
      'seeds: 3 asked for, 2 different',
      '',
      'defaults  latent=64 batchSize=128',
      '',
      'attack       settings',
      'pgd-linf     epsilon=0.1 steps=7',
      'square-linf  epsilon=0.1',
    ]);
  });

  it('says which recipes read which hyperparameter, where not all read each', () => {
    const [gamma] = plan.space!;
    const space = [gamma!, { ...gamma!, hyperparameter: 'latent', values: [32, 64] }];
    const textOf = (recipes: NonNullable<Plan['runs']>['recipes']) =>
      describePlan({ ...plan, space, runs: { ...plan.runs!, recipes } })
        .split('\n')
        .slice(6, 9);
    expect(textOf(['funn', 'classic', 'plain'])).toEqual([
      'hyperparameter  read by      values',
      'gamma           funn         1, 5',
      'latent          all recipes  32, 64',
    ]);
    expect(textOf(['funn'])).toEqual([
      'hyperparameter  values',
      'gamma           1, 5',
      'latent          32, 64',
    ]);
  });

  it('says how many epochs sharing and earlier sweeps save', () => {
    expect(lines()).toContain(
      'epochs    40 to train; 57 without sharing: trials share 12 (1.267×), 5 are done',
    );
  });

  it('says how much is in progress or waits in other sweeps, and in which', () => {
    const awaiting = (epochs: number, attacks: number, ...names: string[]): string | undefined => {
      const sweeps = names.map((name) => ({ id: name, name, status: 'paused' as const }));
      const whole = { ...plan, awaited: { epochs, attacks, sweeps } };
      return describePlan(whole)
        .split('\n')
        .find((line) => line.startsWith('epochs'));
    };
    expect(awaiting(4, 8, 'P1')).toBe(
      'epochs    40 to train; 4 more are in progress or wait in another sweep: P1 (paused); 57 without sharing: trials share 12 (1.267×), 1 is done',
    );
    expect(awaiting(5, 0, 'A', 'B', 'C', 'D')).toBe(
      'epochs    40 to train; 5 more are in progress or wait in other sweeps: A (paused), B (paused), C (paused), 1 more; 57 without sharing: trials share 12 (1.267×)',
    );
    expect(awaiting(0, 1, 'P1')).toContain(
      '; 1 attack is in progress or waits in another sweep: P1 (paused);',
    );
  });

  it.each<[Partial<NonNullable<Plan['estimate']>>, string]>([
    [{}, 'time      about 3 min 5 s on 2 trainers, at the speed of the last stages here'],
    [
      { seconds: null, unmeasured: ['optimise funn', 'attack square-linf'] },
      'time      no measurement yet: nothing here has run optimise funn, attack square-linf',
    ],
    [{ seconds: 1195 }, 'time      about 20 min on 2 trainers, at the speed of the last stages here'],
    [
      { otherSizes: ['smaller'] },
      'time      about 3 min 5 s on 2 trainers, at the speed of the last stages here; rough: measured on smaller networks',
    ],
    [
      { otherSettings: ['pgd-linf', 'square-linf'] },
      'time      about 3 min 5 s on 2 trainers, at the speed of the last stages here; rough: measured with other settings of pgd-linf, square-linf',
    ],
    [
      { otherSizes: ['smaller'], otherSettings: ['pgd-linf'] },
      'time      about 3 min 5 s on 2 trainers, at the speed of the last stages here; rough: measured on smaller networks and with other settings of pgd-linf',
    ],
    [{ seconds: null, slots: 0 }, 'time      not known: no worker is online'],
  ])('has an honest time', (changes, line) => {
    expect(lines(changes)).toContain(line);
  });

  it('leaves out kinds of stages that the sweep does not have', () => {
    const none = { total: 0, cached: 0 };
    const stages = { initialise: none, optimise: none, classify: { total: 4, cached: 1 }, attack: none };
    const shown = describePlan({ ...plan, stages }).split('\n');
    const at = shown.findIndex((line) => line.startsWith('stage '));
    expect(shown.slice(at, at + 3)).toEqual([
      'stage     number  done or in progress',
      'classify       4                    1',
      '',
    ]);
  });

  it('fits a terminal', () => {
    for (const line of lines({}, 80)) expect(line.length).toBeLessThanOrEqual(80);
  });
});
