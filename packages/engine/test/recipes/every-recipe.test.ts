/** The laws of every recipe: it records what it declares, an interruption does not change its bits, and it leaves no tensor behind. */
import {
  CheckpointManifest,
  type Recipe,
  type RecipeName,
  recipes,
  trainingMetrics,
} from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { loadClassifier } from '../../src/classifier.ts';
import { glyphs } from '../../src/datasets/glyphs.ts';
import { gatherImages } from '../../src/datasets/split.ts';
import { onto, type Ran, run, specOf } from '../stages.ts';

const names = Object.keys(recipes) as RecipeName[];
const hyperparameters = { trainingSteps: 2, warmupEpochs: 1 };

/** The stages of a recipe, each started from the result of the one before. */
const lineOf = async (name: RecipeName) => {
  const stages: Recipe['stages'] = recipes[name].stages;
  const line: { readonly stage: Recipe['stages'][number]; readonly parent: Ran | null; readonly ran: Ran }[] =
    [];
  for (const stage of stages) {
    const parent = line.at(-1)?.ran ?? null;
    const ran = await run(specOf(name, stage.kind, 2, hyperparameters), parent && onto(parent));
    line.push({ stage, parent, ran });
  }
  return line;
};

describe.each(names)('%s', (name) => {
  beforeAll(async () => void (await openBackend('wasm')));

  it('records the metrics and stores the networks that it declares', async () => {
    for (const { stage, ran } of await lineOf(name)) {
      expect(ran.outcome).toEqual({ status: 'completed' });
      for (const [i, { manifest }] of ran.checkpoints.entries()) {
        expect(CheckpointManifest.parse(manifest)).toEqual(manifest);
        expect(Object.keys(manifest.networks).sort()).toEqual([...stage.networks].sort());
        const metrics = ran.metrics[i]!;
        expect(Object.keys(metrics).sort()).toEqual([...stage.records].sort());
        for (const metric of stage.records) expect(trainingMetrics).toHaveProperty(metric);
        for (const value of Object.values(metrics)) expect(Number.isFinite(value)).toBe(true);
      }
    }
  });

  it('counts the correct test images of each class after every epoch of the classifier, and in no other stage', async () => {
    const labels = [...glyphs('test', 12).labels];
    const images = Array.from({ length: 10 }, (_, label) => labels.filter((each) => each === label).length);
    const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);
    for (const { stage, ran } of await lineOf(name))
      for (const [i, counts] of ran.perClass.entries()) {
        expect(counts === null).toBe(stage.kind !== 'classify');
        if (!counts) continue;
        expect(counts.images).toEqual(images);
        expect(total(counts.correct) / 12).toBeCloseTo(ran.metrics[i]!.cleanAccuracy!, 6);
        for (const [label, correct] of counts.correct.entries())
          expect(correct).toBeLessThanOrEqual(images[label]!);
      }
  });

  it('gives the same bits when it is interrupted at any step', async () => {
    for (const { stage, parent, ran: whole } of await lineOf(name)) {
      const spec = specOf(name, stage.kind, 2, hyperparameters);
      const watched = await run(spec, parent && onto(parent), { checkpointSeconds: 0 }); // before every step
      expect(watched.hashes.at(-1)).toBe(whole.hashes.at(-1));
      expect(watched.checkpoints.length).toBe(6);
      const blobs = new Map([...(parent?.last.blobs ?? []), ...watched.last.blobs]);
      for (const at of [1, 2, 3]) {
        const { manifest } = watched.checkpoints[at]!;
        const resumed = await run(spec, { manifest, blobs, sameChain: true });
        expect(resumed.hashes.at(-1)).toBe(whole.hashes.at(-1));
        expect(resumed.metrics.at(-1)).toEqual(whole.metrics.at(-1));
        expect(resumed.perClass.at(-1)).toEqual(whole.perClass.at(-1));
      }
    }
  });

  it('ends in a classifier that can be loaded and attacked, and leaves no tensor behind', async () => {
    await lineOf(name); // after this, the backend has allocated all tensors that it keeps
    const before = tf.memory().numTensors;
    const line = await lineOf(name);
    const classifier = loadClassifier(line.at(-1)!.ran.last);
    tf.tidy(() => {
      const images = tf.tensor(gatherImages(glyphs('test', 3), [0, 1, 2]), [3, 28, 28, 1]);
      expect(classifier.logits(images).shape).toEqual([3, 10]);
      expect(classifier.encoder(images).shape).toEqual([3, 5]);
      for (const value of classifier.defence?.suspicion(images).dataSync() ?? [])
        expect(Number.isFinite(value)).toBe(true);
      const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.square(classifier.logits(x))))(images);
      expect(tf.max(tf.abs(gradient)).dataSync()[0]).toBeGreaterThan(0);
    });
    classifier.dispose();
    expect(tf.memory().numTensors).toBe(before);
  });
});
