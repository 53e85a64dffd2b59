/** Defences that reject images, on a model of two pixels whose answers can be computed by hand. */
import { EvaluationSummary } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClassifierModel, classifierModel, diagnose, evaluateAttack } from '../src/index.ts';
import { tinyImages, tinyNetwork, useWasm } from './helpers/tiny.ts';

beforeAll(useWasm);

/**
 * A model of two pixels. The class is 1 where the first pixel is above ½. The defence rejects an image whose pixels differ by `tolerance`
 * or more.
 */
const onALine = (tolerance: number): ClassifierModel => {
  const logits = (images: tf.Tensor): tf.Tensor2D => {
    const first = tf.slice(images.reshape<tf.Tensor2D>([-1, 2]), [0, 0], [-1, 1]);
    return tf.concat([tf.sub(0.5, first), tf.sub(first, 0.5)], 1);
  };
  const suspicion = (images: tf.Tensor): tf.Tensor1D => {
    const [first, second] = tf.split(images.reshape([-1, 2]), 2, 1);
    return tf.sub(tf.abs(tf.sub(first!, second!)), tolerance).reshape([-1]);
  };
  const plain = classifierModel(logits, { shape: [2], classes: 2 });
  return { ...plain, defence: { bare: plain.logits, suspicion } };
};

/** Two images that pass, and one that the defence rejects even when clean. */
const images = Float32Array.of(0.4, 0.4, 0.35, 0.5, 0.1, 0.9);
const given = { images, labels: [0, 0, 0] };
const pgd = { attack: 'pgd-linf', epsilon: 0.15, steps: 20 } as const;

describe('a defence that rejects', () => {
  it('is not fooled by an image that it rejects, and reports the clean images that it rejects', async () => {
    // FGSM on the classifier changes only the first pixel, because the second pixel has no gradient. The images become [0.7, 0.4] and [0.65,
    // 0.5].
    const attack = { attack: 'fgsm', search: false, epsilon: 0.3, against: 'classifier' } as const;
    const { summary, records } = await evaluateAttack({ model: onALine(0.2), ...given, attack });
    expect(records).toMatchObject({
      correct: [true, true, false],
      predicted: [0, 1, 2], // 2, the number of classes, means rejected
      success: [false, true, false],
    });
    expect(summary).toMatchObject({
      attempted: 2,
      cleanAccuracy: 2 / 3,
      robustAccuracy: 1 / 3,
      rejectedClean: 1 / 3,
      rejectedAttacked: 1 / 2,
    });
    expect(EvaluationSummary.parse(summary)).toEqual(summary);
  });

  it('does not stop an attack against classifier and defence together: this attack keeps the pixels close together', async () => {
    const model = onALine(0.02);
    const one = { images: images.slice(0, 2), labels: [0] };
    const oblivious = await evaluateAttack({ model, ...one, attack: { ...pgd, against: 'classifier' } });
    expect(oblivious.summary).toMatchObject({ successes: 0, rejectedAttacked: 1 });
    const adaptive = await evaluateAttack({ model, ...one, attack: { ...pgd, steps: 200 } });
    expect(adaptive.summary).toMatchObject({ successes: 1, rejectedAttacked: 0 });
    const [first, second] = adaptive.adversarials;
    expect(first).toBeGreaterThan(0.5);
    expect(Math.abs(first! - second!)).toBeLessThan(0.02);
  });

  it('rejects an image whose suspicion is NaN', async () => {
    const model = onALine(0.2);
    // FGSM moves the first pixel alone: the first image becomes [0.7, 0.4], the second [0.65, 0.5].
    const suspicion = (images: tf.Tensor): tf.Tensor1D => {
      const [first] = tf.split(images.reshape([-1, 2]), 2, 1);
      return tf.sub(tf.sqrt(tf.sub(0.6, first!)), 1).reshape([-1]); // NaN where the first pixel is above 0.6
    };
    const attack = { attack: 'fgsm', search: false, epsilon: 0.3, against: 'classifier' } as const;
    const defence = { bare: model.logits, suspicion };
    const { summary, records } = await evaluateAttack({ model: { ...model, defence }, ...given, attack });
    expect(records.correct).toEqual([true, true, true]);
    expect(records.success).toEqual([false, false, false]);
    expect(summary).toMatchObject({ attempted: 3, successes: 0, rejectedClean: 0, rejectedAttacked: 2 / 3 });
  });

  it('leaves the results as they are if it rejects nothing', async () => {
    const { model, dispose } = tinyNetwork(1);
    const never = (x: tf.Tensor): tf.Tensor1D => tf.fill([x.shape[0]!], -1e6);
    const guarded = { ...model, defence: { bare: model.logits, suspicion: never } };
    const before = tf.memory().numTensors;
    for (const attack of ['pgd-linf', 'deepfool-l2', 'square-linf'] as const) {
      const own = { ...tinyImages(model, 12), attack, seed: 4 };
      const [plain, same] = [
        await evaluateAttack({ model, ...own }),
        await evaluateAttack({ model: guarded, ...own }),
      ];
      expect(same.records).toEqual(plain.records);
      expect(same.summary).toEqual({ ...plain.summary, rejectedClean: 0, rejectedAttacked: 0 });
    }
    expect(tf.memory().numTensors).toBe(before);
    dispose();
  });

  it('is diagnosed on the images that it accepts', async () => {
    const { model, dispose } = tinyNetwork(1);
    const { images, labels } = tinyImages(model, 20);
    const lean = (x: tf.Tensor): tf.Tensor1D => tf.mean(x.reshape([-1, 64]), 1).sub(0.36) as tf.Tensor1D;
    const report = await diagnose({
      model: { ...model, defence: { bare: model.logits, suspicion: lean } },
      images,
      labels,
      budgets: { linf: 0.05, l2: 0.5 },
    });
    const passing = labels.filter((_, i) => {
      const pixels = images.subarray(i * 64, (i + 1) * 64);
      return pixels.reduce((a, b) => a + b) / 64 < 0.36;
    });
    expect(report.images).toBe(passing.length);
    expect(report.images).toBeLessThan(20);
    dispose();
  });
});
