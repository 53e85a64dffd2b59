import { defaultHyperparameters } from '@funnel/contracts';
import * as tf from '@tensorflow/tfjs';
import { beforeAll, describe, expect, it } from 'vitest';
import { openBackend } from '../src/backends/open-backend.ts';
import { encodeAll } from '../src/batches.ts';
import { glyphs } from '../src/datasets/glyphs.ts';
import { gatherImages } from '../src/datasets/split.ts';
import { encoder } from '../src/models/auto-encoders.ts';
import { createNetwork, initialWeights } from '../src/models/network.ts';
import { createRandom } from '../src/random.ts';

beforeAll(async () => {
  await openBackend('wasm');
});

describe('encodeAll', () => {
  it.each([5, 0])(
    'gives the codes of the images at some indices, cached or not (latent %i)',
    async (latent) => {
      const architecture = encoder([28, 28, 1], {
        ...defaultHyperparameters,
        filters: '2-3',
        latent,
      });
      const network = createNetwork(
        architecture,
        initialWeights(architecture, 'glorotUniform', createRandom(1)),
      );
      const split = glyphs('test', 300); // more than one pass
      const indices = Uint32Array.of(299, 3, 3, 0, 256);
      const direct = network.apply(tf.tensor(gatherImages(split, indices), [5, 28, 28, 1]));
      const [cached, uncached] = [
        await encodeAll(network, split),
        await encodeAll(network, split, undefined, 1000),
      ];
      for (const codes of [cached(indices), uncached(indices)]) {
        expect(codes.shape).toEqual(direct.shape);
        expect(tf.max(tf.abs(tf.sub(codes, direct))).dataSync()[0]).toBeLessThan(1e-6);
      }
      network.dispose();
    },
  );
});
