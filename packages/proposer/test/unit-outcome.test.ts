import type { SweepInput } from '@funnel/contracts';
import type { UnitTrial } from '@funnel/db';
import { describe, expect, it } from 'vitest';
import { createOutcomeOf, outcomesOf, utilitiesOf } from '../src/unit-outcome.ts';
import { wantedValues } from '../src/wanted-values.ts';
import { definitionOf, emptyRecord } from './support/simulated-search.ts';

const trial = (
  seed: number,
  values: readonly (number | null)[],
  changes: Partial<UnitTrial> = {},
): UnitTrial => ({
  id: `trial-${seed}`,
  seed,
  status: 'completed',
  verdict: 'ok',
  values,
  ...changes,
});
const search = (changes: object = {}): SweepInput['search'] => ({ strategy: 'tpe', trials: 20, ...changes });
const outcome = (input: Partial<SweepInput>, trials: readonly UnitTrial[]) =>
  createOutcomeOf(definitionOf({ search: search(), ...input }))(trials);

describe('the outcome of a unit', () => {
  it('is the mean over the seeds, and the variance of that mean', () => {
    const trials = [trial(0, [0.2]), trial(1, [0.4]), trial(2, [0.9])];
    // Mean 0.5; sample variance (0.09 + 0.01 + 0.16) / 2 = 0.13; of the mean 0.13 / 3.
    const { values, variances, ...rest } = outcome({}, trials) as unknown as {
      values: number[];
      variances: number[];
    };
    expect(rest).toEqual({ status: 'measured' });
    expect(values[0]).toBeCloseTo(0.5, 12);
    expect(variances[0]).toBeCloseTo(0.13 / 3, 12);
  });

  it('has no variance for one seed, or for an infinite value', () => {
    expect(outcome({}, [trial(0, [0.25])])).toEqual({ status: 'measured', values: [0.25] });
    const objective = { attack: 'fmn-l2', metric: 'medianL2' } as const;
    expect(outcome({ objective }, [trial(0, [1]), trial(1, [Number.POSITIVE_INFINITY])])).toEqual({
      status: 'measured',
      values: [Number.POSITIVE_INFINITY],
    });
  });

  it.each(['waiting', 'running'] as const)('is pending while a trial is %s', (status) => {
    expect(outcome({}, [trial(0, [0.2], { status: 'failed' }), trial(1, [], { status })])).toEqual({
      status: 'pending',
    });
  });

  it.each<[string, readonly UnitTrial[], readonly (number | null)[]]>([
    ['1 of 2 trials diverged', [trial(0, [0.2]), trial(1, [null], { status: 'diverged' })], [null]],
    ['the trial collapsed', [trial(0, [], { status: 'collapsed' })], [null]],
    [
      '1 of 3 trials failed, 2 of 3 trials were cancelled',
      [
        trial(0, [], { status: 'failed' }),
        trial(1, [], { status: 'cancelled' }),
        trial(2, [], { status: 'cancelled' }),
      ],
      [null],
    ],
    [
      'its gradients are masked',
      [trial(0, [0.2]), trial(1, [0.4], { verdict: 'masked' })],
      [0.2 * 0.5 + 0.2],
    ],
    [
      'it is untrained',
      [trial(0, [0.2], { verdict: 'masked' }), trial(1, [0.4], { verdict: 'untrained' })],
      [0.2 * 0.5 + 0.2],
    ],
    ['pgd-linf robustAccuracy has no value', [trial(0, [0.2]), trial(1, [null])], [null]],
  ])('is bad: %s', (reason, trials, values) => {
    const found = outcome({}, trials);
    expect(found).toMatchObject({ status: 'bad', reason });
    expect(
      (found as { values: readonly (number | null)[] }).values.map(
        (value) => value && Number(value.toFixed(9)),
      ),
    ).toEqual(values.map((value) => value && Number(value.toFixed(9))));
  });

  it('counts masked gradients if the search allows them, and where no objective belongs to an attack', () => {
    const masked = [trial(0, [0.5], { verdict: 'masked' })];
    expect(outcome({ search: search({ masked: 'allowed' }) }, masked).status).toBe('measured');
    expect(outcome({ objective: { metric: 'cleanAccuracy' } }, masked).status).toBe('measured');
    expect(outcome({ objective: { metric: 'robustAccuracy' } }, masked).status).toBe('bad');
  });

  it('meets constraints on the mean over the seeds, and on the worst verdict', () => {
    const constraints = ['cleanAccuracy >= 0.95', 'fmn-l2 medianL2 > 1', 'verdict != suspect'];
    const input = { search: search({ constraints, masked: 'allowed' }) };
    const found = (clean: readonly number[], median: number, verdict: UnitTrial['verdict']) =>
      outcome(
        input,
        clean.map((value, seed) => trial(seed, [0.5, value, median], seed === 1 ? { verdict } : {})),
      );
    expect(found([0.94, 0.96], 2, 'ok').status).toBe('measured');
    expect(found([0.94, 0.955], 2, 'ok')).toMatchObject({
      reason: 'cleanAccuracy is 0.9475, but the constraint is cleanAccuracy >= 0.95',
    });
    expect(found([0.96, 0.96], 1, 'ok')).toMatchObject({
      reason: 'fmn-l2 medianL2 is 1, but the constraint is fmn-l2 medianL2 > 1',
    });
    for (const verdict of ['suspect', 'too-few', 'masked', 'untrained'] as const)
      expect(found([0.96, 0.96], 2, verdict)).toMatchObject({
        reason: `the verdict is ${verdict}, but the constraint is verdict != suspect`,
      });
    expect(found([0.96, 0.96], 2, null).status).toBe('measured');
  });

  it('refuses masked and untrained configurations by `verdict != masked`, and lets few images pass', () => {
    const input = { search: search({ constraints: ['verdict != masked'], masked: 'allowed' }) };
    const verdicts = ['suspect', 'too-few', 'masked', 'untrained'] as const;
    expect(verdicts.map((verdict) => outcome(input, [trial(0, [0.5], { verdict })]).status)).toEqual([
      ...['measured', 'measured'],
      ...['bad', 'bad'],
    ]);
  });
});

it('a search reads the value of each objective, then of each constraint on a metric', () => {
  const definition = definitionOf({
    attacks: [{ attack: 'fgsm', search: true }, { attack: 'fgsm', search: false, epsilon: 0.1 }, 'fmn-l2'],
    objective: [{ attack: 'fgsm', metric: 'robustAccuracy' }, { metric: 'cleanAccuracy' }],
    search: search({ constraints: ['verdict != masked', 'fmn-l2 medianL2 >= 1', 'robustAccuracy > 0.1'] }),
  });
  const values = wantedValues(definition).map(({ attack, metric }) => [
    attack?.attack,
    (attack?.settings as { epsilon?: number } | undefined)?.epsilon,
    metric,
  ]);
  expect(values).toEqual([
    ['fgsm', 0.1, 'robustAccuracy'],
    [undefined, undefined, 'cleanAccuracy'],
    ['fmn-l2', undefined, 'medianL2'],
    [undefined, undefined, 'robustAccuracy'],
  ]);
});

it('utilities are negated where less is better', () => {
  expect(
    utilitiesOf({ status: 'measured', values: [0.5, 0.25] }, [{ direction: 'min' }, { direction: 'max' }]),
  ).toEqual({
    status: 'measured',
    utilities: [-0.5, 0.25],
  });
});

it('decisions stand at their numbers, and an empty place is one', () => {
  const record = emptyRecord({ search: search() });
  const base = {
    source: 'start',
    epochs: null,
    place: null,
    among: null,
    decidedAt: record.createdAt,
  } as const;
  const decisions = outcomesOf({
    definition: record.definition,
    decisions: [
      {
        ...base,
        number: 1,
        configuration: 1,
        rung: 0,
        point: { gamma: 5 },
        newEpochs: 60,
        trials: [trial(0, [0.5])],
      },
      {
        ...base,
        number: 3,
        source: 'empty',
        configuration: null,
        rung: null,
        point: null,
        newEpochs: 0,
        trials: [],
      },
    ],
  });
  expect(decisions[0]).toBeUndefined();
  expect(decisions[1]).toEqual({
    kind: 'unit',
    configuration: 1,
    rung: 0,
    point: { gamma: 5 },
    newEpochs: 60,
    outcome: { status: 'measured', utilities: [0.5] },
  });
  expect(decisions[3]).toEqual({ kind: 'empty' });
});
