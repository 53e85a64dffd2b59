import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { worstVerdict } from '../src/attacks/diagnostics.ts';
import { evaluationRows } from '../src/attacks/evaluation.ts';
import { AttackList, expandAttacks, presetNames } from '../src/attacks/presets.ts';
import { AttackSpec, attackKey, attackNames, attackSpec, attacks } from '../src/attacks.ts';
import type { DatasetName } from '../src/datasets.ts';

describe('AttackSpec', () => {
  it('fills in defaults: from a name, from a name with settings, and from its own output', () => {
    const full = { attack: 'deepfool-l2', settings: { steps: 50, overshoot: 0.05, classes: 10 } };
    expect(attackSpec('deepfool-l2')).toEqual(full);
    expect(AttackSpec.parse({ attack: 'deepfool-l2', steps: 50 })).toEqual(full);
    expect(AttackSpec.parse(full)).toEqual(full);
  });

  it.each([
    ['fsgm', /got ..fsgm/],
    [{ attack: 'fgsm', epsilno: 1 }, /epsilno/],
    [{ attack: 'fgsm', settings: { epsilno: 1 } }, /epsilno/],
    [{ attack: 'fgsm', epsilon: -1 }, />0/],
    [{ attack: 7 }, /but got 7/],
    [7, /expected object/i],
  ])('refuses %j and names the mistake', (input, message) => {
    expect(AttackSpec.safeParse(input).error?.message).toMatch(message);
  });

  it('gives every attack defaults for all of its settings, each with a title and a description', () => {
    for (const name of attackNames) {
      expect(attackSpec(name).attack).toBe(name);
      for (const setting of Object.values(attacks[name].settings.shape))
        expect((setting as z.ZodType).meta()).toMatchObject({
          title: expect.any(String),
          description: expect.any(String),
        });
    }
  });
});

describe('expandAttacks', () => {
  it('returns every attack once, whichever way it is written', () => {
    const specs = expandAttacks([
      'fgsm',
      { attack: 'fgsm', epsilon: 1 },
      'preset:quick',
      { attack: 'deepfool-l2', steps: 50 },
    ]);
    expect(new Set(specs.map(attackKey)).size).toBe(specs.length);
    expect(specs[0]).toEqual(attackSpec('fgsm'));
    expect(specs).toEqual(expandAttacks(AttackList.parse(['fgsm', 'preset:quick'])));
  });

  it('knows every preset, at the budgets of the data set', () => {
    for (const preset of presetNames) expect(expandAttacks({ preset }).length).toBeGreaterThan(0);
    const epsilons = (dataset: DatasetName) =>
      expandAttacks({ preset: 'autoattack' }, { dataset }).map(
        ({ settings }) => 'epsilon' in settings && settings.epsilon,
      );
    expect(epsilons('mnist')).toEqual([0.3, 0.3, 0.3, 0.3]);
    expect(epsilons('fashion-mnist')).toEqual([0.1, 0.1, 0.1, 0.1]);
  });

  it('refuses an unknown preset by name', () => {
    expect(() => expandAttacks(['preset:papre' as 'preset:paper'])).toThrow(/preset:papre/);
  });
});

it('a list of attacks has a JSON Schema to draw forms from', () => {
  const schema = JSON.stringify(z.toJSONSchema(AttackList, { io: 'input' }));
  for (const word of ['deepfool-l2', 'preset:paper', 'Overshoot']) expect(schema).toContain(word);
});

it('evaluationRows makes rows of the columns of an evaluation', () => {
  const columns = {
    ...{ index: [5, 6], label: [1, 2], correct: [true, false], predicted: [3, 4], success: [true, false] },
    ...{ l2: [0.5, null], linf: [0.1, null], l0: [7, null], steps: [2, 0], queries: [3, 0] },
  };
  expect(evaluationRows(columns)[0]).toEqual({
    index: 5,
    label: 1,
    correct: true,
    predicted: 3,
    success: true,
    l2: 0.5,
    linf: 0.1,
    l0: 7,
    steps: 2,
    queries: 3,
  });
});

it('the worst verdict is the verdict', () => {
  expect(worstVerdict([])).toBe('ok');
  expect(worstVerdict(['ok', 'masked', 'suspect'])).toBe('masked');
});
