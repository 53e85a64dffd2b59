import type { SweepInput } from '@funnel/contracts';
import { buildPlan } from '@funnel/planner';
import { describe, expect, it } from 'vitest';
import { rungEpochsOf } from '../src/decided-search.ts';
import { countNewEpochs, outlineUnit } from '../src/outline-unit.ts';
import { strideOf, varyingOf } from '../src/unit-rows.ts';
import { lowerAttacks } from '../src/wanted-values.ts';
import { definitionOf } from './support/simulated-search.ts';

const hyperband = (changes: object = {}): SweepInput['search'] => ({
  strategy: 'hyperband',
  trials: 30,
  fidelity: { hyperparameter: 'optimiseEpochs', min: 1, max: 27 },
  ...changes,
});
const point = { gamma: 5, beta: 0.01 };
const unit = (number: number, rung: number) => ({ number, rung, point });

describe('the outline of a unit', () => {
  const definition = definitionOf({ search: hyperband(), seeds: 2 });
  const [low, high] = [outlineUnit(definition, '1', unit(4, 0)), outlineUnit(definition, '1', unit(31, 1))];
  const ofKind = (outline: typeof low, kind: string) => outline.stages.filter((stage) => stage.kind === kind);

  it('has a trial for each seed, with the fidelity of its rung', () => {
    expect(low.trials.map(({ number, seed }) => [number, seed])).toEqual([
      [0, 0],
      [1, 1],
    ]);
    expect(low.trials[0]!.hyperparameters).toMatchObject({ ...point, optimiseEpochs: 1 });
    expect(high.trials[0]!.hyperparameters).toMatchObject({ ...point, optimiseEpochs: 3 });
  });

  it('continues the chain of the rung below: the same chain, longer', () => {
    const [before, after] = [ofKind(low, 'optimise'), ofKind(high, 'optimise')];
    expect(after.map(({ chain }) => chain)).toEqual(before.map(({ chain }) => chain));
    expect([before[0]!.epochs, after[0]!.epochs]).toEqual([1, 3]);
    expect(ofKind(high, 'initialise').map(({ id }) => id)).toEqual(
      ofKind(low, 'initialise').map(({ id }) => id),
    );
    // The classifier is trained anew on the longer trained encoder.
    expect(ofKind(high, 'classify')[0]!.chain).not.toBe(ofKind(low, 'classify')[0]!.chain);
  });

  it('trains only the epochs that the rung below has not', () => {
    const known = new Map(
      low.training.map(({ chain, epochs }) => [
        chain,
        { recorded: [epochs], continuable: [epochs], stages: [epochs], pending: [] },
      ]),
    );
    const { plan, stages } = buildPlan(high, known);
    const optimise = stages.filter(({ kind }) => kind === 'optimise');
    expect(optimise.map(({ startEpoch, epochs }) => [startEpoch, epochs])).toEqual([
      [1, 3],
      [1, 3],
    ]);
    expect(plan.epochs.needed).toBe(2 * (2 + 20));
    expect(countNewEpochs(definition, { point, rung: 1 }, 0)).toBe(2 * (2 + 20));
    expect(countNewEpochs(definition, { point, rung: 0 }, null)).toBe(2 * (9 + 1 + 20));
    expect(buildPlan(low, new Map()).plan.epochs.needed).toBe(2 * (9 + 1 + 20));
  });

  it('has below the highest rung only the attacks of the objective', () => {
    const attacks = (outline: typeof low) => [
      ...new Set(ofKind(outline, 'attack').map(({ attack }) => attack!.attack)),
    ];
    expect(attacks(low)).toEqual(['pgd-linf']);
    expect(attacks(outlineUnit(definition, '1', unit(40, 3)))).toEqual(['pgd-linf', 'fmn-l2']);
    expect(low.trials[0]!.stages).toHaveLength(4);
  });

  it('refuses an empty place', () => {
    expect(() => outlineUnit(definition, '1', { number: 40, rung: null, point: null })).toThrow(
      'Expected a decision with a unit, but decision 40 is an empty place',
    );
  });
});

describe('the attacks below the highest rung', () => {
  const names = (input: Partial<SweepInput>) =>
    lowerAttacks(definitionOf({ search: hyperband(), ...input })).map(({ attack }) => attack);

  it('are those of objectives and constraints; the worst case needs all, the clean accuracy none', () => {
    expect(names({ objective: { metric: 'cleanAccuracy' } })).toEqual([]);
    expect(names({ objective: { metric: 'robustAccuracy' } })).toEqual(['pgd-linf', 'fmn-l2']);
    const constraints = ['fmn-l2 medianL2 > 1'];
    expect(names({ objective: { metric: 'cleanAccuracy' }, search: hyperband({ constraints }) })).toEqual([
      'fmn-l2',
    ]);
  });
});

it('a unit of `classic` continues its first stage, whose length has a part of another hyperparameter', () => {
  const definition = definitionOf({
    recipes: ['classic', 'funn'],
    space: { initialiseDefenderRate: { min: 1e-4, max: 1e-2, scale: 'log' } },
    search: hyperband(),
  });
  const classic = { recipe: 'classic', initialiseDefenderRate: 1e-3 };
  expect(rungEpochsOf(definition)).toEqual([1, 3, 9, 27]);
  expect(countNewEpochs(definition, { point: classic, rung: 2 }, null)).toBe(9 + 9 + 20);
  expect(countNewEpochs(definition, { point: classic, rung: 2 }, 1)).toBe(6 + 20);
});

it('the hyperparameters that may differ follow from the sweep file', () => {
  const definition = definitionOf({
    recipes: ['classic', 'adversarial-training'],
    space: { classifierRate: [1e-3, 1e-2], batchSize: [64] },
    search: { strategy: 'tpe', trials: 20 },
  });
  const varying = varyingOf(definition);
  expect(
    ['recipe', 'classifierRate', 'trainingEpsilon', 'initialiseEpochs'].filter((name) => !varying.has(name)),
  ).toEqual([]);
  expect(['filters', 'batchSize', 'classifierEpochs'].filter((name) => varying.has(name))).toEqual([]);
  expect([...varyingOf(definitionOf({ search: hyperband() }))]).toEqual(['gamma', 'beta', 'optimiseEpochs']);
});

it('no decision has more stages than the distance between ordinals', () => {
  const definition = definitionOf({ search: hyperband(), seeds: 3 });
  expect(strideOf(definition)).toBe(3 * (3 + 2));
  expect(outlineUnit(definition, '1', unit(0, 3)).stages).toHaveLength(15);
});
