import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  canonicalJson,
  hyperparameterDeclaration,
  hyperparameterNames,
  hyperparameters,
  hyperparametersOf,
  recipeNames,
  recipes,
  SearchPoint,
  SearchSpace,
  StoredDefinition,
  SweepDefinition,
  trainingMetrics,
} from '../src/index.ts';

const base = { name: 'test', dataset: { name: 'glyphs' } };
const refuse = (input: object): string[] => {
  const result = SweepDefinition.safeParse({ ...base, ...input });
  return result.success ? [] : result.error.issues.map((issue) => issue.path.join('.'));
};

describe('a fraction in the space', () => {
  const space = (input: object) =>
    SweepDefinition.parse({ ...base, recipes: ['adversarial-training'], space: input }).space;

  it('is a number wherever one may stand that is not whole', () => {
    expect(space({ trainingEpsilon: '8/255' })).toEqual({ trainingEpsilon: 8 / 255 });
    expect(space({ trainingEpsilon: ['4/255', 0.1, '16 / 255'] })).toEqual({
      trainingEpsilon: [4 / 255, 0.1, 16 / 255],
    });
    expect(space({ trainingEpsilon: { min: '2/255', max: '8/255', step: '2/255' } })).toEqual({
      trainingEpsilon: { min: 2 / 255, max: 8 / 255, step: 2 / 255, scale: 'linear' },
    });
  });

  it('is refused where a whole number or a word is meant, and out of bounds', () => {
    const recipes = ['adversarial-training'];
    for (const refused of [{ trainingSteps: '8/2' }, { trainingEpsilon: '8/0' }, { trainingEpsilon: '8/2' }])
      expect(refuse({ recipes, space: refused })[0]).toMatch(/^space\./);
    expect(refuse({ space: { activation: '1/2' } })).toEqual(['space.activation']);
  });

  it('is a number in a point to try', () => {
    expect(SearchPoint.parse({ trainingEpsilon: '8/255', activation: '1/2' })).toEqual({
      trainingEpsilon: 8 / 255,
      activation: '1/2',
    });
  });

  it('is in the JSON Schema', () => {
    const { properties } = z.toJSONSchema(SearchSpace, { io: 'input' });
    const text = { type: 'string', pattern: expect.any(String), description: 'A fraction, such as 8/255.' };
    expect(properties?.trainingEpsilon).toMatchObject({
      title: expect.any(String),
      anyOf: [{ anyOf: [{ type: 'number' }, text] }, { type: 'array' }, { type: 'object' }],
    });
  });
});

describe('ε of an attack', () => {
  const attacks = (list: unknown[]) => SweepDefinition.parse({ ...base, attacks: list }).attacks;

  it('may be a fraction, alone and in a list', () => {
    expect(
      attacks([
        { attack: 'pgd-linf', epsilon: '8/255' },
        { attack: 'fgsm', settings: { epsilons: ['4/255', 0.1] } },
      ]),
    ).toMatchObject([{ settings: { epsilon: 8 / 255 } }, { settings: { epsilons: [4 / 255, 0.1] } }]);
    expect(refuse({ attacks: [{ attack: 'pgd-linf', epsilon: '8/0' }] })).not.toEqual([]);
  });

  it('above 1 is refused with a question in L∞; L2 may be larger', () => {
    const result = SweepDefinition.safeParse({ ...base, attacks: [{ attack: 'pgd-linf', epsilon: 8 }] });
    expect(result.error?.message).toMatch(/did you mean epsilon=8.+255\?/);
    expect(refuse({ attacks: ['fgsm', { attack: 'pgd-linf', epsilon: 8 }] })).toEqual(['attacks.1']);
    expect(refuse({ attacks: [{ attack: 'preset:autoattack', epsilon: 8 }] })).toEqual(['attacks.0']);
    expect(refuse({ attacks: [{ attack: 'preset:autoattack', epsilon: '8/255' }] })).toEqual([]);
    expect(
      refuse({
        attacks: [
          { attack: 'pgd-l2', epsilon: 8 },
          { attack: 'pgd-linf', epsilon: 1 },
        ],
      }),
    ).toEqual([]);
  });

  it('of a preset with attacks of two norms serves only one of them', () => {
    const attacks = [{ attack: 'preset:standard', epsilon: 2 }];
    const result = SweepDefinition.safeParse({ ...base, attacks });
    expect(result.error?.issues).toMatchObject([
      {
        path: ['attacks', 0],
        message: expect.stringMatching(/^Expected an ε for one norm, but got epsilon=2/),
      },
    ]);
  });

  it('above 1 stays readable in a stored definition', () => {
    const dataset = { name: 'glyphs', train: 60_000, test: 10_000, attack: 1000 };
    const stored = { ...base, dataset, attacks: [{ attack: 'pgd-linf', epsilon: 8 }] };
    expect(StoredDefinition.safeParse(stored).success).toBe(true);
  });
});

describe('the objective of a sweep', () => {
  const issues = (attacks: unknown, attack: string, metric: string) =>
    SweepDefinition.safeParse({ ...base, attacks, objective: { attack, metric } }).error?.issues.map(
      ({ path, message }) => [path.join('.'), message],
    ) ?? [];

  it('by robust accuracy needs an attack with a fixed ε', () => {
    expect(issues(['deepfool-linf', 'fmn-l2'], 'deepfool-linf', 'robustAccuracy')).toEqual([
      [
        'objective.metric',
        'Expected a metric that deepfool-linf has without a fixed ε, such as medianLinf, but got robustAccuracy',
      ],
    ]);
    expect(issues(['fgsm', 'pgd-l2'], 'fgsm', 'robustAccuracy')).toEqual([
      [
        'objective.metric',
        'Expected a metric that fgsm has without a fixed ε, such as medianLinf, but got robustAccuracy. Or give the attack `search: false`',
      ],
    ]);
    expect(issues(['fgsm', { attack: 'fgsm', search: false }], 'fgsm', 'robustAccuracy')).toEqual([]);
    expect(issues(['deepfool-linf'], 'deepfool-linf', 'medianL2')).toEqual([]);
    expect(issues({ preset: 'quick' }, 'pgd-l2', 'robustAccuracy')).toEqual([]);
  });

  it('without an attack names a metric that the worst case has: no median in a norm in which no attack works', () => {
    const worst = (attacks: unknown, metric: string) =>
      SweepDefinition.safeParse({ ...base, attacks, objective: { metric } }).error?.issues.map(
        ({ path, message }) => [path.join('.'), message],
      ) ?? [];
    expect(worst(['pgd-linf', 'fab-t-linf'], 'medianL2')).toEqual([
      [
        'objective.metric',
        'Expected a metric that the worst case has, such as robustAccuracy, but got medianL2: no attack of this sweep works in this norm',
      ],
    ]);
    expect(worst(['pgd-linf', 'fmn-l2'], 'medianL2')).toEqual([]);
    expect(worst(['single-pixel'], 'medianL2')).toEqual([]);
  });

  it('names an attack of the sweep: another one would rank by the worst case', () => {
    expect(issues(['fgsm', 'pgd-l2'], 'fmn-l2', 'medianL2')).toEqual([
      ['objective.attack', 'Expected an attack of this sweep (fgsm, pgd-l2), but got fmn-l2'],
    ]);
  });

  it('is not asked for while a setting of an attack is wrong', () => {
    const faults = issues([{ attack: 'deepfool-l2', overshoot: 'much' }], 'deepfool-l2', 'medianL2');
    expect(faults.map(([path]) => path)).toEqual(['attacks']);
  });

  it('of an older version stays readable', () => {
    const stored = {
      ...base,
      dataset: { name: 'glyphs', train: 100, test: 20, attack: 4 },
      attacks: ['fmn-l2'],
      objective: { attack: 'fmn-l2', metric: 'robustAccuracy' },
    };
    expect(StoredDefinition.safeParse(stored).success).toBe(true);
  });
});

describe('a sweep definition', () => {
  it('needs only a name and a data set', () => {
    expect(SweepDefinition.parse(base)).toMatchObject({
      recipes: ['funn'],
      seeds: [0],
      search: { strategy: 'grid' },
      dataset: { train: 60_000, attack: 1000 },
    });
  });

  it('reads a number of seeds, and one recipe without a list', () => {
    expect(SweepDefinition.parse({ ...base, seeds: 3, recipes: 'classic' })).toMatchObject({
      seeds: [0, 1, 2],
      recipes: ['classic'],
    });
  });

  it('parses its own output', () => {
    const once = SweepDefinition.parse({
      ...base,
      space: { gamma: { min: 1, max: 10, count: 3, scale: 'log' } },
      attacks: ['fgsm'],
    });
    expect(SweepDefinition.parse(once)).toEqual(once);
    expect(SweepDefinition.parse(JSON.parse(JSON.stringify(once)))).toEqual(once);
  });

  it.each<[string, object, string]>([
    ['a misspelt hyperparameter', { space: { gama: 1 } }, 'space'],
    ['a misspelt key', { recipies: ['funn'] }, ''],
    ['NaN', { space: { gamma: Number.NaN } }, 'space.gamma'],
    ['infinity', { space: { gamma: Number.POSITIVE_INFINITY } }, 'space.gamma'],
    ['a number as text', { space: { gamma: '5' } }, 'space.gamma'],
    ['an empty list', { space: { gamma: [] } }, 'space.gamma'],
    ['a bad value within a list', { space: { beta: [0.01, -1] } }, 'space.beta.1'],
    ['a negative β', { space: { beta: -0.01 } }, 'space.beta'],
    ['0 epochs', { space: { optimiseEpochs: 0 } }, 'space.optimiseEpochs'],
    ['half an epoch', { space: { optimiseEpochs: 1.5 } }, 'space.optimiseEpochs'],
    ['a range with min above max', { space: { gamma: { min: 5, max: 1, step: 1 } } }, 'space.gamma.max'],
    [
      'a logarithmic range from 0',
      { space: { gamma: { min: 0, max: 1, count: 3, scale: 'log' } } },
      'space.gamma.min',
    ],
    ['a range over words', { space: { penalty: { min: 0, max: 1, step: 1 } } }, 'space.penalty'],
    ['no recipe', { recipes: [] }, 'recipes'],
    ['no seeds', { seeds: [] }, 'seeds'],
    ['a name that no data set can have', { dataset: { name: 'Image Net' } }, 'dataset.name'],
    [
      'more attacked images than test images',
      { dataset: { name: 'glyphs', test: 10, attack: 20 } },
      'dataset.attack',
    ],
    ['a hyperparameter that no recipe reads', { recipes: ['classic'], space: { gamma: 1 } }, 'space.gamma'],
    ['an unknown setting of an attack', { attacks: [{ attack: 'fgsm', epsilonn: 1 }] }, 'attacks.0.settings'],
  ])('refuses %s by its path', (_, input, path) => {
    expect(refuse(input)).toContain(path);
  });

  it('has a JSON Schema for the form', () => {
    const schema = JSON.stringify(z.toJSONSchema(SweepDefinition, { io: 'input' }));
    for (const name of hyperparameterNames)
      expect(schema).toContain(JSON.stringify(hyperparameterDeclaration(name).description));
  });
});

describe('hyperparameters', () => {
  it('each has a default, a title and a description', () => {
    for (const name of hyperparameterNames) {
      expect(hyperparameters[name].parse(undefined), name).toBeDefined();
      expect(hyperparameterDeclaration(name).title, name).toBeTruthy();
      expect(hyperparameterDeclaration(name).description, name).toMatch(/\.$/);
    }
  });

  it('are each read by some recipe, and recipes read no others', () => {
    const read = new Set(recipeNames.flatMap((name) => hyperparametersOf(name)));
    expect([...read].sort()).toEqual([...hyperparameterNames].sort());
  });

  it('no stage reads its length: otherwise stages of different lengths would not share a chain', () => {
    for (const name of recipeNames)
      for (const stage of recipes[name].stages)
        expect(
          stage.reads.filter((hyperparameter) =>
            (stage.lengthOf as readonly string[]).includes(hyperparameter),
          ),
        ).toEqual([]);
  });

  it('every metric that a stage records is declared', () => {
    for (const name of recipeNames)
      for (const stage of recipes[name].stages)
        for (const metric of stage.records) expect(trainingMetrics).toHaveProperty(metric);
  });
});

describe('canonical JSON', () => {
  it('does not depend on the order of keys', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'x' }], a: true })).toBe(
      '{"a":true,"b":[1,{"c":"x","d":null}]}',
    );
    expect(canonicalJson({ a: 1, b: undefined })).toBe(canonicalJson({ a: 1 }));
  });
  it('refuses values that JSON changes silently', () => {
    expect(() => canonicalJson({ a: Number.NaN })).toThrow('finite');
    expect(() => canonicalJson([undefined])).toThrow('undefined');
  });
});
