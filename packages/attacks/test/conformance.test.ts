/** The laws that every attack keeps. One row per attack. */
import { type AttackInput, attackNames, attackSpec, ballOf, reachOf } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { evaluateAttack } from '../src/index.ts';
import { shortAttacks } from './helpers/short-attacks.ts';
import { type Tiny, tinyImages, tinyNetwork, useWasm } from './helpers/tiny.ts';

const count = 12;
let target: Tiny;
let other: Tiny;
let given: ReturnType<typeof tinyImages>;

beforeAll(async () => {
  await useWasm();
  target = tinyNetwork(1);
  other = tinyNetwork(2);
  given = tinyImages(target.model, count);
  given.labels[0] = (given.labels[0]! + 1) % 5; // the model misclassifies one clean image
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
  expect(Object.keys(shortAttacks).sort()).toEqual([...attackNames].sort());
});

describe.each(attackNames)('%s', (name) => {
  it('stays in its ball and in [0, 1], reports success truthfully, and returns the clean image without a success', async () => {
    const tensors = tf.memory().numTensors;
    const { records, adversarials, summary } = await evaluate(shortAttacks[name]);
    expect(tf.memory().numTensors).toBe(tensors);

    const ball = ballOf(attackSpec(shortAttacks[name]));
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
    if (ball) expect(summary.robustAccuracy).toBeLessThanOrEqual(summary.cleanAccuracy);
    else expect(summary.robustAccuracy).toBeNull();
  });

  it('depends on the seed alone: a second run with another batch size gives the same result', async () => {
    const first = await evaluate(shortAttacks[name]);
    const second = await evaluate(shortAttacks[name], { batchSize: 3 });
    expect(second.records).toEqual(first.records);
    expect(second.adversarials).toEqual(first.adversarials);
  });
});

it('every attack fools some image of an undefended network', async () => {
  const rates = await Promise.all(
    attackNames.map(async (name) => ({
      name,
      rate: (await evaluate(shortAttacks[name])).summary.successRate,
    })),
  );
  expect(rates.filter(({ rate }) => rate === 0).map(({ name }) => name)).toEqual([]);
});
