/** Every recipe trains every architecture: it completes, gives the same bits when it is interrupted, and ends in a classifier. */
import { type Hyperparameters, type Recipe, type RecipeName, recipeNames, recipes } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, expect, it } from 'vitest';
import { openBackend } from '../../src/backends/open-backend.ts';
import { loadClassifier } from '../../src/classifier.ts';
import { glyphs } from '../../src/datasets/glyphs.ts';
import { gatherImages } from '../../src/datasets/split.ts';
import { onto, type Ran, run, specOf } from '../stages.ts';

const variants: readonly Partial<Hyperparameters>[] = [
  { architecture: 'mlp', codeActivation: 'tanh' },
  { architecture: 'residual', normalisation: 'batch', paddedSize: 32 },
  { kernelSize: 4, activation: 'leaky-relu', normalisation: 'batch', augmentShift: 1 },
];

const cases = recipeNames.flatMap((name) => variants.map((variant) => [name, variant] as const));

beforeAll(async () => void (await openBackend('wasm')));

it.each(cases)('%s with %j', async (name: RecipeName, variant) => {
  const stages: Recipe['stages'] = recipes[name].stages;
  let last: Ran | null = null;
  for (const { kind } of stages) {
    const spec = specOf(name, kind, 1, { trainingSteps: 1, warmupEpochs: 1, ...variant });
    const parent: Ran | null = last;
    last = await run(spec, parent && onto(parent));
    expect(last.outcome).toEqual({ status: 'completed' });
    const watched = await run(spec, parent && onto(parent), { checkpointSeconds: 0 }); // a checkpoint before every step
    const blobs = new Map([...(parent?.last.blobs ?? []), ...watched.last.blobs]);
    const resumed = await run(spec, { manifest: watched.checkpoints[1]!.manifest, blobs, sameChain: true });
    expect(resumed.hashes.at(-1)).toBe(last.hashes.at(-1));
  }
  const classifier = loadClassifier(last!.last);
  tf.tidy(() => {
    const images = tf.tensor(gatherImages(glyphs('test', 3), [0, 1, 2]), [3, 28, 28, 1]);
    expect(classifier.logits(images).shape).toEqual([3, 10]);
    expect(classifier.encoder(images).shape).toEqual([3, 5]);
  });
  classifier.dispose();
});
