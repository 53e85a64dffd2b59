import { describe, expect, it } from 'vitest';
import {
  type Condition,
  criteriaOf,
  criterionTitle,
  fidelitiesOf,
  isDecided,
  isPromoting,
  readConstraint,
  Search,
  SweepDefinition,
  type SweepInput,
  searchHints,
} from '../src/index.ts';

describe('a constraint', () => {
  it.each<[string, Condition]>([
    ['verdict != masked', { kind: 'verdict', not: 'masked' }],
    ['  verdict  !=  suspect ', { kind: 'verdict', not: 'suspect' }],
    [
      'cleanAccuracy >= 0.95',
      { kind: 'metric', attack: undefined, metric: 'cleanAccuracy', operator: '>=', bound: 0.95 },
    ],
    [
      'pgd-linf robustAccuracy > 0.2',
      { kind: 'metric', attack: 'pgd-linf', metric: 'robustAccuracy', operator: '>', bound: 0.2 },
    ],
    [
      'fmn-l2 medianL2 < 1e-3',
      { kind: 'metric', attack: 'fmn-l2', metric: 'medianL2', operator: '<', bound: 0.001 },
    ],
  ])('%s', (text, condition) => {
    expect(readConstraint(text)).toEqual(condition);
  });

  it.each([
    'cleanAccuracy = 1',
    'cleanAccuracy>=0.5',
    'accuracy >= 0.5',
    'pgd robustAccuracy > 0.2',
    'verdict != ok',
    'cleanAccuracy >= 1.2.3',
    'cleanAccuracy >= high',
    '',
  ])('is not %j', (text) => {
    expect(readConstraint(text)).toBeNull();
  });
});

const definition = (input: Partial<SweepInput>) =>
  SweepDefinition.parse({ name: 'test', dataset: { name: 'glyphs' }, ...input });

describe('the criteria of a search', () => {
  const criteria = (input: Partial<SweepInput>) => {
    const sweep = definition({ space: { gamma: { min: 1, max: 5 } }, ...input });
    if (!isDecided(sweep.search)) throw new Error('Expected a search that decides');
    return criteriaOf(sweep, sweep.search);
  };

  it('are the attacks that objectives and constraints mean: of several, the one that has the metric', () => {
    const { objectives, constraints } = criteria({
      attacks: [{ attack: 'fgsm', search: true }, { attack: 'fgsm', search: false, epsilon: 0.1 }, 'fmn-l2'],
      objective: [{ attack: 'fgsm', metric: 'medianLinf' }, { metric: 'cleanAccuracy' }],
      search: {
        strategy: 'tpe',
        trials: 10,
        constraints: ['fgsm robustAccuracy >= 0.1', 'verdict != masked', 'robustAccuracy > 0'],
      },
    });
    expect(objectives.map(criterionTitle)).toEqual(['fgsm medianLinf', 'cleanAccuracy']);
    expect(objectives[0].run?.settings).toMatchObject({ search: true });
    expect(constraints).toEqual([
      expect.objectContaining({
        text: 'fgsm robustAccuracy >= 0.1',
        run: expect.objectContaining({ settings: expect.objectContaining({ search: false, epsilon: 0.1 }) }),
      }),
      { text: 'verdict != masked', kind: 'verdict', not: 'masked' },
      expect.objectContaining({ text: 'robustAccuracy > 0', run: undefined, operator: '>', bound: 0 }),
    ]);
  });

  it('have the default objective of the sweep', () => {
    const { objectives } = criteria({ attacks: ['fmn-l2'], search: { strategy: 'gp', trials: 10 } });
    expect(objectives.map(({ metric, direction }) => [metric, direction])).toEqual([['medianL2', 'max']]);
  });
});

describe('the searches', () => {
  it('have one line each on when to use them', () => {
    const names = Search.options.map(({ shape }) => shape.strategy.value);
    expect(Object.keys(searchHints)).toEqual(names);
  });

  it('have defaults', () => {
    const search = definition({
      space: { gamma: [1, 5] },
      search: {
        strategy: 'hyperband',
        trials: 10,
        fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 9 },
      },
    }).search;
    expect(search).toEqual({
      strategy: 'hyperband',
      trials: 10,
      sampler: 'tpe',
      fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 9 },
      eta: 3,
      seed: 0,
      parallelism: 4,
      order: 'reproducible',
      constraints: [],
      masked: 'bad',
    });
    expect([isDecided(search), isPromoting(search)]).toEqual([true, true]);
  });
});

it('the fidelity is a hyperparameter by which every recipe trains one of its stages longer', () => {
  expect(fidelitiesOf(['funn'])).toEqual(['initialiseEpochs', 'optimiseEpochs', 'classifierEpochs']);
  expect(fidelitiesOf(['funn', 'adversarial-training'])).toEqual(['classifierEpochs']);
  expect(fidelitiesOf(['detector', 'trades'])).toEqual([]);
});
