/** Steps far longer than the ball, which float32 cannot add to a pixel without loss. */
import { type AttackInput, attackSpec, attackVersion } from '@funnel/contracts';
import { beforeAll, describe, expect, it } from 'vitest';
import { evaluateAttack } from '../src/index.ts';
import { tinyImages, tinyNetwork, useWasm } from './helpers/tiny.ts';

beforeAll(useWasm);

it.each([
  ['bim', 0.1, 0.2], // in L∞ a step across the ball ends at its face, as every longer step does
  ['bim-l2', 0.5, 5e5],
] as const)('%s with a step of 1e30 gives what a long step gives', async (attack, epsilon, long) => {
  const { model, dispose } = tinyNetwork(1);
  const run = async (stepSize: number, search: boolean) =>
    (
      await evaluateAttack({
        model,
        ...tinyImages(model, 20),
        attack: { attack, search, epsilon, stepSize } as AttackInput,
      })
    ).summary;
  for (const search of [false, true]) {
    const huge = await run(1e30, search);
    expect(huge.successes).toBeGreaterThan(5);
    expect(huge.successes).toBe((await run(long, search)).successes);
  }
  dispose();
});

/** Every value that an adversarial, a record or a summary holds must be a number. */
const evaluateWith = async (attack: AttackInput) => {
  const { model, dispose } = tinyNetwork(1);
  const { images, labels } = tinyImages(model, 20);
  const result = await evaluateAttack({
    model,
    images,
    labels,
    attack,
    resources: {
      encoder: (x) => x.reshape([-1, model.shape.reduce((a, b) => a * b, 1)]),
      surrogates: [model],
    },
  });
  dispose();
  expect(result.adversarials.every((value) => value >= 0 && value <= 1)).toBe(true);
  return result;
};

it.each([
  { attack: 'pgd-l2', epsilon: 0.5 },
  { attack: 'pgd-linf', epsilon: 0.1 },
  { attack: 'transfer-l2', epsilon: 0.5 },
  { attack: 'transfer-linf', epsilon: 0.1 },
  { attack: 'feature-l2', epsilon: 0.5 },
  { attack: 'feature-linf', epsilon: 0.1 },
] as const)('$attack with a step of 1e30 gives what a long step gives', async (attack) => {
  const long = await evaluateWith({ ...attack, stepSize: 1e6 } as AttackInput);
  const huge = await evaluateWith({ ...attack, stepSize: 1e30 } as AttackInput);
  expect(long.summary.successes).toBeGreaterThan(5);
  expect(huge.records.success).toEqual(long.records.success);
  const versionOf = (stepSize: number) => attackVersion(attackSpec({ ...attack, stepSize } as AttackInput));
  expect([versionOf(0.1), versionOf(1e6), versionOf(1e30)]).toEqual([1, 1, 2]);
});

it.each(['fmn-l2', 'fmn-linf'] as const)(
  '%s with a step of 1e30 gives what a long step gives',
  async (attack) => {
    const run = (stepSize: number) => evaluateWith({ attack, stepSize } as AttackInput);
    const [huge, long] = [await run(1e30), await run(1e6)];
    expect(long.summary.successes).toBeGreaterThan(5);
    expect(huge.records).toEqual(long.records);
  },
);

describe('cw-l2', () => {
  const short = { attack: 'cw-l2', steps: 100, searchSteps: 4, learningRate: 0.05 } as const;

  it('starts from the largest constant that float32 can square', async () => {
    const { summary, records } = await evaluateWith({ ...short, initialConstant: 1e30 });
    expect(summary.successes).toBe(20);
    expect(Math.max(...records.l2.map(Number))).toBeLessThan(3);
  });

  it('counts the images whose search ends at the largest constant', async () => {
    // One step of Adam is too short for any hit, so every constant grows up to the largest one.
    const hopeless = { ...short, steps: 1, learningRate: 1e-6 };
    const capped = async (settings: object) =>
      (await evaluateWith({ ...hopeless, ...settings })).summary.cappedSearches;
    expect(await capped({ initialConstant: 1e30 })).toBe(20);
    expect(await capped({ searchSteps: 10 })).toBe(20); // the last of ten steps is at 1e10
    expect(await capped({ initialConstant: 1 })).toBeUndefined(); // 1, 10, 100, 1000
    expect((await evaluateWith({ ...short, initialConstant: 1e30 })).summary.cappedSearches).toBeUndefined();
  });

  it('keeps misclassified iterates of images on which no class wins by the confidence', async () => {
    const { summary } = await evaluateWith({ ...short, initialConstant: 1, confidence: 1e6 });
    expect(summary.successes).toBe(20);
    const sure = await evaluateWith({ ...short, initialConstant: 1, confidence: 0.1 });
    const plain = await evaluateWith({ ...short, initialConstant: 1 });
    expect(sure.summary.successes).toBe(20);
    // A confidence that every image reaches costs distance.
    expect(sure.summary.noiseLevel!).toBeGreaterThan(plain.summary.noiseLevel!);
  });

  it('raises its version for these settings only', () => {
    const versionOf = (settings: object) =>
      attackVersion(attackSpec({ attack: 'cw-l2', ...settings } as AttackInput));
    expect(versionOf({})).toBe(2);
    expect(versionOf({ initialConstant: 1, searchSteps: 10 })).toBe(2);
    expect(versionOf({ initialConstant: 1e30 })).toBe(3);
    expect(versionOf({ confidence: 1 })).toBe(3);
  });
});

it.each([
  [{ attack: 'pgd-l2', stepSize: 1e31 }, 'stepSize'],
  [{ attack: 'fmn-l2', stepSize: 1e300 }, 'stepSize'],
  [{ attack: 'cw-l2', initialConstant: 1e31 }, 'initialConstant'],
  [{ attack: 'cw-l2', confidence: 1e31 }, 'confidence'],
  [{ attack: 'fgsm', epsilons: [1e31] }, 'epsilons'],
] as const)('%j is refused, because float32 ends there', (attack, setting) => {
  expect(() => attackSpec(attack as AttackInput)).toThrow(setting);
});
