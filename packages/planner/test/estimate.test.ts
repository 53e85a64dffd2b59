import {
  attackSpec,
  defaultLimits,
  expandAttacks,
  PresetName,
  queriesOf,
  SweepDefinition,
  type SweepInput,
  type SweepLimits,
} from '@funnel/contracts';
import { describe, expect, it } from 'vitest';
import { countPlan, estimate, outlineSweep, timeLeft, whatRuns } from '../src/index.ts';

const sweep = (input: Partial<SweepInput>) =>
  SweepDefinition.parse({ name: 'test', dataset: { name: 'glyphs' }, attacks: ['fgsm'], ...input });

const estimated = (input: Partial<SweepInput>, limits: Partial<SweepLimits> = {}) => {
  const definition = sweep(input);
  return estimate(definition, outlineSweep(definition, 'engine-1'), { ...defaultLimits, ...limits });
};

const refusalOf = (input: Partial<SweepInput>, limits: Partial<SweepLimits> = {}) => {
  try {
    estimated(input, limits);
  } catch (error) {
    return error;
  }
  return null;
};

/** Weights of an encoder [28, 28, 1] → 14 → 7 with these filters and a dense code, by hand. */
const encoderWeights = (first: number, second: number, latent: number): number =>
  9 * first + first + 9 * first * second + second + 49 * second * latent + latent;
/** Weights of its mirror. */
const generatorWeights = (first: number, second: number, latent: number): number =>
  latent * 49 * second + 49 * second + 9 * second * first + first + 9 * first + 1;

describe('the estimate of a sweep', () => {
  it('counts the parameters that a stage trains', () => {
    const { parameters } = estimated({ recipes: ['classic'], space: { filters: '8-16', latent: 32 } });
    expect(parameters).toBe(encoderWeights(8, 16, 32) + generatorWeights(8, 16, 32));
  });

  it('counts a checkpoint for each epoch, the moments of each stage, and its rows', () => {
    const short = estimated({ recipes: ['classic'], space: { optimiseEpochs: 1 } });
    const long = estimated({ recipes: ['classic'], space: { optimiseEpochs: 11 } });
    expect(long.storedBytes - short.storedBytes).toBe(10 * 4 * short.parameters);
    const two = estimated({ recipes: ['classic'], space: { optimiseEpochs: 1 }, seeds: 2 });
    expect(two.storedBytes).toBe(2 * short.storedBytes);
  });

  it('shares what trials share', () => {
    const one = estimated({ space: { gamma: 1 } }).storedBytes;
    const two = estimated({ space: { gamma: [1, 2] } }).storedBytes;
    expect(two).toBeLessThan(2 * one);
  });
});

describe('a sweep beyond a limit', () => {
  it.each([
    ['filters', { filters: ['32-64', '4096-4096'] }, 'space.filters'],
    ['the most filters', { filters: '9999-9999-9999-9999-9999', latent: 4096 }, 'space.filters'],
    ['large padding', { paddedSize: 512, batchSize: 512 }, 'space.paddedSize'],
    ['kernels of many pixels', { kernelSize: 11, filters: '1024-1024' }, /^space\.(kernelSize|filters)$/],
    ['a large batch', { batchSize: 4096, filters: '1024-1024' }, /^space\.(batchSize|filters)$/],
  ] as const)('is refused by path: %s', (_, space, path) => {
    expect(refusalOf({ recipes: ['classic'], space: space as SweepInput['space'] })).toMatchObject({
      code: 'SWEEP_TOO_LARGE',
      message: expect.stringContaining('FUNNEL_MAX_TRAINER_BYTES'),
      details: {
        issues: [{ path: expect.stringMatching(path), expected: expect.stringMatching(/at most 4 GiB/) }],
      },
    });
  });

  it('is refused for the bytes that it stores', () => {
    const input = { seeds: 100, space: { optimiseEpochs: 10_000 } };
    expect(refusalOf(input, { storedBytes: 1e9 })).toMatchObject({
      message: expect.stringMatching(/store.*954 MiB \(FUNNEL_MAX_SWEEP_BYTES\)/),
    });
  });

  it('is refused for the queries of an attack, and every preset on every test image is not', () => {
    const attacks = [{ attack: 'square-linf' as const, queries: 100_000 }];
    expect(refusalOf({ attacks }, { attackQueries: 1e6 })).toMatchObject({
      message: expect.stringContaining('FUNNEL_MAX_ATTACK_QUERIES'),
      details: { issues: [{ path: 'attacks' }] },
    });
    for (const preset of PresetName.options)
      for (const run of expandAttacks({ preset }, { dataset: 'mnist' }))
        expect(queriesOf(run) * 10_000).toBeLessThan(defaultLimits.attackQueries);
  });

  it('is none of the usual ones', () => {
    for (const recipe of ['funn', 'classic', 'trades', 'magnet', 'detector', 'distillation'] as const)
      expect(refusalOf({ recipes: [recipe], attacks: { preset: 'standard' } })).toBeNull();
  });
});

describe('the time that is left', () => {
  const definition = sweep({
    recipes: ['adversarial-training'],
    dataset: { name: 'glyphs', train: 1000, test: 100, attack: 10 },
    space: { classifierEpochs: 20 },
  });
  const { tasks } = countPlan(outlineSweep(definition, 'engine-1'), new Map(), []);
  const untouched = { attack: null, seconds: 10, images: 1000 };
  const training = { kind: 'classify', method: 'adversarial-training', ...untouched } as const;
  const fgsm = attackSpec({ attack: 'fgsm' });
  const attack = { kind: 'attack', method: 'fgsm', attack: fgsm, seconds: 6, images: 3 } as const;

  it('is the work at the measured speeds, over all slots', () => {
    expect(timeLeft(tasks, { speeds: [training, attack], slots: 1 })).toEqual({
      seconds: 20 * 10 + 20,
      attackSeconds: 20,
      unmeasured: [],
      slots: 1,
    });
  });

  it('is at least that of the stages that run one after the other', () => {
    expect(timeLeft(tasks, { speeds: [training, attack], slots: 4 })).toMatchObject({
      seconds: 220,
      attackSeconds: 20,
    });
    const speeds = [
      training,
      attack,
      ...(['initialise', 'optimise', 'classify'] as const).map((kind) => ({
        ...{ kind, method: 'funn', attack: null, seconds: 1, images: 1000 },
      })),
    ];
    const secondsOf = (seeds: number[], slots: number) => {
      const outline = outlineSweep(sweep({ recipes: ['funn'], seeds }), 'engine-1');
      return timeLeft(countPlan(outline, new Map(), []).tasks, { speeds, slots }).seconds;
    };
    const one = secondsOf([1], 1)!;
    expect(secondsOf([1], 2)).toBe(one);
    expect(secondsOf([1, 2], 1)).toBe(2 * one);
    expect(secondsOf([1, 2], 2)).toBe(one);
    expect(secondsOf([1, 2, 3], 2)).toBe(1.5 * one);
  });

  it('is that of networks of about the same size, else rough and scaled', () => {
    const tasksWith = (filters: string) => {
      const space = { filters, initialiseEpochs: 2, optimiseEpochs: 3, classifierEpochs: 1 };
      const sizes = { name: 'glyphs', train: 1000, test: 100, attack: 10 } as const;
      const wanted = sweep({ recipes: ['classic'], space, dataset: sizes });
      return countPlan(outlineSweep(wanted, 'engine-1'), new Map(), []).tasks;
    };
    const measured = (filters: string, seconds: number) =>
      (['initialise', 'classify', 'attack'] as const).map((kind) => ({
        ...{
          kind,
          ...(kind === 'attack' ? { method: 'fgsm', attack: fgsm } : { method: 'classic', attack: null }),
        },
        ...{ images: 1000, seconds },
        network: { recipe: 'classic', hyperparameters: { filters }, dataset: { name: 'glyphs' } } as const,
      }));
    const small = measured('4-8', 1);
    const large = measured('64-128', 20);
    const left = (filters: string, speeds: typeof small) =>
      timeLeft(tasksWith(filters), { speeds, slots: 1 });
    expect(left('4-8', small)).toEqual({ seconds: 6, attackSeconds: 0, unmeasured: [], slots: 1 });
    expect(left('4-8', [...small, ...large]).seconds).toBe(6);
    expect(left('64-128', [...small, ...large])).toMatchObject({ seconds: 120 });
    expect(left('64-128', [...small, ...large])).not.toHaveProperty('otherSizes');
    const guessed = left('64-128', small);
    expect(guessed.otherSizes).toEqual(['smaller']);
    expect(guessed.seconds).toBeGreaterThan(60); // 12 times as many values
    expect(guessed.seconds).toBeLessThan(100);
    expect(left('4-8', large)).toMatchObject({ otherSizes: ['larger'] });
    expect(left('8-16', small)).not.toHaveProperty('otherSizes');
  });

  it('is that of an attack with the same settings, else rough and in proportion to its queries', () => {
    const pgd = (steps: number) => attackSpec({ attack: 'pgd-linf', epsilon: 0.1, steps, restarts: 1 });
    const { tasks } = countPlan(
      outlineSweep(
        sweep({
          recipes: ['adversarial-training'],
          dataset: { name: 'glyphs', train: 1000, test: 100, attack: 50 },
          space: { classifierEpochs: 1 },
          attacks: [pgd(40)],
        }),
        'engine-1',
      ),
      new Map(),
      [],
    );
    const measured = (steps: number, seconds: number) =>
      ({ kind: 'attack', method: 'pgd-linf', attack: pgd(steps), seconds, images: 10 }) as const;
    const left = (...attacks: ReturnType<typeof measured>[]) =>
      timeLeft(tasks, { speeds: [training, ...attacks], slots: 1 });
    const factor = queriesOf(pgd(40)) / queriesOf(pgd(4));
    expect(factor).toBeGreaterThan(5);
    expect(left(measured(4, 2))).toMatchObject({
      seconds: Math.round(10 + 50 * 0.2 * factor),
      attackSeconds: Math.round(50 * 0.2 * factor),
      otherSettings: ['pgd-linf'],
    });
    expect(left(measured(4, 2), measured(40, 30))).toEqual({
      ...{ seconds: 10 + 150, attackSeconds: 150, unmeasured: [], slots: 1 },
    });
  });

  it('is unknown when the fleet has not run a kind of stage, or has no slot', () => {
    expect(timeLeft(tasks, { speeds: [training], slots: 1 })).toEqual({
      seconds: null,
      attackSeconds: null,
      unmeasured: ['attack fgsm'],
      slots: 1,
    });
    expect(timeLeft(tasks, { speeds: [training, attack], slots: 0 }).seconds).toBeNull();
  });
});

describe('what runs', () => {
  it('has each attack once, presets spelt out at the budget, and the defaults of what the space does not name', () => {
    const definition = sweep({
      recipes: ['classic', 'classic'],
      dataset: { name: 'glyphs', train: 1000, test: 100, attack: 10 },
      space: { filters: '4-8', classifierEpochs: [1, 2] },
      seeds: [3, 3, 1],
      attacks: [{ attack: 'preset:autoattack', epsilon: 0.1 }, 'fgsm', 'fgsm'],
    });
    const { recipes, dataset, seeds, attacks, defaults } = whatRuns(
      definition,
      outlineSweep(definition, 'engine-1'),
    );
    expect([recipes, seeds]).toEqual([['classic'], [3, 1]]);
    expect(dataset).toEqual({ name: 'glyphs', train: 1000, test: 100, attack: 10, classes: 10 });
    expect(attacks.map(({ attack, settings }) => [attack, settings.epsilon])).toEqual([
      ['apgd-ce-linf', 0.1],
      ['apgd-t-linf', 0.1],
      ['fab-t-linf', 0.1],
      ['square-linf', 0.1],
      ['fgsm', 1],
    ]);
    expect(defaults).toMatchObject({ optimiseEpochs: 31, latent: 64, batchSize: 128 });
    for (const name of ['filters', 'classifierEpochs', 'gamma']) expect(defaults).not.toHaveProperty(name);
  });
});
