import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../src/backends/open-backend.ts';
import { loadClassifier } from '../src/classifier.ts';
import { glyphs } from '../src/datasets/glyphs.ts';
import { gatherImages } from '../src/datasets/split.ts';
import { onto, type Ran, run, specOf } from './stages.ts';

let classify: Ran;
beforeAll(async () => {
  await openBackend('wasm');
  const initialise = await run(specOf('classic', 'initialise', 1));
  classify = await run(specOf('classic', 'classify', 1), onto(initialise));
});

const images = () => tf.tensor(gatherImages(glyphs('test', 6), [0, 1, 2, 3, 4, 5]), [6, 28, 28, 1]);

describe('loadClassifier', () => {
  it('gives the same logits as tf.loadLayersModel with the manifest', async () => {
    const { manifest, blobs } = classify.last;
    const { topology, weights, blob } = manifest.networks.classifier!;
    const model = await tf.loadLayersModel({
      load: async () => ({
        modelTopology: JSON.parse(JSON.stringify(topology)),
        weightSpecs: weights.map((spec) => ({ ...spec, dtype: 'float32' as const })),
        weightData: blobs.get(blob)!.slice().buffer,
      }),
    });
    const classifier = loadClassifier(classify.last);
    const [ours, theirs] = [classifier.logits(images()), model.predict(images()) as tf.Tensor];
    expect(ours.shape).toEqual([6, 10]);
    expect(tf.max(tf.abs(tf.sub(ours, theirs))).dataSync()[0]).toBeLessThan(1e-5);
    expect([classifier.shape, classifier.classes]).toEqual([[28, 28, 1], 10]);
    classifier.dispose();
  });

  it('is differentiable in the images, and so are the features', () => {
    const classifier = loadClassifier(classify.last);
    for (const f of [classifier.logits, classifier.encoder]) {
      const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.square(f(x))))(images());
      expect(gradient.shape).toEqual([6, 28, 28, 1]);
      expect(tf.max(tf.abs(gradient)).dataSync()[0]).toBeGreaterThan(0);
    }
    expect(classifier.encoder(images()).shape).toEqual([6, 5]);
    classifier.dispose();
  });

  it('frees its tensors', () => {
    const before = tf.memory().numTensors;
    loadClassifier(classify.last).dispose();
    expect(tf.memory().numTensors).toBe(before);
  });

  it('throws when the checkpoint is of another kind of stage', async () => {
    const { last } = await run(specOf('classic', 'initialise', 1));
    expect(() => loadClassifier(last)).toThrow(
      /network classifier, but it has defender-encoder, defender-generator/,
    );
  });
});
