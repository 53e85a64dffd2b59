/** `funnel attack` on models that the test makes itself. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { funnel } from './funnel.ts';

const folder = mkdtempSync(join(tmpdir(), 'funnel-attack-'));
const model = join(folder, 'model');
const softmax = join(folder, 'softmax');

/** Saves as TensorFlow.js does: model.json beside its weights. */
const save = async (layers: tf.LayersModel, path: string): Promise<void> => {
  await layers.save(
    tf.io.withSaveHandler(async ({ modelTopology, weightSpecs, weightData }) => {
      const { mkdirSync } = await import('node:fs');
      mkdirSync(path);
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
      writeFileSync(
        join(path, 'model.json'),
        JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest }),
      );
      writeFileSync(join(path, 'weights.bin'), Buffer.from(weightData as ArrayBuffer));
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } };
    }),
  );
};

/** Class scores are the sums of ten vertical bands: linear, and right about as often as chance. */
const linear = (activation: 'linear' | 'softmax'): tf.LayersModel => {
  const kernel = tf.tidy(() =>
    tf
      .oneHot(
        tf
          .range(0, 784)
          .mod(28)
          .mul(10 / 28)
          .floor()
          .toInt(),
        10,
      )
      .toFloat(),
  );
  const layers = tf.sequential({
    layers: [
      tf.layers.flatten({ inputShape: [28, 28, 1] }),
      tf.layers.dense({ units: 10, activation, weights: [kernel, tf.zeros([10])] }),
    ],
  });
  return layers;
};

beforeAll(async () => {
  tf.env().set('IS_TEST', true); // else tfjs advertises itself
  await tf.setBackend('cpu');
  await save(linear('linear'), model);
  await save(linear('softmax'), softmax);
});
afterAll(() => rmSync(folder, { recursive: true }));

type Document = {
  readonly summary: { readonly images: number; readonly attempted: number; readonly successes: number };
  readonly rows: readonly {
    readonly index: number;
    readonly success: boolean;
    readonly l2: number | null;
    readonly steps: number;
  }[];
};
const attack = (...args: string[]) => funnel(['attack', '--dataset', 'glyphs', ...args]);

describe('funnel attack', () => {
  it('writes a summary and one row per image, in the order of the indices', async () => {
    const out = join(folder, 'rows.json');
    const indices = join(folder, 'indices.json');
    writeFileSync(indices, JSON.stringify([40, 3, 17, ...Array.from({ length: 30 }, (_, i) => 50 + i)]));
    const ran = await attack(
      '--model',
      model,
      '--indices',
      indices,
      '--attack',
      'deepfool-l2',
      '--set',
      'overshoot=0.02',
      '--out',
      out,
      '--json',
    );
    expect(ran.status, ran.stderr).toBe(0);
    const written: Document = JSON.parse(readFileSync(out, 'utf8'));
    expect(JSON.parse(ran.stdout)).toEqual(written);
    expect(written).toMatchObject({ attack: 'deepfool-l2', settings: { overshoot: 0.02, steps: 50 } });
    expect(written.rows.slice(0, 3).map(({ index }) => index)).toEqual([40, 3, 17]);
    expect(written.rows).toHaveLength(33);
    for (const row of written.rows) {
      expect(Object.keys(row)).toEqual(['index', 'success', 'l2', 'linf', 'l0', 'steps']);
      if (row.success) expect(row.l2).toBeGreaterThan(0);
      else expect(row.l2).toBeNull();
    }
    expect(written.summary.successes).toBe(written.rows.filter(({ success }) => success).length);
  });

  it('lists every attack with its settings', async () => {
    const { stdout } = await funnel(['attack', '--list']);
    expect(stdout).toMatch(/--set overshoot=0\.05/);
    expect(stdout).toContain('preset:paper');
  });

  it.each([
    [['--model', '/nowhere', '--attack', 'fgsm'], 1, /ENOENT/],
    [['--model', softmax, '--attack', 'fgsm'], 1, /logits/],
    [['--model', model, '--attack', 'fgsm', '--indices', '20000'], 2, /Expected indices below 10000/],
    [['--model', model, '--attack', 'fgsm', '--set', 'stepz=1'], 2, /stepz/],
    [['--attack', 'fgsm'], 2, /--model DIR/],
  ] as const)('%j ends with %i and says why', async (args, status, words) => {
    const ran = await attack(...args);
    expect(ran.stderr).toMatch(words);
    expect(ran.status).toBe(status);
  });
});
