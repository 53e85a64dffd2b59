import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { worstVerdict } from '../src/attacks/diagnostics.ts';
import { evaluationRows } from '../src/attacks/evaluation.ts';
import { AttackList, expandAttacks, presetNames } from '../src/attacks/presets.ts';
import { AttackSpec, attackKey, attackNames, attackSpec, attacks } from '../src/attacks.ts';
import type { DatasetName } from '../src/datasets.ts';
import { fractionText, readFraction, settingsJsonSchema } from '../src/fractions.ts';

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

describe('a preset with settings', () => {
  const settingsOf = (list: Parameters<typeof expandAttacks>[0]) =>
    expandAttacks(list, { dataset: 'mnist' }).map(({ attack, settings }) => [attack, settings]);

  it('gives ε to its attacks, however it is written', () => {
    const expected = [
      ['apgd-ce-linf', { epsilon: 0.1, steps: 100, restarts: 1 }],
      ['apgd-t-linf', { epsilon: 0.1, steps: 100, targets: 9, restarts: 1 }],
      ['fab-t-linf', { epsilon: 0.1, steps: 100, targets: 9, restarts: 1 }],
      ['square-linf', { epsilon: 0.1, queries: 5000, area: 0.8 }],
    ];
    const flat = { attack: 'preset:autoattack', epsilon: 0.1 } as const;
    expect(settingsOf([flat])).toEqual(expected);
    expect(settingsOf([{ attack: 'preset:autoattack', settings: { epsilon: 0.1 } }])).toEqual(expected);
    expect(settingsOf([{ preset: 'autoattack', epsilon: 0.1 } as never])).toEqual(expected);
    expect(settingsOf(AttackList.parse([flat]))).toEqual(expected);
    expect(AttackList.parse([flat])).toEqual([{ attack: 'preset:autoattack', settings: { epsilon: 0.1 } }]);
    const fraction = settingsOf([{ attack: 'preset:autoattack', epsilon: '8/255' }]);
    expect(fraction.map(([, settings]) => (settings as { epsilon: number }).epsilon)).toEqual(
      Array(4).fill(8 / 255),
    );
  });

  it('gives a setting to those attacks that have it', () => {
    const changed = settingsOf([{ attack: 'preset:autoattack', queries: 100, targets: 2 }]);
    expect(changed).toEqual([
      ['apgd-ce-linf', { epsilon: 0.3, steps: 100, restarts: 1 }],
      ['apgd-t-linf', { epsilon: 0.3, steps: 100, targets: 2, restarts: 1 }],
      ['fab-t-linf', { epsilon: 0.3, steps: 100, targets: 2, restarts: 1 }],
      ['square-linf', { epsilon: 0.3, queries: 100, area: 0.8 }],
    ]);
  });

  it('is as before without settings', () => {
    expect(AttackList.parse(['preset:paper', { attack: 'preset:paper' }])).toEqual([
      { attack: 'preset:paper' },
      { attack: 'preset:paper' },
    ]);
    expect(settingsOf([{ attack: 'preset:autoattack', epsilon: 0.3 }])).toEqual(
      settingsOf(['preset:autoattack']),
    );
  });

  it.each([
    [{ attack: 'preset:autoattack', gamma: 0.1 }, 'unrecognized_keys', [0, 'settings'], /gamma/],
    [
      { attack: 'preset:autoattack', settings: { gamma: 0.1 } },
      'unrecognized_keys',
      [0, 'settings'],
      /gamma/,
    ],
    [{ attack: 'preset:autoattack', epsilon: -1 }, 'too_small', [0, 'settings', 'epsilon'], />0/],
    [{ attack: 'preset:autoattack', steps: 1.5 }, 'invalid_type', [0, 'settings', 'steps'], /expected int/],
    // 2 is a step size for FMN, but null is one for PGD only
    [
      { attack: 'preset:quick', stepSize: null },
      'invalid_type',
      [0, 'settings', 'stepSize'],
      /expected number/,
    ],
  ])('refuses %j by its path', (entry, code, path, message) => {
    expect(AttackList.safeParse([entry]).error?.issues).toEqual([
      expect.objectContaining({ code, path, message: expect.stringMatching(message) }),
    ]);
  });
});

describe('the JSON Schema of settings', () => {
  const number = (bounds: object) => [
    { type: 'number', ...bounds },
    { type: 'string', pattern: expect.any(String), description: 'A fraction, such as 8/255.' },
  ];

  it('says that ε may be a fraction', () => {
    const { properties } = settingsJsonSchema(attacks['pgd-linf'].settings) as {
      properties: Record<string, Record<string, unknown>>;
    };
    expect(properties.epsilon).toEqual({
      title: 'ε',
      description: 'Radius of the L∞ ball, as a share of the pixel range.',
      default: 0.3,
      anyOf: number({ exclusiveMinimum: 0, maximum: 1000 }),
    });
    expect(properties.steps).toMatchObject({ type: 'integer', minimum: 1 });
    const [{ pattern }] = (properties.epsilon!.anyOf as [unknown, { pattern: string }]).slice(1) as [
      { pattern: string },
    ];
    expect(['8/255', ' 1 / 2 ', '0.5', 'x/2'].map((text) => new RegExp(pattern).test(text))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('says so in lists of ε, and for the settings beside a preset', () => {
    const { anyOf } = z.toJSONSchema(AttackList, { io: 'input' }).items as {
      anyOf: { properties?: Record<string, Record<string, unknown>> }[];
    };
    const flat = (name: string) =>
      anyOf.find(({ properties }) => properties?.attack?.const === name && !('settings' in properties))!
        .properties!;
    expect(flat('fgsm').epsilons).toMatchObject({
      anyOf: [{ type: 'integer' }, { items: { anyOf: number({ exclusiveMinimum: 0 }) } }],
    });
    expect(flat('preset:autoattack')).toMatchObject({
      epsilon: { title: 'ε', allOf: [{ anyOf: number({ exclusiveMinimum: 0, maximum: 1000 }) }] },
      queries: { allOf: [{ type: 'integer' }] },
    });
    expect(flat('preset:autoattack')).not.toHaveProperty('gamma');
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

describe('fractions', () => {
  it('are shown for long numbers, and give back the same number', () => {
    for (let k = 1; k <= 255; k++) {
      const text = fractionText(k / 255);
      expect(readFraction(text) ?? Number(text)).toBe(k / 255);
    }
    expect([8 / 255, 51 / 255, 0.3, 2, 1e-7, 1 / 3, 0.03137].map(fractionText)).toEqual([
      '8/255',
      '0.2',
      '0.3',
      '2',
      '1e-7',
      '85/255', // the same number as 1/3
      '0.03137',
    ]);
  });
});
