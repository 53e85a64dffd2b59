/**
 * Control models: an undefended and an adversarially trained network are not flagged; masked gradients, random answers and probabilities
 * are.
 */
import type { AttackInput, DiagnosticsReport } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { type ClassifierModel, classifierModel, diagnose, evaluateAttack } from '../src/index.ts';
import { trainAdversarially } from './helpers/adversarial-training.ts';
import { loadClassifier, loadImages, loadOracle } from './helpers/oracle.ts';
import { tinyImages, tinyNetwork, useWasm } from './helpers/tiny.ts';

beforeAll(useWasm);

const flagged = ({ checks }: DiagnosticsReport): string[] =>
  checks.filter(({ verdict }) => verdict !== 'ok').map(({ id }) => id);
const masked = ({ checks }: DiagnosticsReport): string[] =>
  checks.filter(({ verdict }) => verdict === 'masked').map(({ id }) => id);

const changed = (model: ClassifierModel, change: (logits: tf.Tensor2D) => tf.Tensor2D): ClassifierModel =>
  classifierModel((images) => change(model.logits(images)), { shape: model.shape, classes: model.classes });

describe('on a small network', () => {
  const budgets = { linf: 0.1, l2: 0.5 };

  it('reports every check and flags none as masked', async () => {
    const { model, dispose } = tinyNetwork(1);
    const before = tf.memory().numTensors;
    const report = await diagnose({
      model,
      ...tinyImages(model, 20),
      budgets,
      control: model,
      resources: { surrogates: [model] },
    });
    expect(tf.memory().numTensors).toBe(before);
    expect(masked(report)).toEqual([]);
    expect(report.images).toBe(20);
    expect(report.checks.map(({ id }) => id)).toEqual([
      ...['H1', 'H2', 'H3', 'H4', 'H5', 'H6', 'H7', 'H8', 'H9', 'H10', 'H11', 'H12'],
      ...['H13', 'H14', 'H15', 'H16', 'H17', 'H18', 'H19', 'H20', 'H21', 'H22'],
    ]);
    dispose();
  });

  it('gives the same report for the same seed', async () => {
    const { model, dispose } = tinyNetwork(1);
    const given = tinyImages(model, 10);
    expect(await diagnose({ model, ...given, budgets, seed: 3 })).toEqual(
      await diagnose({ model, ...given, budgets, seed: 3 }),
    );
    dispose();
  });

  it('flags probabilities, and then runs no attack', async () => {
    const { model, dispose } = tinyNetwork(1);
    const softmax = changed(model, (logits) => tf.softmax(logits));
    const report = await diagnose({ model: softmax, ...tinyImages(model, 10), budgets });
    expect(report).toMatchObject({ verdict: 'masked', checks: [{ id: 'H12', value: 1 }] });
    await expect(
      evaluateAttack({ model: softmax, ...tinyImages(model, 10), attack: 'fgsm' }),
    ).rejects.toThrow(/probabilities/);
    dispose();
  });

  it('flags a model with random answers', async () => {
    const { model, dispose } = tinyNetwork(1);
    const noisy = changed(model, (logits) => logits.add(tf.randomNormal(logits.shape, 0, 0.05)));
    expect(flagged(await diagnose({ model: noisy, ...tinyImages(model, 10), budgets }))).toContain('H11');
    dispose();
  });

  it('does not suspect a model because of fewer than five images', async () => {
    const { model, dispose } = tinyNetwork(1);
    const noisy = changed(model, (logits) => logits.add(tf.randomNormal(logits.shape, 0, 0.05)));
    for (const images of [1, 2, 3, 4]) {
      const { checks } = await diagnose({ model: noisy, ...tinyImages(model, 10), budgets, limit: images });
      expect(checks.filter(({ verdict }) => verdict === 'suspect')).toEqual([]);
      const repeats = checks.find(({ id }) => id === 'H11')!;
      expect(repeats.value).toBeGreaterThan(repeats.threshold);
      expect(repeats.detail).toMatch(new RegExp(`^Too few images for a verdict \\(${images}\\)\\.`));
    }
    const { checks } = await diagnose({ model: noisy, ...tinyImages(model, 10), budgets, limit: 5 });
    expect(checks.find(({ id }) => id === 'H11')).toMatchObject({ verdict: 'suspect' });
    dispose();
  });

  it('masks gradients that are wrong even on few images', async () => {
    const { model, dispose } = tinyNetwork(1);
    const turned = classifierModel(
      (images) =>
        model.logits(
          tf.customGrad((x) => ({ value: (x as tf.Tensor).clone(), gradFunc: (dy) => dy.neg() }))(images),
        ),
      { shape: model.shape, classes: model.classes },
    );
    const report = await diagnose({ model: turned, ...tinyImages(model, 10), budgets, limit: 3 });
    expect(masked(report)).toContain('H13');
    dispose();
  });

  it('skips only the check that needs pixels for a model of rows', async () => {
    const { model, dispose } = tinyNetwork(1);
    const width = model.shape.reduce((product, size) => product * size, 1);
    const rows = classifierModel((x) => model.logits(x.reshape([-1, ...model.shape])), {
      shape: [width],
      classes: model.classes,
    });
    const given = tinyImages(model, 10);
    const asGrid = await diagnose({ model, ...given, budgets });
    const asRows = await diagnose({ model: rows, ...given, budgets });
    const others = (report: DiagnosticsReport) => report.checks.filter(({ id }) => id !== 'H2');
    expect(others(asRows)).toEqual(others(asGrid));
    expect(asRows.checks.find(({ id }) => id === 'H2')).toEqual({
      id: 'H2',
      value: null,
      threshold: 0.002,
      verdict: 'ok',
      detail: `Square needs images of height × width, not [${width}].`,
    });
    dispose();
  });

  it('flags gradients that are wrong for the function', async () => {
    const { model, dispose } = tinyNetwork(1);
    // Rounds pixels to eighths. The function is flat almost everywhere; its declared gradient points the wrong way.
    const quantised = classifierModel(
      (images) =>
        model.logits(
          tf.customGrad((x) => ({
            value: (x as tf.Tensor).mul(8).round().div(8),
            gradFunc: (dy) => dy.neg(),
          }))(images),
        ),
      { shape: model.shape, classes: model.classes },
    );
    const report = await diagnose({ model: quantised, ...tinyImages(model, 20), budgets });
    expect(report.verdict).toBe('masked');
    expect(masked(report)).toContain('H13');
    dispose();
  });
});

describe('on MNIST', () => {
  const given = () => loadImages('mnist-mlp', loadOracle('mnist-mlp').indices.slice(0, 20));

  it.each(['mnist-mlp', 'mnist-conv'] as const)(
    'the undefended %s falls to PGD at L∞ 0.3 and to C&W on all images, to DeepFool on nearly all',
    async (name) => {
      const model = await loadClassifier(name);
      const images = loadImages(name, loadOracle(name).indices.slice(0, 20));
      const run = (attack: AttackInput) => evaluateAttack({ model, ...images, attack });
      const pgd = await run({ attack: 'pgd-linf', epsilon: 0.3 });
      expect(pgd.summary.robustAccuracy).toBe(0);
      const deepfool = await run('deepfool-l2');
      expect(deepfool.summary.successRate).toBeGreaterThanOrEqual(0.95);
      const cw = await run({ attack: 'cw-l2', steps: 60, learningRate: 0.1 });
      expect(cw.summary.successRate).toBe(1);
      expect(Number(cw.summary.medianL2)).toBeLessThan(Number(deepfool.summary.medianL2));
    },
  );

  it('an undefended network is not flagged', async () => {
    const model = await loadClassifier('mnist-mlp');
    expect(await diagnose({ model, ...given(), dataset: 'mnist', limit: 20 })).toMatchObject({
      verdict: 'ok',
    });
  });

  it('a network with logits a hundred times as large, as after distillation, is flagged as masked', async () => {
    const model = changed(await loadClassifier('mnist-mlp'), (logits) => logits.mul(100));
    const report = await diagnose({ model, ...given(), dataset: 'mnist', limit: 20 });
    expect(report.verdict).toBe('masked');
    expect(masked(report)).toContain('H10');
  });

  it('an adversarially trained network withstands more and is not flagged as masked', async () => {
    const { images, labels } = loadImages(
      'mnist-mlp',
      Array.from({ length: 1000 }, (_, i) => i),
      'train',
    );
    const { model, dispose } = trainAdversarially(images, labels, {
      epsilon: 0.1,
      hidden: 32,
      updates: 250,
      batch: 64,
    });
    const attack = { attack: 'pgd-linf', epsilon: 0.1, steps: 20 } as const;
    const hardened = await evaluateAttack({ model, ...given(), attack });
    const plain = await evaluateAttack({ model: await loadClassifier('mnist-mlp'), ...given(), attack });
    expect(hardened.summary.robustAccuracy).toBeGreaterThan(plain.summary.robustAccuracy! + 0.2);
    const report = await diagnose({ model, ...given(), budgets: { linf: 0.1, l2: 1 }, limit: 20 });
    expect(masked(report)).toEqual([]);
    dispose();
  }, 180_000);
});
