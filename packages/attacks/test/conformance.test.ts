/** What every attack must keep to, whatever it does. One row per attack. */
import {
  type AttackInput,
  type AttackName,
  attackNames,
  attackSpec,
  ballOf,
  reachOf,
} from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateAttack } from '../src/index.ts';
import { useWasm } from './helpers/backend.ts';
import { type Tiny, tinyImages, tinyNetwork } from './helpers/tiny.ts';

/** Settings that keep each attack short, and budgets at which some images fall and some do not. */
const table: { readonly [Name in AttackName]: Extract<AttackInput, { attack: Name }> } = {
  'deepfool-l2': { attack: 'deepfool-l2' },
  'deepfool-linf': { attack: 'deepfool-linf' },
  fgsm: { attack: 'fgsm', search: false, epsilon: 0.05 },
  gradient: { attack: 'gradient', epsilons: 40 },
  'iterative-gradient-sign': { attack: 'iterative-gradient-sign', epsilons: 8, epsilon: 0.3, steps: 4 },
  'iterative-gradient': { attack: 'iterative-gradient', epsilons: 8, epsilon: 0.3, steps: 4 },
  bim: { attack: 'bim', search: false, epsilon: 0.05, stepSize: 0.01 },
  'bim-l2': { attack: 'bim-l2', search: false, epsilon: 0.3, stepSize: 0.05 },
  'single-pixel': { attack: 'single-pixel' },
  'local-search': { attack: 'local-search', steps: 10 },
  'pgd-linf': { attack: 'pgd-linf', epsilon: 0.05, steps: 10, restarts: 2 },
  'pgd-l2': { attack: 'pgd-l2', epsilon: 0.3, steps: 10, loss: 'margin' },
  'cw-l2': { attack: 'cw-l2', steps: 40, searchSteps: 5, learningRate: 0.1, initialConstant: 0.1 },
  'apgd-ce-linf': { attack: 'apgd-ce-linf', epsilon: 0.05, steps: 20 },
  'apgd-ce-l2': { attack: 'apgd-ce-l2', epsilon: 0.3, steps: 20 },
  'apgd-t-linf': { attack: 'apgd-t-linf', epsilon: 0.05, steps: 20, targets: 2 },
  'apgd-t-l2': { attack: 'apgd-t-l2', epsilon: 0.3, steps: 20, targets: 2 },
  'fab-t-linf': { attack: 'fab-t-linf', steps: 10, targets: 2, restarts: 2 },
  'fab-t-l2': { attack: 'fab-t-l2', steps: 10, targets: 2, restarts: 2 },
  'square-linf': { attack: 'square-linf', epsilon: 0.1, queries: 60 },
  'square-l2': { attack: 'square-l2', epsilon: 0.5, queries: 60 },
  'fmn-l2': { attack: 'fmn-l2', steps: 30 },
  'fmn-linf': { attack: 'fmn-linf', steps: 30 },
  'hop-skip-jump-l2': { attack: 'hop-skip-jump-l2', steps: 3, initialEvaluations: 20 },
  'feature-linf': { attack: 'feature-linf', epsilon: 0.1, steps: 10, guides: 2 },
  'feature-l2': { attack: 'feature-l2', epsilon: 0.5, steps: 10, guides: 2 },
  'transfer-linf': { attack: 'transfer-linf', epsilon: 0.2, steps: 10 },
  'transfer-l2': { attack: 'transfer-l2', epsilon: 2, steps: 10 },
  'noise-linf': { attack: 'noise-linf', epsilon: 0.3, draws: 20 },
  'noise-l2': { attack: 'noise-l2', epsilon: 1.5, draws: 20 },
};

const count = 12;
let target: Tiny;
let other: Tiny;
let given: ReturnType<typeof tinyImages>;

beforeAll(async () => {
  await useWasm();
  target = tinyNetwork(1);
  other = tinyNetwork(2);
  given = tinyImages(target.model, count);
  given.labels[0] = (given.labels[0]! + 1) % 5; // one image is misclassified clean
});
afterAll(() => {
  target.dispose();
  other.dispose();
});

const evaluate = (
  attack: AttackInput,
  options: { readonly seed?: number; readonly batchSize?: number } = {},
) =>
  evaluateAttack({
    model: target.model,
    ...given,
    attack,
    seed: 7,
    resources: { encoder: target.encoder, surrogates: [other.model] },
    ...options,
  });

it('lists every attack', () => {
  expect(Object.keys(table).sort()).toEqual([...attackNames].sort());
});

describe.each(attackNames)('%s', (name) => {
  it('stays in its ball and in [0, 1], tells the truth about success, leaves the rest alone', async () => {
    const tensors = tf.memory().numTensors;
    const { records, adversarials, summary } = await evaluate(table[name]);
    expect(tf.memory().numTensors).toBe(tensors);

    const ball = ballOf(attackSpec(table[name]));
    const values = Array.from(adversarials);
    expect(values.every((value) => value >= 0 && value <= 1)).toBe(true);
    const predicted = tf.tidy(() =>
      tf.argMax(target.model.logits(tf.tensor(adversarials, [count, 8, 8, 1])), 1).dataSync(),
    );
    records.success.forEach((success, i) => {
      const delta = adversarials
        .slice(i * 64, (i + 1) * 64)
        .map((value, j) => value - given.images[i * 64 + j]!);
      const l2 = Math.hypot(...delta);
      const linf = Math.max(...delta.map(Math.abs));
      expect(records.predicted[i]).toBe(predicted[i]);
      expect(success).toBe(records.correct[i] && predicted[i] !== given.labels[i]);
      expect(records.l2[i]).toEqual(success ? expect.closeTo(l2, 5) : null);
      expect(records.linf[i]).toEqual(success ? expect.closeTo(linf, 6) : null);
      if (!success) expect(l2).toBe(0);
      if (ball) expect(ball.norm === 'l2' ? l2 : linf).toBeLessThanOrEqual(reachOf(ball.epsilon));
      if (records.correct[i]) expect(records.queries[i]).toBeGreaterThan(0);
    });
    expect(records.correct[0]).toBe(false);
    expect(summary).toMatchObject({ images: count, attempted: count - 1 });
    expect(summary.robustAccuracy).toBeLessThanOrEqual(summary.cleanAccuracy);
  });

  it('depends on nothing but the seed: not on the batch size, nor on a second run', async () => {
    const first = await evaluate(table[name]);
    const second = await evaluate(table[name], { batchSize: 3 });
    expect(second.records).toEqual(first.records);
    expect(second.adversarials).toEqual(first.adversarials);
  });
});

it('every attack fools some image of an undefended network', async () => {
  const rates = await Promise.all(
    attackNames.map(async (name) => ({ name, rate: (await evaluate(table[name])).summary.successRate })),
  );
  expect(rates.filter(({ rate }) => rate === 0).map(({ name }) => name)).toEqual([]);
});
