import {
  type ExtendedNumber,
  evaluationMetricNames,
  SweepDefinition,
  type SweepInput,
  type Trial,
} from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import {
  attackOptions,
  betterOf,
  createObjective,
  defaultObjective,
  firstChoice,
  ranked,
  resultOf,
  usualMetricFor,
  varyingHyperparameters,
  worstCaseTitle,
} from '../../src/statistics/objective.ts';
import { columnsOf, resultsFirst, sortResults } from '../../src/views/sweep/trial-columns.tsx';
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

describe('the objective', () => {
  it('is the one that the sweep declares', () => {
    const objective = defaultObjective(define({ objective: { attack: 'fmn-l2', metric: 'medianL2' } }));
    expect(objective).toMatchObject({ metric: 'medianL2' });
    expect(objective.attack).toMatch(/^fmn-l2/);
  });

  it('is otherwise the worst case over all attacks, or the only attack', () => {
    const several = defaultObjective(
      define({ attacks: ['deepfool-l2', { attack: 'pgd-linf', epsilon: 0.1 }] }),
    );
    expect(several).toEqual({ attack: '', metric: 'robustAccuracy', direction: 'max' });
    expect(defaultObjective(define({ attacks: ['deepfool-linf', 'cw-l2'] }))).toEqual({
      attack: '',
      metric: 'medianLinf',
      direction: 'max',
    });
    const one = defaultObjective(define({ attacks: ['deepfool-linf'] }));
    expect(one.attack).toMatch(/^deepfool-linf/);
    expect(one.metric).toBe('medianLinf');
  });

  it('has the declared direction, and another metric its usual one', () => {
    const declared = defaultObjective(define({ objective: { metric: 'medianL2', direction: 'min' } }));
    expect(createObjective('', 'medianL2', declared).direction).toBe('min');
    expect(createObjective('', 'medianLinf', declared).direction).toBe('max');
    expect(createObjective('', 'medianL2').direction).toBe('max');
  });

  it('is the first of several', () => {
    const objective = [{ metric: 'cleanAccuracy' as const }, { metric: 'robustAccuracy' as const }];
    expect(defaultObjective(define({ objective }))).toEqual({
      ...{ attack: '', metric: 'cleanAccuracy', direction: 'max' },
    });
  });

  it('has a value under the chosen attack: a distance for an attack without a fixed ε', () => {
    const options = attackOptions(define({ attacks: ['deepfool-linf', 'pgd-l2', 'fmn-l2'] }));
    const metrics = options.map(({ key }) => usualMetricFor(options, key));
    expect(metrics).toEqual(['medianLinf', 'robustAccuracy', 'medianL2']);
    expect(usualMetricFor(options, '')).toBe('robustAccuracy');
    expect(usualMetricFor([options[0]!, options[2]!], '')).toBe('medianLinf');
  });

  it('names the balls of the worst case', () => {
    const { definition } = trials();
    const runs = attackOptions(definition).map(({ spec }) => spec);
    const within = 'Worst case over all attacks, within L∞ 0.3 or L2 2';
    expect(worstCaseTitle(runs, 'robustAccuracy')).toBe(within);
    expect(worstCaseTitle(runs, 'successRate')).toBe(within);
    // A median is over changes of any size.
    expect(worstCaseTitle(runs, 'medianL2')).toBe('Worst case over all attacks');
    const unlimited = attackOptions(define({ attacks: ['cw-l2'] })).map(({ spec }) => spec);
    expect(worstCaseTitle(unlimited, 'robustAccuracy')).toBe('Worst case over all attacks');
  });

  it('reads the value of one attack, or the worst case that the service computed', () => {
    const { trials: all, definition } = trials();
    const trial = all.find(({ evaluations }) => evaluations.length > 0)!;
    for (const [index, { key }] of attackOptions(definition).entries())
      expect(resultOf(trial, createObjective(key, 'noiseLevel')).value).toBe(
        trial.evaluations[index]!.summary.noiseLevel,
      );
    for (const metric of ['robustAccuracy', 'successRate', 'medianL2', 'cleanAccuracy'] as const) {
      const { value, interval } = resultOf(trial, createObjective('', metric));
      expect(value).toBe(trial.worstCase!.values[metric]);
      if (metric === 'medianL2') expect(interval).toBeNull();
      else expect(interval![0] <= value! && value! <= interval![1]).toBe(true);
    }
    // The interval is that of one attack with the same count.
    const { summary } = trial.evaluations[0]!;
    const same = { ...trial, worstCase: { within: {}, values: { ...trial.worstCase!.values, ...summary } } };
    const [low, high] = resultOf(same as Trial, createObjective('', 'successRate')).interval!;
    expect(low).toBeCloseTo(summary.successInterval![0], 12);
    expect(high).toBeCloseTo(summary.successInterval![1], 12);
    expect(resultOf({ ...trial, worstCase: null }, createObjective('', 'robustAccuracy')).value).toBeNull();
  });
});

it('an infinite median is the best value, and a missing one is no value', () => {
  const [trial] = trials().trials.filter(({ evaluations }) => evaluations.length > 0);
  const objective = createObjective('', 'medianL2');
  const withMedian = (number: number, medianL2: ExtendedNumber | null) =>
    resultOf(
      {
        ...trial!,
        number,
        verdict: 'ok',
        worstCase: { within: {}, values: { ...trial!.worstCase!.values, medianL2 } },
      },
      objective,
    );
  const results = [
    withMedian(0, null),
    withMedian(1, 0.5),
    withMedian(2, 'Infinity'),
    withMedian(3, 2),
    withMedian(4, 'Infinity'),
  ];
  expect(ranked(results, 'max').map(({ trial: { number }, value }) => [number, value])).toEqual([
    [2, Number.POSITIVE_INFINITY],
    [4, Number.POSITIVE_INFINITY],
    [3, 2],
    [1, 0.5],
    [0, null],
  ]);
  expect(results.map(({ value }) => (value === null ? null : objective.format(value)))).toEqual([
    ...[null, '0.500', '∞', '2.00'],
    '∞',
  ]);
  expect(firstChoice(results, objective).slice(0, 3)).toEqual([2, 4, 3]);
  const column = columnsOf(results, [], objective, false, 100).find(({ key }) => key === 'value')!;
  expect(sortResults(results, column, true).map((result) => result.trial.number)).toEqual([2, 4, 3, 1, 0]);
  expect(sortResults(results, column, false).map((result) => result.trial.number)).toEqual([1, 3, 2, 4, 0]);
});

describe('the first choice', () => {
  it('is the three best trials and the best one of another recipe', () => {
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

  it('never ranks a masked run above an unmasked one', () => {
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

it('finds the hyperparameters that vary', () => {
  expect(varyingHyperparameters(trials().trials)).toEqual(['gamma']);
});

it('ranks a higher rung first, since its trials had more epochs', () => {
  const [trial] = trials().trials;
  const atRung = (rung: number, value: number) => ({
    ...resultOf(trial!, createObjective('', 'robustAccuracy')),
    ...{ trial: { ...trial!, rung }, value, masked: false },
  });
  const order = ranked([atRung(0, 0.9), atRung(1, 0.4), atRung(1, 0.6)], 'max');
  expect(order.map(({ trial: { rung }, value }) => [rung, value])).toEqual([
    [1, 0.6],
    [1, 0.4],
    [0, 0.9],
  ]);
});

it('puts the results of a trial first on a narrow screen', () => {
  const { trials: all, definition } = trials();
  const objective = createObjective('', 'robustAccuracy', defaultObjective(definition));
  const results = all.map((trial) => resultOf(trial, objective));
  const columns = columnsOf(results, ['gamma'], objective, true, 100);
  expect(resultsFirst(columns).map(({ key }) => key)).toEqual([
    ...['number', 'value', 'clean', 'verdict', 'recipe', 'status', 'gamma', 'seed'],
  ]);
});

it('knows no best value of a mean over the images that fell', () => {
  const better = evaluationMetricNames.map((name) => [name, betterOf(name)]);
  expect(Object.fromEntries(better)).toEqual({
    robustAccuracy: 'max',
    successRate: 'min',
    medianL2: 'max',
    medianLinf: 'max',
    noiseLevel: null,
    cleanAccuracy: 'max',
  });
});
