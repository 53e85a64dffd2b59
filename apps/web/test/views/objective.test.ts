import { SweepDefinition, type SweepInput, type Trial } from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { firstChoice } from '../../src/views/sweep/chosen.ts';
import {
  attackOptions,
  createObjective,
  defaultObjective,
  ranked,
  resultOf,
  varyingKnobs,
} from '../../src/views/sweep/objective.ts';
import { createWorld } from '../fake-api/world.ts';

const define = (more: Partial<SweepInput>) =>
  SweepDefinition.parse({ name: 'x', dataset: { name: 'glyphs', attack: 100 }, ...more });

const trials = (): { trials: Trial[]; definition: SweepDefinition } => {
  const world = createWorld();
  const sweep = world.addSweep(
    {
      name: 'x',
      dataset: { name: 'mnist', attack: 200 },
      recipes: ['funn', 'classic'],
      space: { gamma: [0.5, 5, 50] },
      seeds: 2,
    },
    { done: 1 },
  );
  return {
    trials: sweep.planned.map(({ number }) => world.trialOf(sweep, number)),
    definition: sweep.definition,
  };
};

describe('what trials are judged by', () => {
  it('is what the sweep declares', () => {
    const objective = defaultObjective(define({ objective: { attack: 'fmn-l2', metric: 'medianL2' } }));
    expect(objective).toMatchObject({ metric: 'medianL2' });
    expect(objective.attack).toMatch(/^fmn-l2/);
  });

  it('is else the first attack that is held to an ε, whose robust accuracy means something', () => {
    const objective = defaultObjective(
      define({ attacks: ['deepfool-l2', { attack: 'pgd-linf', epsilon: 0.1 }] }),
    );
    expect(objective.attack).toMatch(/^pgd-linf/);
    expect(objective.metric).toBe('robustAccuracy');
  });

  it('is the distance where there are only attacks without an ε', () => {
    expect(defaultObjective(define({ attacks: ['deepfool-linf'] })).metric).toBe('medianLinf');
  });

  it('reads each trial by that attack, and over all attacks the one that leaves the least', () => {
    const { trials: all, definition } = trials();
    const trial = all.find(({ evaluations }) => evaluations.length > 0)!;
    for (const { key } of attackOptions(definition)) {
      const index = attackOptions(definition).findIndex((option) => option.key === key);
      expect(resultOf(trial, createObjective(key, 'noiseLevel')).value).toBe(
        trial.evaluations[index]!.summary.noiseLevel,
      );
    }
    const bounded = ['fgsm', 'pgd-linf', 'pgd-l2'];
    const least = Math.min(
      ...trial.evaluations
        .filter(({ attack }) => bounded.includes(attack))
        .map(({ summary }) => summary.robustAccuracy),
    );
    expect(resultOf(trial, createObjective('', 'robustAccuracy')).value).toBe(least);
  });
});

describe('the first choice', () => {
  it('is the three best, and the best of the recipe that is missing among them', () => {
    const { trials: all, definition } = trials();
    const objective = createObjective(defaultObjective(definition).attack, 'robustAccuracy');
    const results = all.map((trial) => resultOf(trial, objective));
    const numbers = firstChoice(results, objective);
    const order = ranked(
      results.filter(({ value }) => value !== null),
      'max',
    );
    expect(numbers.slice(0, 3)).toEqual(order.slice(0, 3).map(({ trial }) => trial.number));
    expect(new Set(numbers.map((number) => all[number]!.recipe))).toEqual(new Set(['funn', 'classic']));
  });

  it('never ranks a masked run above one that is not', () => {
    const { trials: all } = trials();
    const results = all.map((trial, i) => ({
      trial,
      value: i,
      interval: null,
      clean: null,
      masked: i % 2 === 0,
    }));
    const masked = ranked(results, 'max').map((result) => result.masked);
    expect(masked).toEqual([...masked].sort((a, b) => Number(a) - Number(b)));
  });
});

it('finds the knobs that vary', () => {
  expect(varyingKnobs(trials().trials)).toEqual(['gamma']);
});
