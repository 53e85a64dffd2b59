/** Nearness and effects against closed forms and numbers by hand. */
import { describe, expect, it } from 'vitest';
import { effectsOf, isClear, welch } from '../src/findings/effects.ts';
import { distanceTo, logitOf, nearnessOf } from '../src/findings/nearness.ts';
import { type Configuration, configurationsOf } from '../src/measured.ts';
import { printedRows } from '../src/printed.ts';
import { made } from './made.ts';

const rate = (success: number) => ({ success, noise: null });
const near = { success: 100, noise: null, near: true } as const;

describe('the distance between a success rate and a printed one', () => {
  it('is the distance of the logits, with half an image at both ends', () => {
    expect(logitOf(50, 100)).toBe(0);
    expect(logitOf(0, 200)).toBeCloseTo(-Math.log(401), 12); // ½ against 200½
    expect(distanceTo(rate(50), 50, 100)).toBe(0);
    expect(distanceTo(rate(20), 50, 100)).toBeCloseTo(Math.log(4), 12);
    expect(distanceTo(rate(0.54), 200, 200)).toBeCloseTo(Math.log(401) + Math.log(99.46 / 0.54), 12);
  });

  it('takes a printed 100 % as all of 1,000 images', () => {
    expect(distanceTo(rate(100), 1000, 1000)).toBe(0);
    expect(distanceTo(rate(100), 200, 200)).toBeCloseTo(Math.log(2001) - Math.log(401), 12);
  });

  it('takes “near 100 %” as every rate from 95 %', () => {
    expect(distanceTo(near, 200, 200)).toBe(0);
    expect(distanceTo(near, 197, 200)).toBe(0);
    expect(distanceTo(near, 100, 200)).toBeCloseTo(Math.log(19), 12);
  });
});

const funn = (successes: (title: string) => number, values = {}, number = 0) =>
  made({ number, recipe: 'funn', seed: 0, hinge: [0.5], successes, hyperparameters: values });

const configurationOf = (...results: Parameters<typeof configurationsOf>): Configuration =>
  configurationsOf(...results)[0]!;

describe('nearness', () => {
  it('is the mean over the printed rows, each once, with the nearer of two readings', () => {
    // Of 40 images FGSM fools 0 with a search and 20 at a fixed ε; every other attack fools 20.
    const { value, rows } = nearnessOf(
      configurationOf([funn((title) => (title.includes('largest ε') ? 0 : 20))]),
    );
    expect(rows.map(({ name }) => name)).toEqual([
      'DeepFool L2, 50 steps',
      'DeepFool L∞, 50 steps',
      'FGSM 0.005',
      'Iterative 0.005',
      'Single Pixel',
      'LocalSearch',
      'DeepFool L2, 200 steps',
      'DeepFool L2, 1000 steps',
      'DeepFool L∞, 200 steps',
      'Gradient Sign',
      'Gradient',
    ]);
    const fgsm = rows[2]!;
    expect(fgsm.row?.printed.title).toBe('FGSM 0.005 (largest ε of a search)');
    // Printed 1.61 %: −4.1126; 0 of 40: −ln 81 = −4.3944.
    expect(fgsm.distance).toBeCloseTo(Math.log(81) - Math.log(98.39 / 1.61), 12);
    const logits = [0.54, 4.13, 1.25, 4.72, 27.51, 1.35, 15.25, 89.2].map((p) =>
      Math.abs(Math.log(p / (100 - p))),
    );
    const sum = logits.reduce((a, b) => a + b, fgsm.distance! + 2 * Math.log(19));
    expect(value).toBeCloseTo(sum / 11, 12);
  });

  it('is missing, and not a mean of fewer rows, when a row has no result', () => {
    const result = funn(() => 20);
    const evaluations = result.trial.evaluations.filter(({ attack }) => attack !== 'local-search');
    const configuration = configurationOf([{ ...result, trial: { ...result.trial, evaluations } }]);
    const { value, rows } = nearnessOf(configuration);
    expect(value).toBeNull();
    expect(rows.filter(({ row }) => row === null).map(({ name }) => name)).toEqual(['LocalSearch']);
  });

  it('pools the images of all seeds', () => {
    const seeds = [0, 1].map((seed) =>
      made({ number: seed, recipe: 'funn', seed, hinge: [0.5], successes: seed === 0 ? 0 : 20 }),
    );
    const { rows } = nearnessOf(configurationOf(seeds));
    expect(rows[0]!.distance).toBeCloseTo(Math.log(99.46 / 0.54) - Math.log(60.5 / 20.5), 12);
  });
});

describe('the difference of two means', () => {
  it('has Welch’s interval', () => {
    // Variances of the means 1/3 and 5/3: 2² / ((1/3)²/2 + (5/3)²/3) = 4.08 degrees of freedom, t₄ = 2.776445.
    const difference = welch([1, 2, 3], [2, 4, 6, 8]);
    expect(difference!.mean).toBe(-3);
    expect(difference!.halfWidth).toBeCloseTo(2.776445 * Math.SQRT2, 10);
    expect(isClear(difference!)).toBe(false);
  });

  it('has no interval for one value, and none of width 0 but for equal values', () => {
    expect(welch([1], [2, 4])).toEqual({ mean: -2, halfWidth: null });
    expect(welch([1, 1], [3, 3])).toEqual({ mean: -2, halfWidth: 0 });
    expect(welch([], [3, 3])).toBeNull();
    expect(welch([0.1, 0.1, 0.1], [0.1, 0.1])).toEqual({ mean: 0, halfWidth: 0 }); // 0.1 + 0.1 + 0.1 is not 0.3
  });
});

describe('effects', () => {
  const values = [
    { latent: 32, beta: 0.01 },
    { latent: 32, beta: 0.02 },
    { latent: 64, beta: 0.01 },
    { latent: 64, beta: 0.02 },
  ];
  /** 32 units lose 10 images more in LocalSearch; β does nothing. */
  const configurations = configurationsOf(
    values.map((each, i) =>
      funn((title) => (title === 'LocalSearch' && each.latent === 32 ? 30 : 20), each, i),
    ),
  );

  it('compare the settings with a value with all others, for each row', () => {
    const effects = effectsOf(configurations);
    expect(effects).toHaveLength(4 * printedRows.length);
    const of = (choice: string, value: string) =>
      effects.find((one) => one.choice === choice && one.value === value && one.attack === 'LocalSearch')!;
    const moved = Math.log(30.5 / 10.5); // 20 of 40 is 0
    expect(of('Latent units', '32').difference.mean).toBeCloseTo(moved, 12);
    expect(of('Latent units', '64').difference.mean).toBeCloseTo(-moved, 12);
    expect(of('Latent units', '32').difference.halfWidth).toBe(0);
    // Each group has the logits 0 and `moved`: s² = moved²/2, two degrees of freedom.
    expect(of('β', '0.01').difference.mean).toBe(0);
    expect(of('β', '0.01').difference.halfWidth).toBeCloseTo(4.302653 * moved * Math.SQRT1_2, 6);
  });

  it('are 0 where all images are fooled, however many they are', () => {
    const all = configurationsOf(
      [40, 38, 36, 30].map((attempted, i) =>
        made({
          ...{ number: i, recipe: 'funn', seed: 0, hinge: [0.5], successes: attempted, attempted },
          hyperparameters: values[i]!,
        }),
      ),
    );
    for (const { difference } of effectsOf(all)) expect(difference).toEqual({ mean: 0, halfWidth: 0 });
  });

  it('keep β in losses apart from β in multiples of the floor', () => {
    const mixed = configurationsOf([
      funn(() => 20, { beta: 2, betaUnit: 'floor' }, 0),
      funn(() => 20, { beta: 0.01 }, 1),
      funn(() => 20, { beta: 1, betaUnit: 'floor' }, 2),
    ]);
    expect([...new Set(effectsOf(mixed).map(({ value }) => value))]).toEqual([
      '0.01',
      '1 × floor',
      '2 × floor',
    ]);
  });
});
